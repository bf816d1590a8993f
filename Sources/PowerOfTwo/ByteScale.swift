/// How numbers are kept as bytes: x = scale (byte - zero).
public struct ByteScale: Sendable, Hashable {
    /// The distance of neighbouring numbers, positive.
    public let scale: Float
    /// The byte that stands for 0, from 0 to 255.
    public let zero: UInt8

    public init(scale: Float, zero: UInt8) {
        precondition(scale > 0 && scale.isFinite, "a scale of \(scale)")
        self.scale = scale
        self.zero = zero
    }

    /// The byte nearest to a number, ties to even; the ends for numbers beyond them.
    public func byte(_ value: Float) -> UInt8 {
        let rounded = (value / scale).rounded(.toNearestOrEven) + Float(zero)
        return UInt8(min(max(rounded, 0), 255))
    }

    /// The number that a byte stands for.
    public func value(_ byte: UInt8) -> Float { scale * Float(Int(byte) - Int(zero)) }
}
