import PowerOfTwo
import Testing

@Suite("Repacking")
struct RepackingTests {
    @Test("a weight taken apart and packed again is the same", arguments: WeightModel.cases)
    func roundTrip(test: WeightModel.Case) throws {
        let weight = try WeightModel(test).weight
        let rows = StoredRows(weight)
        let planes = weight.symbolPlanes(rows)
        let basis = (0..<weight.basis.count).map { weight.basis[$0] }
        let again = try weight.repacked(rows, planes: planes, basis: basis)
        #expect(again == weight)
    }

    @Test("planes hold the stored symbols in the order of rows", arguments: WeightModel.cases)
    func planes(test: WeightModel.Case) throws {
        let model = try WeightModel(test)
        let rows = StoredRows(model.weight)
        let planes = model.weight.symbolPlanes(rows)
        let n = test.nibbles
        var found: [[Int]] = []
        for (start, end) in zip(rows.starts, rows.starts.dropFirst()) {
            for row in 0..<(end - start) {
                found.append((0..<n).map { Int(planes[start * n + $0 * (end - start) + row]) })
            }
        }
        #expect(found == model.storedRows)
    }

    @Test("a basis that is no longer whole is rounded to within half of its unit")
    func integers() throws {
        var test = WeightModel.Case()
        test.filtersPerBasis = 2
        let weight = try WeightModel(test).weight
        let rows = StoredRows(weight)
        var random = TestRandom(5)
        let basis = (0..<weight.basis.count).map { weight.basis[$0] + Float(random.signed()) }
        let again = try weight.repacked(rows, planes: weight.symbolPlanes(rows), basis: basis)
        #expect(again.byteCount == weight.byteCount && again.symbols == weight.symbols)
        let size = weight.rank * weight.geometry.width
        for filter in 0..<weight.geometry.filterCount {
            for slice in 0..<weight.geometry.sliceCount {
                let index = weight.geometry.basisIndex(filter: filter, slice: slice)
                let own = (index * size)..<((index + 1) * size)
                let largest = own.map { abs(basis[$0]) }.max() ?? 0
                let scale = weight.scale(filter: filter, slice: slice)
                for i in own {
                    let found = again.scale(filter: filter, slice: slice) * again.basis[i]
                    // Half a unit, and the 11 bits of a scale.
                    let bound = largest / 127 * 0.5 + abs(basis[i]) * 0x1p-10
                    #expect(abs(found - scale * basis[i]) <= bound * abs(scale) * 1.001)
                }
            }
        }
    }

    @Test("a basis that is not finite is refused")
    func notFinite() throws {
        let weight = try WeightModel(WeightModel.Case()).weight
        let rows = StoredRows(weight)
        var basis = (0..<weight.basis.count).map { weight.basis[$0] }
        basis[1] = .nan
        let planes = weight.symbolPlanes(rows)
        let error = #expect(throws: PowerOfTwoError.self) {
            try weight.repacked(rows, planes: planes, basis: basis)
        }
        #expect(error?.code == .nonFinite)
    }
}
