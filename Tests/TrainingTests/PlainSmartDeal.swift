import Networks
import PowerOfTwo

/// The same step in double precision, as one plain loop over stored rows.
struct PlainSmartDeal {
    /// One stored row: its basis, its scale, where its weights are, where its symbols are.
    struct Row {
        let basis: Int
        let scale: Double
        /// Indexes into the network's tensor; nil for padding and dropped weights.
        let places: [Int?]
        /// Of each of its symbols.
        let symbols: [Int]
        /// Of each of its coefficients, in momentum and counters.
        let coefficients: [Int]
    }

    let rows: [Row]
    let alphabet: Alphabet
    let rank: Int
    let width: Int
    let basisCount: Int

    init(_ parameter: CompressedParameter) {
        let weight = parameter.weight
        let geometry = weight.geometry
        alphabet = weight.alphabet
        rank = weight.rank
        width = geometry.width
        basisCount = geometry.basisCount
        let (n, c, width) = (geometry.nibbles, alphabet.coefficientsPerSymbol, geometry.width)
        var rows: [Row] = []
        for filter in 0..<geometry.filterCount {
            let mask = weight.mask(ofGroup: filter / 32)
            let kept = (0..<geometry.filterLength).filter { mask?[$0 / geometry.unit] ?? true }
            let order = geometry.layout == .full ? Array(0..<geometry.filterLength) : kept
            let isKept = Set(kept)
            let all = stride(from: 0, to: order.count, by: width).map {
                Array(order[$0..<min($0 + width, order.count)])
            }
            let layout = RowLayout(geometry, mask: mask)
            let rowMask = weight.rowMask(ofFilter: filter, layout)
            let present = all.indices.filter { all[$0].contains { isKept.contains($0) } }
            let stored = present.enumerated().filter { rowMask?[$0.offset] ?? true }.map(\.element)
            for slice in 0..<geometry.sliceCount {
                let own = stored.filter { $0 / geometry.rowsPerSlice == slice }
                let first = rows.count
                for (index, row) in own.enumerated() {
                    let places = (0..<width).map { t -> Int? in
                        guard t < all[row].count, isKept.contains(all[row][t]) else { return nil }
                        return parameter.isTransposed
                            ? all[row][t] * geometry.filterCount + filter
                            : filter * geometry.filterLength + all[row][t]
                    }
                    rows.append(
                        Row(
                            basis: geometry.basisIndex(filter: filter, slice: slice),
                            scale: Double(weight.scale(filter: filter, slice: slice)),
                            places: places,
                            symbols: (0..<n).map { first * n + $0 * own.count + index },
                            coefficients: (0..<(n * c)).map {
                                first * n * c + $0 * own.count + index
                            }))
                }
            }
        }
        self.rows = rows
    }

    func coefficients(_ row: Row, _ symbols: [UInt8]) -> [Double] {
        row.symbols.flatMap { index -> [Double] in
            let symbol = Int(symbols[index])
            return symbol < alphabet.symbolCount
                ? Array(alphabet[symbol])
                : Array(repeating: 0, count: alphabet.coefficientsPerSymbol)
        }
    }

    /// dB for a basis that the scales of the weight multiply, and dC, with the sums of the
    /// magnitudes that each was added from.
    func gradients(
        _ gradient: [Float], symbols: [UInt8], basis: [Double]
    ) -> (basis: [(sum: Double, size: Double)], coefficients: [Int: (sum: Double, size: Double)]) {
        var ofBasis = [(sum: Double, size: Double)](
            repeating: (0, 0), count: basisCount * rank * width)
        var ofCoefficients: [Int: (sum: Double, size: Double)] = [:]
        for row in rows {
            for (i, c) in coefficients(row, symbols).enumerated() {
                var (sum, size) = (0.0, 0.0)
                for (t, place) in row.places.enumerated() {
                    guard let place else { continue }
                    let index = (row.basis * rank + i) * width + t
                    let g = Double(gradient[place])
                    ofBasis[index].sum += row.scale * c * g
                    ofBasis[index].size += abs(row.scale * c * g)
                    sum += row.scale * g * basis[index]
                    size += abs(row.scale * g * basis[index])
                }
                ofCoefficients[row.coefficients[i]] = (sum, size)
            }
        }
        return (ofBasis, ofCoefficients)
    }
}
