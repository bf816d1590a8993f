import Decomposition
import Foundation
import Testing

@Suite("The authors' code on real weights")
struct OracleTests {
    /// The one row where ours does not do at least as well in both: their single-precision solver
    /// revives columns that theta emptied, out of rounding noise, and spends non-zeros on them.
    private static func isRevived(_ row: OracleRow) -> Bool {
        row.layer == "conv3x3_in64" && row.theta == 0.02 && row.rowSparsity && !row.columnScaling
            && row.structuralPopulation == nil
    }

    private static let ended = Oracle.rows.filter { $0.authorsCode == nil }
    private static let endless = Oracle.rows.filter { $0.authorsCode != nil }

    @Test("the fixture has all rows")
    func fixture() throws {
        #expect(Oracle.rows.count == 72)
        #expect(Self.ended.count == 64 && Self.endless.count == 8)
        #expect(Self.ended.filter(Self.isRevived).count == 1)
        for row in Oracle.rows { #expect(try Oracle.tensor(row.layer).shape == row.shape) }
    }

    @Test(
        "reference mode agrees with the authors' code, with a float and with an 8-bit basis",
        arguments: ended.filter { !isRevived($0) }, [32, 8])
    func agrees(row: OracleRow, basisBits: Int) throws {
        let (shape, weights) = try Oracle.tensor(row.layer)
        let (result, _) = try compress(weights, shape, row.options(basisBits: basisBits))
        let geometry = result.weight.geometry
        #expect(geometry.filterCount * geometry.sliceCount == row.slices)
        #expect(result.statistics.coefficients == row.coefficients)
        #expect(result.statistics.rows == row.rows)
        let error = try #require(row.relativeError)
        #expect(result.relativeError <= 1.01 * error)
        let nonzeros = try #require(row.nonzeroCoefficients)
        #expect(Double(result.statistics.nonzeroCoefficients) <= 1.01 * Double(nonzeros))
        let bits = try #require(row.authorsBits)
        #expect(Double(result.authorsBits) <= 1.01 * Double(bits))
    }

    @Test("where their solver revives columns by rounding noise, ours has 37 % fewer non-zeros")
    func revived() throws {
        let row = try #require(Self.ended.first(where: Self.isRevived))
        let (shape, weights) = try Oracle.tensor(row.layer)
        let (result, _) = try compress(weights, shape, row.options())
        let geometry = result.weight.geometry
        #expect(geometry.filterCount * geometry.sliceCount == row.slices)
        #expect(result.statistics.coefficients == row.coefficients)
        #expect(result.statistics.rows == row.rows)
        let error = try #require(row.relativeError)
        let nonzeros = try #require(row.nonzeroCoefficients)
        #expect(result.relativeError <= 1.03 * error)
        #expect(Double(result.statistics.nonzeroCoefficients) <= 0.64 * Double(nonzeros))
    }

    @Test("what never ends there ends here, with a small error", arguments: endless)
    func ends(row: OracleRow) throws {
        let (shape, weights) = try Oracle.tensor(row.layer)
        let (result, _) = try compress(weights, shape, row.options())
        #expect(result.relativeError < 0.3)
    }

    @Test("an 8-bit basis costs little", arguments: ended.filter { $0.theta < 0.01 })
    func integerBasis(row: OracleRow) throws {
        let (shape, weights) = try Oracle.tensor(row.layer)
        let float = try compress(weights, shape, row.options()).result
        let integer = try compress(weights, shape, row.options(basisBits: 8)).result
        // The most on slices of three rows, where rounding a basis has fewest rows to hide behind.
        #expect(integer.relativeError <= 1.02 * float.relativeError)
        #expect(integer.weight.byteCount < float.weight.byteCount)
    }

    @Test(
        "best mode has 30 % less error than reference mode in no more bytes",
        arguments: Oracle.layers)
    func best(layer: String) throws {
        let (shape, weights) = try Oracle.tensor(layer)
        let reference = try compress(weights, shape, options(.reference)).result
        let best = try compress(weights, shape, options(.best)).result
        #expect(best.relativeError <= 0.7 * reference.relativeError)
        #expect(best.weight.byteCount <= reference.weight.byteCount)
    }
}
