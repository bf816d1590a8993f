import PowerOfTwo
import Testing

@Suite("Panels")
struct PanelTests {
    /// The activations as the products see them, and the rounding of x itself.
    private static func levels(of x: [Float]) -> (levels: [Double], scale: Double) {
        let largest = x.map { abs($0) }.max() ?? 0
        let levels = x.map { Double(($0 * (127 / largest)).rounded(.toNearestOrEven)) }
        return (levels, Double(largest) / 127)
    }

    @Test("W x of panels is that of the rebuilt weights", arguments: WeightModel.cases)
    func product(test: WeightModel.Case) throws {
        let model = try WeightModel(test)
        guard let panels = PanelWeight(model.weight) else {
            let isAble = !test.hasFloatBasis && test.hasScales
            #expect(!isAble || test.hasRowMask && test.alphabet.symbolCount == 16)
            return
        }
        var random = TestRandom(test.seed + 100)
        let length = panels.geometry.filterLength
        let x = random.floats(length)
        let (levels, scale) = Self.levels(of: x)
        let found = panels.multiplied(by: x)
        try #require(found.count == test.shape[0])
        let steps = try steps(of: model)
        for filter in 0..<test.shape[0] {
            let range = (filter * length)..<((filter + 1) * length)
            let expected = zip(model.dense[range], levels).reduce(0) { $0 + $1.0 * $1.1 } * scale
            // Each table entry is off by at most half a unit, each weight by n of them.
            let reach = zip(steps[range], levels).reduce(0) { $0 + $1.0 * abs($1.1) } * scale
            let magnitude =
                zip(model.magnitudes[range], levels).reduce(0) { $0 + $1.0 * abs($1.1) } * scale
            let bound = reach * Double(test.nibbles) / 2 + 1e-3 * magnitude + 1e-30
            if abs(Double(found[filter]) - expected) > bound {
                Issue.record("filter \(filter): \(found[filter]), not \(expected) ± \(bound)")
                break
            }
        }
    }

    /// For every weight, what one unit of its tables stands for.
    private func steps(of model: WeightModel) throws -> [Double] {
        let geometry = model.weight.geometry
        var steps = [Double](repeating: 0, count: geometry.weightCount)
        for filter in 0..<geometry.filterCount {
            // No slice has larger units than the largest of the filter.
            let units = try (0..<geometry.sliceCount).map { slice in
                let index = geometry.basisIndex(filter: filter, slice: slice)
                let tables = try #require(model.weight.integerTables(basis: index))
                return Double(tables.shift == 0 ? 0 : tables.unit)
                    * abs(Double(model.weight.scale(filter: filter, slice: slice)))
            }
            for i in 0..<geometry.filterLength {
                steps[filter * geometry.filterLength + i] = units.max() ?? 0
            }
        }
        return steps
    }

    @Test("every instruction set and number of threads gives the same bits")
    func bits() throws {
        for test in WeightModel.cases {
            guard let panels = PanelWeight(try WeightModel(test).weight) else { continue }
            var random = TestRandom(test.seed)
            let x = random.floats(panels.geometry.filterLength)
            let count = panels.geometry.filterCount
            let results = InstructionSet.allCases.compactMap { ShiftKernels($0) }.flatMap {
                kernels in
                [1, 3].map { threads in
                    let y = Output<Float>(count)
                    panels.multiply(x, into: y.pointer, on: kernels, threads: threads)
                    #expect(y.guardsAreIntact)
                    return y.elements.map(\.bitPattern)
                }
            }
            #expect(results.allSatisfy { $0 == results[0] }, "\(test)")
        }
    }

    @Test("a row longer than sums in int32 allow is cut, and its extremes do not overflow")
    func longRow() throws {
        let length = 200_001
        let geometry = try WeightGeometry(
            shape: [3, length], unit: 1, width: 1, nibbles: 1, rowsPerSlice: length,
            filtersPerBasis: 32, layout: .kept)
        // Symbol 0 of the quarters is 1 and 1: (63 + 1) 4 quarters, rounded to fit int8.
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: .quarters,
            symbols: [UInt8](repeating: 0, count: 3 * geometry.symbolBytes(rows: length)),
            rowMask: nil, groupMask: nil, basis: .int8([63, 1]),
            scales: FilterScales(halves: [0x3C00, 0x3800, 0xBC00], exponent: 0))
        let panels = try #require(PanelWeight(weight))
        let y = panels.multiplied(by: [Float](repeating: 2, count: length))
        for (value, scale) in zip(y, [1.0, 0.5, -1]) {
            #expect(abs(Double(value) / (scale * 128 * Double(length)) - 1) < 1e-4)
        }
    }

    @Test("panels of whole groups take little more memory than the packed weight")
    func bytes() throws {
        var test = WeightModel.Case(
            shape: [64, 1026], unit: 1, width: 3, nibbles: 3, rowsPerSlice: 342,
            filtersPerBasis: 8, layout: .kept, alphabet: .quarters)
        for hasMask in [false, true] {
            test.hasGroupMask = hasMask
            let weight = try WeightModel(test).weight
            let panels = try #require(PanelWeight(weight))
            #expect(Double(panels.byteCount) < 1.1 * Double(weight.byteCount), "mask \(hasMask)")
        }
    }

    @Test("zeros and numbers that are none come out as such")
    func special() throws {
        let panels = try #require(
            PanelWeight(WeightModel(WeightModel.Case(shape: [40, 48], unit: 1)).weight))
        #expect(panels.multiplied(by: [Float](repeating: 0, count: 48)).allSatisfy { $0 == 0 })
        var x = [Float](repeating: 1, count: 48)
        x[7] = .nan
        #expect(panels.multiplied(by: x).allSatisfy { !$0.isFinite })
    }
}
