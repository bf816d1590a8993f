public import DenseMath

/// Weights as signed bytes, with a scale for each output channel: w = scale byte.
public struct ByteWeights: Sendable, Equatable {
    /// In the order of the tensor, from -127 to 127.
    public let bytes: [Int8]
    /// One for each output channel, positive.
    public let scales: [Float]

    /// The nearest bytes, where the largest of a channel becomes 127.
    ///
    /// - Parameters:
    ///   - tensor: floats, all finite.
    ///   - isTransposed: whether output channels are the last dimension instead of the first.
    public init(_ tensor: Tensor, isTransposed: Bool = false) {
        let channels = (isTransposed ? tensor.shape.last : tensor.shape.first) ?? 1
        let length = tensor.count / max(1, channels)
        (bytes, scales) = tensor.withFloats { weights in
            func channel(_ index: Int) -> Int { isTransposed ? index % channels : index / length }
            var largest = [Float](repeating: 0, count: channels)
            for index in weights.indices {
                largest[channel(index)] = max(largest[channel(index)], weights[index].magnitude)
            }
            let scales = largest.map { $0 / 127 >= .leastNormalMagnitude ? $0 / 127 : 1 }
            let bytes = weights.indices.map { index in
                let rounded = (weights[index] / scales[channel(index)])
                    .rounded(.toNearestOrEven)
                return Int8(min(max(rounded, -127), 127))
            }
            return (bytes, scales)
        }
    }
}
