/// A weight tensor in SmartDeal form, W = Ce B: symbols, masks, basis and scales, all packed.
///
/// Row i of a slice stands for `width` weights,
///
///     w[t] = scale * sum_j sum_c alphabet[symbol_ij][c] * B[j * coefficientsPerSymbol + c][t]
///
/// - Source: the SmartDeal paper, arXiv 2101.01163: Ce sparse with power-of-two non-zeros, B small.
///   Symbols of two coefficients and bases shared by filters are ours.
public struct SmartDealWeight: Sendable, Equatable {
    public let geometry: WeightGeometry
    public let alphabet: Alphabet
    /// Packed nibbles, filter after filter, in a filter slice after slice; of a slice only the rows
    /// that the masks keep. Rows come in chunks of 128 (the last may be shorter); a chunk of R rows
    /// is one plane of h = ⌈R/2⌉ bytes for each symbol of a row, byte i holding row i in its low
    /// nibble and row h + i in its high nibble. A nibble beyond the alphabet stands for zero.
    public let symbols: [UInt8]
    /// One bit a row that may be stored, set when it is; each filter starts at a byte. Nil when no
    /// row is dropped.
    public let rowMask: [UInt8]?
    /// One bit a position, set when it is kept; one mask for each 32 filters, each starting at a
    /// byte. Nil when no position is dropped.
    public let groupMask: [UInt8]?
    /// `[basisCount, rank, width]`.
    public let basis: Basis
    /// `[filterCount, sliceCount]`, or nil when all scales are 1 (a float basis may do without).
    public let scales: FilterScales?

    /// Where the symbols of each filter begin in ``symbols``; one more at the end.
    package let symbolOffsets: [Int]
    /// Where the row mask of each filter begins in ``rowMask``; one more at the end.
    package let rowMaskOffsets: [Int]

    /// Puts the parts together.
    ///
    /// - Throws: ``PowerOfTwoError`` `.sizeMismatch` when a part has another size than the geometry
    ///   and the masks ask for, `.nonFinite` when a float basis holds a NaN or an infinity.
    public init(
        geometry: WeightGeometry, alphabet: Alphabet, symbols: [UInt8], rowMask: [UInt8]?,
        groupMask: [UInt8]?, basis: Basis, scales: FilterScales?
    ) throws {
        func check(_ found: Int, _ expected: Int, _ what: String) throws {
            guard found == expected else {
                throw PowerOfTwoError(
                    .sizeMismatch, "\(what): expected \(expected), found \(found)")
            }
        }
        let rank = geometry.nibbles * alphabet.coefficientsPerSymbol
        let (elements, overflow) = geometry.basisCount.multipliedReportingOverflow(
            by: rank * geometry.width)
        try check(basis.count, overflow ? .max : elements, "basis elements")
        if case .float32(let elements) = basis, !elements.allSatisfy(\.isFinite) {
            throw PowerOfTwoError(.nonFinite, "the basis holds a NaN or an infinity")
        }
        if case .int8 = basis, scales == nil {
            throw PowerOfTwoError(.sizeMismatch, "an int8 basis needs scales")
        }
        if let scales {
            try check(scales.halves.count, geometry.filterCount * geometry.sliceCount, "scales")
        }
        if let groupMask {
            try check(
                groupMask.count, geometry.groupCount * geometry.groupMaskStride,
                "bytes of group masks")
        }
        self.geometry = geometry
        self.alphabet = alphabet
        self.symbols = symbols
        self.rowMask = rowMask
        self.groupMask = groupMask
        self.basis = basis
        self.scales = scales

        var symbolOffsets = [0]
        var rowMaskOffsets = [0]
        symbolOffsets.reserveCapacity(geometry.filterCount + 1)
        rowMaskOffsets.reserveCapacity(geometry.filterCount + 1)
        for group in 0..<geometry.groupCount {
            let layout = RowLayout(
                geometry, mask: Self.mask(ofGroup: group, in: groupMask, geometry))
            let starts = layout.sliceStarts
            let whole = layout.rowsOfSlice.reduce(0) { $0 + geometry.symbolBytes(rows: $1) }
            for _ in geometry.filters(ofGroup: group) {
                var bytes = whole
                if let rowMask {
                    let begin = rowMaskOffsets[rowMaskOffsets.count - 1]
                    let end = begin + (layout.rowCount + 7) / 8
                    guard end <= rowMask.count else {
                        throw PowerOfTwoError(
                            .sizeMismatch,
                            "bytes of row masks: expected at least \(end), found \(rowMask.count)")
                    }
                    let mask = BitMask(count: layout.rowCount, bytes: rowMask[begin..<end])
                    bytes = zip(starts, layout.rowsOfSlice).reduce(0) { sum, slice in
                        let kept = (slice.0..<(slice.0 + slice.1)).count { mask[$0] }
                        return sum + geometry.symbolBytes(rows: kept)
                    }
                    rowMaskOffsets.append(end)
                }
                symbolOffsets.append(symbolOffsets[symbolOffsets.count - 1] + bytes)
            }
        }
        try check(symbols.count, symbolOffsets[symbolOffsets.count - 1], "bytes of symbols")
        if let rowMask {
            try check(
                rowMask.count, rowMaskOffsets[rowMaskOffsets.count - 1], "bytes of row masks")
        }
        self.symbolOffsets = symbolOffsets
        self.rowMaskOffsets = rowMaskOffsets
    }

    /// Coefficients a row: the rows of a basis (r).
    public var rank: Int { geometry.nibbles * alphabet.coefficientsPerSymbol }

    /// Bytes of symbols, masks, basis and scales; names and headers of a file come on top.
    public var byteCount: Int {
        symbols.count + (rowMask?.count ?? 0) + (groupMask?.count ?? 0)
            + basis.count * basis.bits / 8 + (scales.map { $0.halves.count * 2 } ?? 0)
    }

    /// ``byteCount`` in bits, divided by the number of weights of the dense tensor.
    public var bitsPerWeight: Double {
        Double(byteCount * 8) / Double(geometry.weightCount)
    }

    /// The structural mask of a group of filters, or nil when there is none.
    package func mask(ofGroup group: Int) -> BitMask? {
        Self.mask(ofGroup: group, in: groupMask, geometry)
    }

    private static func mask(
        ofGroup group: Int, in bytes: [UInt8]?, _ geometry: WeightGeometry
    ) -> BitMask? {
        guard let bytes else { return nil }
        let begin = group * geometry.groupMaskStride
        return BitMask(
            count: geometry.positionCount, bytes: bytes[begin..<(begin + geometry.groupMaskStride)])
    }

    /// The row mask of a filter whose group has the given layout, or nil when none is dropped.
    package func rowMask(ofFilter filter: Int, _ layout: RowLayout) -> BitMask? {
        rowMask.map {
            BitMask(
                count: layout.rowCount,
                bytes: $0[rowMaskOffsets[filter]..<rowMaskOffsets[filter + 1]])
        }
    }

    /// The scale of a slice of a filter.
    package func scale(filter: Int, slice: Int) -> Float {
        scales.map { $0[filter * geometry.sliceCount + slice] } ?? 1
    }
}
