/// The int8 look-up tables of one basis: what integer kernels rebuild weights with.
///
/// An entry is the exact shift-and-add T = Σ ±(B << k), in units of the alphabet's smallest
/// coefficient, then shifted right by ``shift`` with rounding to nearest (halves upward), the
/// smallest shift for which no sum over the symbols of a row leaves int8. A weight is then
/// `Σ_j entry_j · scale · unit`.
public struct IntegerTables: Sendable, Equatable {
    /// `[nibbles, width, 16]`.
    public let entries: [Int8]
    /// The right shift that made the sums fit.
    public let shift: Int
    /// What a sum is multiplied by, beside the scale of the filter: 2^(shift + smallest exponent).
    public let unit: Float
}

extension SmartDealWeight {
    /// Returns the int8 tables of a basis, or nil when the basis is not stored as int8.
    public func integerTables(basis index: Int) -> IntegerTables? {
        guard case .int8(let elements) = basis else { return nil }
        let c = alphabet.coefficientsPerSymbol
        let smallest = alphabet.smallestExponent
        let capacity = Alphabet.capacity
        let columns = geometry.nibbles * geometry.width
        var exact = [Int64](repeating: 0, count: columns * capacity)
        let first = index * rank * geometry.width
        for j in 0..<geometry.nibbles {
            for t in 0..<geometry.width {
                for k in 0..<alphabet.symbolCount {
                    for (i, coefficient) in alphabet[k].enumerated() where coefficient != 0 {
                        let element = Int64(elements[first + (j * c + i) * geometry.width + t])
                        let shifted = element << Int64(Int(coefficient.exponent) - smallest)
                        exact[(j * geometry.width + t) * capacity + k] +=
                            coefficient < 0 ? -shifted : shifted
                    }
                }
            }
        }
        var shift = 0
        while true {
            let half: Int64 = shift == 0 ? 0 : 1 << (shift - 1)
            let rounded = exact.map { ($0 + half) >> shift }
            let largest = (0..<geometry.width).map { t -> Int64 in
                (0..<geometry.nibbles).reduce(Int64(0)) { sum, j in
                    let table = rounded[((j * geometry.width + t) * capacity)...].prefix(capacity)
                    return sum + (table.map { abs($0) }.max() ?? 0)
                }
            }
            if largest.allSatisfy({ $0 <= 127 }) {
                return IntegerTables(
                    entries: rounded.map { Int8($0) }, shift: shift,
                    unit: Float(sign: .plus, exponent: shift + smallest, significand: 1))
            }
            shift += 1
        }
    }
}
