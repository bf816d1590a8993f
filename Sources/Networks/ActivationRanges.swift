public import PowerOfTwo

/// Between which numbers the values of a network lie, as seen on examples: what running it on bytes
/// needs.
public struct ActivationRanges: Sendable, Equatable {
    /// The ends of a value's elements, finite and in order.
    public struct Range: Sendable, Equatable {
        public let minimum: Float
        public let maximum: Float

        /// Nil for what is no range: ends that are not finite or not in order.
        public init?(_ minimum: Float, _ maximum: Float) {
            guard minimum.isFinite, maximum.isFinite, minimum <= maximum else { return nil }
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// By the names of values.
    public var values: [String: Range]

    public init(_ values: [String: Range] = [:]) {
        self.values = values
    }
}

extension ByteScale {
    /// The finest scale that holds all of a range and 0, which gets a byte of its own.
    public init(_ range: ActivationRanges.Range) {
        let low = min(range.minimum, 0)
        let high = max(range.maximum, 0)
        let step = high / 255 - low / 255
        guard step >= .leastNormalMagnitude else {
            self.init(scale: 1, zero: 0)
            return
        }
        let zero = (-low / step).rounded(.toNearestOrEven)
        self.init(scale: step, zero: UInt8(min(max(zero, 0), 255)))
    }
}
