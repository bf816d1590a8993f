import DenseMath

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

    mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(
            rows: rows, columns: columns, elements: (0..<(rows * columns)).map { _ in signed() })
    }
}

/// A · B by the definition.
func naiveProduct(_ a: Matrix, _ b: Matrix) -> Matrix {
    var result = Matrix(rows: a.rows, columns: b.columns)
    for i in 0..<a.rows {
        for j in 0..<b.columns {
            result[i, j] = (0..<a.columns).reduce(0) { $0 + a[i, $1] * b[$1, j] }
        }
    }
    return result
}

/// The largest |a - b|.
func distance(_ a: Matrix, _ b: Matrix) -> Double {
    guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
    return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
