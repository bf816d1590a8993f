import Foundation
import PowerOfTwo
import Testing

@Suite("Statistics")
struct StatisticsTests {
    @Test("statistics are what counting one by one gives", arguments: WeightModel.cases)
    func counts(test: WeightModel.Case) throws {
        let model = try WeightModel(test)
        let found = model.weight.statistics()
        let alphabet = test.alphabet
        func coefficients(_ symbol: Int) -> [Double] {
            symbol < alphabet.symbolCount ? Array(alphabet[symbol]).filter { $0 != 0 } : []
        }
        var nonzeros = 0
        var nonzeroRows = 0
        var counts = [Int](repeating: 0, count: alphabet.symbolCount)
        var exponents = Set<Int>()
        for row in model.storedRows {
            let used = row.flatMap(coefficients)
            nonzeros += used.count
            nonzeroRows += used.isEmpty ? 0 : 1
            exponents.formUnion(used.map { Int(log2(abs($0))) })
            for symbol in row where symbol < counts.count { counts[symbol] += 1 }
        }
        let length = test.shape.dropFirst().reduce(1, *)
        let filterRows = (length + test.width - 1) / test.width
        let slices = (filterRows + test.rowsPerSlice - 1) / test.rowsPerSlice
        let rows =
            test.shape[0] * (test.layout == .full ? slices * test.rowsPerSlice : filterRows)
        let groups = (test.shape[0] + 31) / 32
        let kept = (0..<groups).reduce(0) { sum, group in
            let begin = group * 32 * length
            return sum + model.isKept[begin..<(begin + length)].count { $0 } / test.unit
        }
        #expect(found.coefficients == rows * test.nibbles * alphabet.coefficientsPerSymbol)
        #expect(found.nonzeroCoefficients == nonzeros)
        #expect(found.rows == rows)
        #expect(found.nonzeroRows == nonzeroRows)
        #expect(found.positions == groups * length / test.unit)
        #expect(found.keptPositions == kept)
        #expect(found.exponents == exponents.sorted())
        #expect(found.symbolCounts == counts)
        #expect(found.density == Double(nonzeros) / Double(found.coefficients))
        #expect(found.rowDensity == Double(nonzeroRows) / Double(rows))
        #expect(found.groupDensity == Double(kept) / Double(found.positions))
        let magnitudes = exponents.count
        let bits = magnitudes == 0 ? 0 : Int(ceil(log2(Double(magnitudes)))) + 1
        let basis = model.weight.basis.count
        #expect(
            found.authorsBits(basisElements: basis)
                == nonzeros * bits + found.coefficients + 32 * basis)
        for (magnitudes, bits) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 4), (9, 5)] {
            #expect(
                found.authorsBits(basisElements: 2, magnitudes: magnitudes)
                    == nonzeros * bits + found.coefficients + 64)
        }
    }
}
