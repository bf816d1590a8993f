/// A small seeded generator: the same seed gives the same numbers on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline static let step: UInt64 = 0x9E37_79B9_7F4A_7C15
    @usableFromInline var state: UInt64

    package init(seed: UInt64) { state = seed }

    @inlinable package mutating func next() -> UInt64 {
        state &+= Self.step
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Goes on as if `count` numbers had been drawn.
    package mutating func skip(_ count: Int) {
        state &+= Self.step &* UInt64(truncatingIfNeeded: count)
    }

    /// A number in 0..<1.
    package mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number of (nearly) normal distribution, mean 0, variance 1: twelve uniform ones.
    package mutating func nextNormal() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + nextUnit() }
    }
}

extension UInt64 {
    /// A seed that depends on every byte of `text` (FNV-1a).
    package static func seed(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
