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
        let step = isTransposed ? channels : 1
        var scales = [Float](repeating: 1, count: channels)
        bytes = tensor.withFloats { weights in
            [Int8](unsafeUninitializedCapacity: weights.count) { bytes, count in
                for channel in 0..<channels {
                    let first = isTransposed ? channel : channel * length
                    var largest: Float = 0
                    for index in 0..<length {
                        largest = max(largest, weights[first + index * step].magnitude)
                    }
                    // Of numbers near the least of all the scale may vanish: they are zeros.
                    let scale = largest / 127 >= .leastNormalMagnitude ? largest / 127 : 1
                    scales[channel] = scale
                    for index in 0..<length {
                        let at = first + index * step
                        let level = (weights[at] / scale).rounded(.toNearestOrEven)
                        bytes[at] = Int8(min(max(level, -127), 127))
                    }
                }
                count = channels * length
            }
        }
        self.scales = scales
    }
}
