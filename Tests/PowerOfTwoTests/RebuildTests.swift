import Foundation
import PowerOfTwo
import Testing

@Suite("Rebuild")
struct RebuildTests {
    @Test("rebuilt weights are Ce B", arguments: WeightModel.cases)
    func product(test: WeightModel.Case) throws {
        let model = try WeightModel(test)
        let rebuilt = model.weight.rebuilt()
        try #require(rebuilt.count == model.dense.count)
        for (index, value) in rebuilt.enumerated()
        where !(abs(Double(value) - model.dense[index]) <= 1e-6 * model.magnitudes[index]) {
            Issue.record("weight \(index) is \(value), Ce B is \(model.dense[index])")
            break
        }
    }

    @Test("positions that the group mask drops are exactly zero", arguments: WeightModel.cases)
    func masked(test: WeightModel.Case) throws {
        let model = try WeightModel(test)
        let rebuilt = model.weight.rebuilt()
        #expect(zip(rebuilt, model.isKept).allSatisfy { $1 || $0 == 0 })
    }

    @Test("a range of filters rebuilds to its slice of the whole", arguments: WeightModel.cases)
    func ranges(test: WeightModel.Case) throws {
        let weight = try WeightModel(test).weight
        let whole = weight.rebuilt()
        let count = weight.geometry.filterCount
        let length = weight.geometry.filterLength
        for range in [0..<0, 0..<1, count - 1..<count, count / 3..<count, 0..<count - 1] {
            let slice = whole[(range.lowerBound * length)..<(range.upperBound * length)]
            #expect(weight.rebuilt(filters: range) == Array(slice), "filters \(range)")
        }
    }

    @Test("every instruction set rebuilds the same bits", arguments: InstructionSet.allCases)
    func instructionSets(isa: InstructionSet) throws {
        guard let kernels = ShiftKernels(isa) else {
            try Test.cancel("\(isa.rawValue) cannot run here")
        }
        for test in WeightModel.cases {
            let weight = try WeightModel(test).weight
            let all = 0..<weight.geometry.filterCount
            #expect(
                weight.rebuilt(filters: all, on: kernels).map(\.bitPattern)
                    == weight.rebuilt(filters: all, on: .scalar).map(\.bitPattern), "\(test)")
        }
    }

    @Test("stored symbols come back slice by slice", arguments: WeightModel.cases)
    func slices(test: WeightModel.Case) throws {
        let model = try WeightModel(test)
        let n = test.nibbles
        var found: [[Int]] = []
        var visits: [[Int]] = []
        model.weight.forEachSlice { filter, slice, symbols, rows in
            visits.append([filter, slice])
            for row in 0..<rows { found.append((0..<n).map { Int(symbols[row * n + $0]) }) }
        }
        #expect(found == model.storedRows)
        #expect(visits == visits.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) })
    }

    @Test("the sizes of the parts are counted in bytes and bits", arguments: WeightModel.cases)
    func bytes(test: WeightModel.Case) throws {
        let weight = try WeightModel(test).weight
        var bytes = weight.symbols.count + (weight.rowMask?.count ?? 0)
        bytes += weight.groupMask?.count ?? 0
        bytes += weight.basis.count * (test.hasFloatBasis ? 4 : 1)
        bytes += test.hasScales ? 2 * (weight.scales?.halves.count ?? 0) : 0
        #expect(weight.byteCount == bytes)
        let weights = test.shape.reduce(1, *)
        #expect(weight.bitsPerWeight == Double(bytes * 8) / Double(weights))
        #expect(weight.rank == test.nibbles * test.alphabet.coefficientsPerSymbol)
    }
}
