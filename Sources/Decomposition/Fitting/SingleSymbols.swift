import PowerOfTwo

/// From fitted coefficients, 0 or ±2^p, to symbols of ``Alphabet/single``, whose seven exponents
/// count down from the largest of the slice.
struct SingleSymbols {
    private static let exponentsOfAlphabet = 7
    private static let bias = 1023

    /// Whether a biased exponent of double precision has occurred.
    private var hasOccurred = [Bool](repeating: false, count: 2048)

    /// The exponents that have occurred in all columns seen.
    var exponents: Set<Int> {
        Set(hasOccurred.indices.filter { $0 > 0 && hasOccurred[$0] }.map { $0 - Self.bias })
    }

    /// Fits the columns of a slice to the alphabet: coefficients more than six exponents below the
    /// largest become zero, and the basis is then fitted again.
    ///
    /// - Returns: the largest exponent, 0 when all coefficients are zero.
    mutating func limitExponents(of fit: AlternatingFit, width: Int) -> Int {
        let count = fit.columnLength * width
        let columns = fit.columns
        var largest = 0
        var smallest = UInt.max
        hasOccurred.withUnsafeMutableBufferPointer { hasOccurred in
            guard let hasOccurred = hasOccurred.baseAddress else { return }
            for i in 0..<count {
                let exponent = Self.biasedExponent(columns[i])
                hasOccurred[exponent] = true
                largest = max(largest, exponent)
                // Zero wraps to the largest number.
                smallest = min(smallest, UInt(bitPattern: exponent) &- 1)
            }
        }
        guard largest > 0 else { return 0 }
        let limit = largest - Self.exponentsOfAlphabet + 1
        if Int(smallest) + 1 < limit {
            for i in 0..<count where Self.biasedExponent(columns[i]) < limit { columns[i] = 0 }
            fit.refitBasis()
        }
        return largest - Self.bias
    }

    /// Writes the symbols of some rows of a column.
    ///
    /// - Parameter rows: indexes into `column`; nil stands for the first `count`.
    static func write(
        _ column: UnsafePointer<Double>, rows: ArraySlice<Int>?, first: Int, count: Int,
        largest: Int, to symbols: UnsafeMutablePointer<UInt8>
    ) {
        let top = largest + bias
        guard let rows else {
            for i in 0..<count { symbols[i] = symbol(column[i], top: top) }
            return
        }
        for (i, row) in rows.enumerated() { symbols[i] = symbol(column[row - first], top: top) }
    }

    @inline(__always)
    private static func biasedExponent(_ value: Double) -> Int {
        Int(truncatingIfNeeded: value.bitPattern >> 52) & 0x7FF
    }

    /// 0 for zero, 1...7 for 2^largest and below, 8...14 for their negatives.
    @inline(__always)
    private static func symbol(_ value: Double, top: Int) -> UInt8 {
        let sign = UInt8(truncatingIfNeeded: value.bitPattern >> 63)
        let below = UInt8(truncatingIfNeeded: top &- biasedExponent(value))
        let symbol = 1 &+ below &+ 7 &* sign
        return value == 0 ? 0 : symbol
    }
}
