/// What is stored in a packed weight, counted.
public struct WeightStatistics: Sendable, Equatable {
    /// Coefficients of all rows, dropped and padding rows included: rows times rank.
    public let coefficients: Int
    /// Coefficients that are not zero.
    public let nonzeroCoefficients: Int
    /// Rows of all filters, dropped ones included, and the padding of the authors' slices.
    public let rows: Int
    /// Rows that have a coefficient that is not zero.
    public let nonzeroRows: Int
    /// Positions of the group masks, and how many of them are kept.
    public let positions: Int
    public let keptPositions: Int
    /// The distinct exponents of the coefficients that are not zero.
    public let exponents: [Int]
    /// How often each symbol is stored, by its index in the alphabet.
    public let symbolCounts: [Int]

    /// Share of coefficients that are not zero.
    public var density: Double { share(nonzeroCoefficients, coefficients) }
    /// Share of rows that are not zero.
    public var rowDensity: Double { share(nonzeroRows, rows) }
    /// Share of mask positions that are kept; 1 without group masks.
    public var groupDensity: Double { share(keptPositions, positions) }

    private func share(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 1 : Double(part) / Double(whole)
    }

    /// Bits by the accounting of the authors' code: ⌈log2(magnitudes)⌉ + 1 for every non-zero
    /// coefficient, one index bit for every coefficient, 32 for every element of a basis.
    ///
    /// - Parameter magnitudes: the distinct magnitudes of all non-zeros, where they are known to
    ///   differ from those of the alphabet, which are relative to each basis.
    public func authorsBits(basisElements: Int, magnitudes: Int? = nil) -> Int {
        let bits = Self.authorsCoefficientBits(magnitudes: magnitudes ?? exponents.count)
        return nonzeroCoefficients * bits + coefficients + 32 * basisElements
    }

    /// ⌈log2(number of distinct non-zero magnitudes)⌉ + 1.
    static func authorsCoefficientBits(magnitudes: Int) -> Int {
        guard magnitudes > 0 else { return 0 }
        return Int.bitWidth - (magnitudes - 1).leadingZeroBitCount + 1
    }
}

extension SmartDealWeight {
    /// Counts what is stored. Reads all symbols once.
    public func statistics() -> WeightStatistics {
        var counts = SymbolCounts()
        for group in 0..<geometry.groupCount { counts.add(symbolCounts(ofGroup: group)) }
        return statistics(of: counts)
    }

    /// The statistics that follow from the counts of all groups.
    package func statistics(of counts: SymbolCounts) -> WeightStatistics {
        let used = (0..<alphabet.symbolCount).filter { counts.symbols[$0] > 0 }
        let exponents = Set(
            used.flatMap { alphabet[$0].filter { $0 != 0 }.map { Int($0.exponent) } })
        // The authors pad a filter to whole slices and count that padding.
        let filterRows =
            geometry.layout == .full
            ? geometry.sliceCount * geometry.rowsPerSlice : geometry.rowCount
        let rows = geometry.filterCount * filterRows
        return WeightStatistics(
            coefficients: rows * rank,
            nonzeroCoefficients: used.reduce(0) { sum, symbol in
                sum + counts.symbols[symbol] * alphabet[symbol].count { $0 != 0 }
            },
            rows: rows, nonzeroRows: counts.nonzeroRows,
            positions: geometry.groupCount * geometry.positionCount,
            keptPositions: (0..<geometry.groupCount).reduce(0) {
                $0 + (mask(ofGroup: $1)?.setCount ?? geometry.positionCount)
            },
            exponents: exponents.sorted(),
            symbolCounts: Array(counts.symbols.prefix(alphabet.symbolCount)))
    }
}
