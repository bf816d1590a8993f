extension Alphabet {
    /// The coefficients of the symbols as kernels look them up: `[coefficientsPerSymbol, 16]`, zero
    /// for nibbles beyond the alphabet.
    package var coefficientTables: [Float] {
        let c = coefficientsPerSymbol
        var tables = [Float](repeating: 0, count: c * Alphabet.capacity)
        for symbol in 0..<symbolCount {
            for i in 0..<c {
                tables[i * Alphabet.capacity + symbol] = Float(coefficients[symbol * c + i])
            }
        }
        return tables
    }

    /// The look-up tables of a basis `[nibbles * coefficientsPerSymbol, width]`, without the scale
    /// of a filter, `[nibbles, width, 16]`: entry k of (j, t) is Σ_c self[k][c] · B[j c + i][t],
    /// added in the order of c.
    package func tables(
        nibbles: Int, width: Int, basis: UnsafePointer<Float>,
        into tables: UnsafeMutablePointer<Float>
    ) {
        // Called for every slice: nothing is allocated here.
        let c = coefficientsPerSymbol
        for j in 0..<nibbles {
            for t in 0..<width {
                let table = tables + (j * width + t) * Alphabet.capacity
                table.update(repeating: 0, count: Alphabet.capacity)
                for k in 0..<symbolCount {
                    var sum: Float = 0
                    for i in 0..<c {
                        sum += Float(coefficients[k * c + i]) * basis[(j * c + i) * width + t]
                    }
                    table[k] = sum
                }
            }
        }
    }
}
