import Networks
import PowerOfTwo

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
    mutating func signed() -> Float { Float(Int64(bitPattern: next()) >> 39) * 0x1p-24 }

    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in signed() } }
}

/// A random weight in SmartDeal form of every kind that there is.
struct WeightCase: CustomStringConvertible, Sendable {
    var shape = [5, 8, 3, 3]
    var unit = 3
    var width = 3
    var nibbles = 3
    var rowsPerSlice = 24
    var filtersPerBasis = 1
    var layout = WeightGeometry.Layout.kept
    var alphabet = Alphabet.single
    var hasRowMask = false
    var hasGroupMask = false
    var hasFloatBasis = false
    var hasScales = true
    var isTransposed = false
    var seed: UInt64 = 1

    var description: String {
        "\(shape) unit \(unit) S \(width) n \(nibbles) rows \(rowsPerSlice) shared "
            + "\(filtersPerBasis) \(layout) \(alphabet.name) rowMask \(hasRowMask) groupMask "
            + "\(hasGroupMask) float \(hasFloatBasis) transposed \(isTransposed) seed \(seed)"
    }

    static let cases: [WeightCase] = {
        var cases: [WeightCase] = []
        let alphabets = Alphabet.named
        let sizes: [(shape: [Int], unit: Int, width: Int, nibbles: Int, rows: Int, shared: Int)] = [
            ([5, 8, 3, 3], 3, 3, 3, 10, 1), ([33, 4, 5, 5], 5, 4, 3, 9, 2),
            ([40, 50], 1, 3, 3, 17, 8), ([66, 2, 3, 3], 3, 2, 3, 5, 32), ([2, 7], 1, 9, 1, 1, 1),
            ([3, 100], 1, 1, 1, 60, 1),
        ]
        for (index, size) in sizes.enumerated() {
            for masks in 0..<4 {
                for layout in [WeightGeometry.Layout.full, .kept] {
                    cases.append(
                        WeightCase(
                            shape: size.shape, unit: size.unit, width: size.width,
                            nibbles: size.nibbles, rowsPerSlice: size.rows,
                            filtersPerBasis: size.shared, layout: layout,
                            alphabet: alphabets[(index + masks) % 4], hasRowMask: masks & 1 != 0,
                            hasGroupMask: masks & 2 != 0, hasFloatBasis: (index + masks) % 2 == 0,
                            hasScales: index % 2 == 0 || (index + masks) % 2 != 0,
                            isTransposed: size.shape.count == 2 && masks % 2 == 0,
                            seed: UInt64(cases.count + 1)))
                }
            }
        }
        return cases
    }()

    func weight() throws -> SmartDealWeight {
        var random = TestRandom(seed)
        let geometry = try WeightGeometry(
            shape: shape, unit: unit, width: width, nibbles: nibbles, rowsPerSlice: rowsPerSlice,
            filtersPerBasis: filtersPerBasis, layout: layout)
        var groupMask: [UInt8] = []
        var rowMask: [UInt8] = []
        var symbolBytes = 0
        for group in 0..<geometry.groupCount {
            var mask = BitMask(count: geometry.positionCount)
            for i in 0..<geometry.positionCount where random.next() % 3 != 0 { mask[i] = true }
            groupMask += mask.bytes
            let layout = RowLayout(geometry, mask: hasGroupMask ? mask : nil)
            for _ in geometry.filters(ofGroup: group) {
                var kept = BitMask(count: layout.rowCount, repeating: true)
                if hasRowMask {
                    for i in 0..<layout.rowCount where random.next() % 4 == 0 { kept[i] = false }
                    rowMask += kept.bytes
                }
                for (start, rows) in zip(layout.sliceStarts, layout.rowsOfSlice) {
                    symbolBytes += geometry.symbolBytes(
                        rows: (start..<(start + rows)).count { kept[$0] })
                }
            }
        }
        let rank = nibbles * alphabet.coefficientsPerSymbol
        let count = geometry.basisCount * rank * width
        let basis: Basis =
            hasFloatBasis
            ? .float32(random.floats(count))
            : .int8((0..<count).map { _ in Int8(random.signed() * 127) })
        let scales = (0..<(geometry.filterCount * geometry.sliceCount)).map { _ in
            hasFloatBasis ? 1 + random.signed() / 2 : 0.002 * (1 + random.signed() / 2)
        }
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: alphabet,
            symbols: (0..<symbolBytes).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) },
            rowMask: hasRowMask ? rowMask : nil, groupMask: hasGroupMask ? groupMask : nil,
            basis: basis,
            scales: hasScales || !hasFloatBasis ? FilterScales(rounding: scales) : nil)
        // Nibbles that no row has are written as zero.
        let rows = StoredRows(weight)
        return try weight.repacked(
            rows, planes: weight.symbolPlanes(rows),
            basis: (0..<weight.basis.count).map { weight.basis[$0] })
    }

    func parameter() throws -> CompressedParameter {
        try CompressedParameter(weight(), isTransposed: isTransposed)
    }
}
