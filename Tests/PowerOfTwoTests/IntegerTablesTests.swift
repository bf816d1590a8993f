import Foundation
import PowerOfTwo
import Testing

@Suite("IntegerTables")
struct IntegerTablesTests {
    /// One slice of one filter with the given basis.
    private func weight(
        _ basis: [Int8], _ alphabet: Alphabet, nibbles: Int, width: Int
    ) throws -> SmartDealWeight {
        let geometry = try WeightGeometry(
            shape: [1, width], unit: 1, width: width, nibbles: nibbles, rowsPerSlice: 1,
            filtersPerBasis: 1, layout: .full)
        return try SmartDealWeight(
            geometry: geometry, alphabet: alphabet, symbols: Array(repeating: 0, count: nibbles),
            rowMask: nil, groupMask: nil, basis: .int8(basis),
            scales: FilterScales(halves: [Float16(1).bitPattern], exponent: 0))
    }

    private static let sparse = try? Alphabet(name: "sparse", symbols: [[0], [8], [-0.25]])

    @Test("entries are the exact shift-and-add, shifted until all sums fit int8, with its unit")
    func entries() throws {
        var random = TestRandom(1)
        let alphabets = [Alphabet.single, .quarters, .halves, try #require(Self.sparse)]
        for (alphabet, size) in zip(alphabets + alphabets, [127, 127, 127, 127, 3, 9, 20, 1]) {
            for (n, width) in [(1, 1), (3, 3), (3, 2), (2, 8), (7, 5)] {
                let c = alphabet.coefficientsPerSymbol
                let basis = (0..<(n * c * width)).map { _ in
                    Int8((random.signed() * Double(size)).rounded())
                }
                let tables = try #require(
                    weight(basis, alphabet, nibbles: n, width: width).integerTables(basis: 0))
                try #require(tables.entries.count == n * width * 16)
                let smallest = alphabet.coefficients.filter { $0 != 0 }.map { abs($0) }.min() ?? 1
                func exact(_ j: Int, _ t: Int, _ k: Int) -> Double {
                    guard k < alphabet.symbolCount else { return 0 }
                    return (0..<c).reduce(0.0) {
                        $0 + alphabet.coefficients[k * c + $1]
                            * Double(basis[(j * c + $1) * width + t])
                    }
                }
                let unit = Double(sign: .plus, exponent: tables.shift, significand: 1) * smallest
                #expect(Double(tables.unit) == unit)
                for j in 0..<n {
                    for t in 0..<width {
                        for k in 0..<16 {
                            let entry = tables.entries[(j * width + t) * 16 + k]
                            // To nearest, halves upward.
                            #expect(Double(entry) == (exact(j, t, k) / unit + 0.5).rounded(.down))
                        }
                    }
                }
                func largestSum(_ unit: Double) -> Double {
                    (0..<width).map { t in
                        (0..<n).reduce(0.0) { sum, j in
                            sum
                                + (0..<16).map {
                                    abs((exact(j, t, $0) / unit + 0.5).rounded(.down))
                                }
                                .reduce(0, max)
                        }
                    }.reduce(0, max)
                }
                #expect(largestSum(unit) <= 127)
                #expect(tables.shift == 0 || largestSum(unit / 2) > 127)
            }
        }
    }

    @Test(
        "integer weights times unit and scale are within half a unit a symbol of the rebuilt ones")
    func rebuilt() throws {
        for test in WeightModel.cases
        where !test.hasFloatBasis && test.filtersPerBasis == 1 && !test.hasGroupMask
            && !test.hasRowMask && test.shape.dropFirst().reduce(1, *) % test.width == 0
        {
            let weight = try WeightModel(test).weight
            let dense = weight.rebuilt(filters: 0..<1)
            var offset = 0
            for slice in 0..<weight.geometry.sliceCount {
                let tables = try #require(weight.integerTables(basis: slice))
                let begin = slice * test.rowsPerSlice
                let rows = min(test.rowsPerSlice, weight.geometry.rowCount - begin)
                var out = [Int8](repeating: 0, count: rows * test.width)
                weight.symbols[offset...].withUnsafeBufferPointer { packed in
                    tables.entries.withUnsafeBufferPointer { entries in
                        guard let packed = packed.baseAddress, let entries = entries.baseAddress
                        else { return }
                        ShiftKernels.selected.rebuild(
                            rows: rows, nibbles: test.nibbles, width: test.width, packed: packed,
                            tables: entries, into: &out)
                    }
                }
                offset += weight.geometry.symbolBytes(rows: rows)
                let unit = tables.unit * abs(weight.scale(filter: 0, slice: slice))
                let scale = tables.unit * weight.scale(filter: 0, slice: slice)
                let allowed = unit * (0.501 * Float(test.nibbles))
                for (index, value) in out.enumerated() {
                    let exact = dense[begin * test.width + index]
                    #expect(abs(Float(value) * scale - exact) <= allowed)
                }
            }
        }
    }

    @Test("a float basis has no integer tables")
    func floatBasis() throws {
        let geometry = try WeightGeometry(
            shape: [1, 1], unit: 1, width: 1, nibbles: 1, rowsPerSlice: 1, filtersPerBasis: 1,
            layout: .full)
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: .single, symbols: [1], rowMask: nil, groupMask: nil,
            basis: .float32([0.5]), scales: nil)
        #expect(weight.integerTables(basis: 0) == nil)
        #expect(weight.rebuilt() == [0.5])
    }
}
