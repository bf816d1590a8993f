/// A small seeded generator for test data (xorshift64*).
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// A number in -1..<1.
    mutating func signed() -> Double { Double(Int64(bitPattern: next()) >> 11) * 0x1p-52 }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
    }

    /// Floats of mixed size, or small whole numbers, which make ties.
    mutating func floats(_ count: Int, whole: Bool = false) -> [Float] {
        (0..<count).map { _ in whole ? Float((signed() * 4).rounded()) : Float(signed()) }
    }
}
