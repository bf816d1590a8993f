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
        var scales = [Float](repeating: 1, count: channels)
        bytes = tensor.withFloats { weights in
            [Int8](unsafeUninitializedCapacity: weights.count) { bytes, count in
                for channel in 0..<channels {
                    // Known strides of 1 become vector instructions.
                    scales[channel] =
                        isTransposed
                        ? Self.round(weights, bytes, from: channel, length, stride: channels)
                        : Self.round(weights, bytes, from: channel * length, length, stride: 1)
                }
                count = channels * length
            }
        }
        self.scales = scales
    }

    /// Rounds a channel and gives its scale.
    @inline(__always)
    private static func round(
        _ weights: UnsafeBufferPointer<Float>, _ bytes: UnsafeMutableBufferPointer<Int8>,
        from first: Int, _ length: Int, stride: Int
    ) -> Float {
        guard let from = weights.baseAddress, let to = bytes.baseAddress else { return 1 }
        var largest: Float = 0
        for index in 0..<length {
            let magnitude = from[first &+ index &* stride].magnitude
            largest = magnitude > largest ? magnitude : largest
        }
        // Of numbers near the least of all the scale may vanish: they are zeros.
        let scale = largest / 127 >= .leastNormalMagnitude ? largest / 127 : 1
        for index in 0..<length {
            let at = first &+ index &* stride
            let level = min(max(from[at] / scale, -127), 127)
            // Among floats of this size the next one is 1 away: adding rounds to the nearest, ties
            // to even, and leaves the integer in the lowest bits.
            to[at] = Int8(truncatingIfNeeded: Int32(bitPattern: (level + 0x1.8p23).bitPattern))
        }
        return scale
    }
}
