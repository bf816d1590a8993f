import PowerOfTwo

/// A random packed weight, and beside it what the format says its dense weights are, written from
/// the format's text and sharing no code with the library.
struct WeightModel {
    let weight: SmartDealWeight
    /// The dense weights in double precision.
    let dense: [Double]
    /// The sum of the magnitudes that each was added from, which rounding is relative to.
    let magnitudes: [Double]
    /// Symbols of all stored rows, `[rows][n]`.
    let storedRows: [[Int]]
    /// Whether the group mask keeps each weight.
    let isKept: [Bool]

    struct Case: CustomStringConvertible, Sendable {
        var shape = [5, 8, 3, 3]
        var unit = 3
        var width = 3
        var nibbles = 3
        var rowsPerSlice = 24
        var filtersPerBasis = 1
        var layout = WeightGeometry.Layout.full
        var alphabet = Alphabet.single
        var hasRowMask = false
        var hasGroupMask = false
        var hasFloatBasis = false
        var hasScales = true
        var seed: UInt64 = 1

        var description: String {
            "\(shape) unit \(unit) S \(width) n \(nibbles) rows \(rowsPerSlice) shared "
                + "\(filtersPerBasis) \(layout) \(alphabet.name) rowMask \(hasRowMask) groupMask "
                + "\(hasGroupMask) float \(hasFloatBasis) scales \(hasScales) seed \(seed)"
        }
    }

    /// Ranges of sizes that cover every path: whole and partial rows, one and many slices, groups
    /// of 32 and a remainder, shared bases.
    static let cases: [Case] = {
        var cases: [Case] = []
        let sizes: [(shape: [Int], unit: Int, width: Int, nibbles: Int, rows: Int, shared: Int)] = [
            ([5, 8, 3, 3], 3, 3, 3, 24, 1),
            ([5, 8, 3, 3], 3, 3, 3, 10, 1),
            ([33, 4, 5, 5], 5, 4, 3, 9, 2),
            ([40, 50], 1, 3, 3, 17, 8),
            ([40, 50], 1, 7, 2, 3, 32),
            ([3, 1000], 1, 3, 3, 334, 1),
            ([3, 1000], 1, 3, 4, 130, 16),
            ([66, 1, 3, 3], 3, 2, 3, 5, 32),
            ([2, 7], 1, 9, 1, 1, 1),
            ([4, 1], 1, 1, 1, 1, 4),
            ([2, 6, 4], 4, 1, 1, 24, 2),
        ]
        let alphabets = [Alphabet.single, .quarters, .halves]
        for (index, size) in sizes.enumerated() {
            for masks in 0..<4 {
                for layout in [WeightGeometry.Layout.full, .kept] {
                    cases.append(
                        Case(
                            shape: size.shape, unit: size.unit, width: size.width,
                            nibbles: size.nibbles, rowsPerSlice: size.rows,
                            filtersPerBasis: size.shared, layout: layout,
                            alphabet: alphabets[(index + masks) % 3], hasRowMask: masks & 1 != 0,
                            hasGroupMask: masks & 2 != 0, hasFloatBasis: (index + masks) % 2 == 0,
                            hasScales: index % 4 != 0 || (index + masks) % 2 != 0,
                            seed: UInt64(cases.count + 1)))
                }
            }
        }
        return cases
    }()

    init(_ test: Case) throws {
        var random = TestRandom(test.seed)
        let geometry = try WeightGeometry(
            shape: test.shape, unit: test.unit, width: test.width, nibbles: test.nibbles,
            rowsPerSlice: test.rowsPerSlice, filtersPerBasis: test.filtersPerBasis,
            layout: test.layout)
        let (n, width, unit) = (test.nibbles, test.width, test.unit)
        let c = test.alphabet.coefficientsPerSymbol
        let rank = n * c
        let filters = test.shape[0]
        let length = test.shape.dropFirst().reduce(1, *)
        let rowCount = (length + width - 1) / width
        let slices = (rowCount + test.rowsPerSlice - 1) / test.rowsPerSlice
        let bases = (filters + test.filtersPerBasis - 1) / test.filtersPerBasis * slices
        let integers = (0..<(bases * rank * width)).map { _ in
            Int8(truncatingIfNeeded: random.next() >> 32)
        }
        let floats = random.floats(bases * rank * width)
        let halves = (0..<(filters * slices)).map { _ in Float16(1 + random.signed()).bitPattern }

        var dense = [Double](repeating: 0, count: filters * length)
        var magnitudes = dense
        var isKept = [Bool](repeating: true, count: filters * length)
        var packed: [UInt8] = []
        var rowMask: [UInt8] = []
        var groupMask: [UInt8] = []
        var storedRows: [[Int]] = []
        var keep: [Bool] = []
        for filter in 0..<filters {
            if filter % 32 == 0 {
                keep = (0..<(length / unit)).map { _ in
                    !test.hasGroupMask || random.next() % 3 != 0
                }
                // One group that keeps nothing at all.
                if test.hasGroupMask, filter == 32 { keep = keep.map { _ in false } }
                groupMask += Self.bits(keep)
            }
            for i in 0..<length { isKept[filter * length + i] = keep[i / unit] }
            // Where the weights of each row belong.
            let order =
                test.layout == .full
                ? Array(0..<length) : (0..<length).filter { keep[$0 / unit] }
            let rows = stride(from: 0, to: order.count, by: width).map {
                Array(order[$0..<min($0 + width, order.count)])
            }
            let present = rows.indices.filter { row in
                rows[row].contains { keep[$0 / unit] }
            }
            let stored = present.filter { _ in !test.hasRowMask || random.next() % 4 != 0 }
            rowMask += Self.bits(present.map { stored.contains($0) })
            for slice in 0..<slices {
                let begin = slice * test.rowsPerSlice
                let own = stored.filter { $0 >= begin && $0 < begin + test.rowsPerSlice }
                let symbols = own.map { _ in (0..<n).map { _ in Int(random.next() >> 40) & 15 } }
                packed += Self.packed(symbols, n)
                storedRows += symbols
                let basis = (filter / test.filtersPerBasis * slices + slice) * rank * width
                let scale =
                    test.hasScales
                    ? Double(Float16(bitPattern: halves[filter * slices + slice])) / 64 : 1
                for (row, symbols) in zip(own, symbols) {
                    for (t, position) in rows[row].enumerated() {
                        // W = Ce B: the row of Ce is its symbols' coefficients in a line.
                        let coefficients = symbols.flatMap { symbol -> [Double] in
                            symbol < test.alphabet.symbolCount
                                ? Array(test.alphabet[symbol]) : Array(repeating: 0, count: c)
                        }
                        for (i, coefficient) in coefficients.enumerated() {
                            let index = basis + i * width + t
                            let element =
                                test.hasFloatBasis ? Double(floats[index]) : Double(integers[index])
                            dense[filter * length + position] += scale * coefficient * element
                            magnitudes[filter * length + position] +=
                                abs(scale * coefficient * element)
                        }
                        if !keep[position / unit] {
                            dense[filter * length + position] = 0
                            magnitudes[filter * length + position] = 0
                        }
                    }
                }
            }
        }
        weight = try SmartDealWeight(
            geometry: geometry, alphabet: test.alphabet, symbols: packed,
            rowMask: test.hasRowMask ? rowMask : nil,
            groupMask: test.hasGroupMask ? groupMask : nil,
            basis: test.hasFloatBasis ? .float32(floats) : .int8(integers),
            scales: test.hasScales ? FilterScales(halves: halves, exponent: -6) : nil)
        self.dense = dense
        self.magnitudes = magnitudes
        self.storedRows = storedRows
        self.isKept = isKept
    }

    static func bits(_ flags: [Bool]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
        for (index, flag) in flags.enumerated() where flag { bytes[index / 8] |= 1 << (index % 8) }
        return bytes
    }

    /// Rows of symbols in chunks of 128 rows, a plane for each symbol, two rows a byte.
    static func packed(_ rows: [[Int]], _ n: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for begin in stride(from: 0, to: rows.count, by: 128) {
            let chunk = Array(rows[begin..<min(begin + 128, rows.count)])
            let h = (chunk.count + 1) / 2
            for j in 0..<n {
                for i in 0..<h {
                    let high = h + i < chunk.count ? chunk[h + i][j] : 0
                    bytes.append(UInt8(chunk[i][j] | high << 4))
                }
            }
        }
        return bytes
    }
}
