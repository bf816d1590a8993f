import Foundation
import SmartDeal
import Testing

@Suite("A budget of bits")
struct BitBudgetTests {
    /// Some weights of the network, of every kind that it has; sampling all takes long.
    private func compressor(bits: Double) -> CheckpointCompressor {
        var compressor = CheckpointCompressor(Recipe([], bits: bits))
        compressor.include = [
            Glob("{conv1,linear}.weight"), Glob("layers.1.conv1.weight"),
            Glob("layers.3.{conv1,shortcut.0}.weight"),
        ]
        return compressor
    }

    @Test("weights and their share of the header fit the budget, and more bits give less error")
    func budgets() throws {
        let folder = try TestFolder()
        var last = Double.infinity
        for bits in [4.4, 4.8, 5.6, 7, 10] {
            let report = try compressor(bits: bits).compress(Fixture.resNet20, to: folder("out"))
            #expect(report.tensors.count { $0.compressed } == 5)
            let used = try bitsPerWeight(ofCompressedWeightsIn: folder("out"))
            #expect(used <= bits)
            #expect(try #require(report.bits_per_weight) <= bits)
            let error = try #require(report.relative_error)
            #expect(error <= last * 1.02, "\(bits) bits: \(error) after \(last)")
            if bits < 8 { #expect(used > 0.9 * bits, "\(bits) bits were asked for, \(used) used") }
            last = error
        }
        #expect(last < 0.025)
    }

    @Test("large weights fit budgets down to 2.2 bits", arguments: [2.2, 3, 4.3, 5])
    func largeWeights(bits: Double) throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 3)
        var model = TestModel()
        model.addWeights("a.weight", .bf16, [256, 192], &random)
        model.addWeights("b.weight", [64, 32, 3, 3], &random)
        try model.write(to: folder("in"))
        let report = try CheckpointCompressor(Recipe([], bits: bits))
            .compress(folder("in"), to: folder("out"))
        #expect(try bitsPerWeight(ofCompressedWeightsIn: folder("out")) <= bits)
        // No code of b bits is below 2^-b on normally distributed weights; this is near it.
        let error = try #require(report.relative_error)
        let limit = pow(2, -bits)
        #expect(error > limit && error < 2.5 * limit, "\(error), the limit is \(limit)")
    }

    @Test("a budget below what is possible is refused with the least that is possible")
    func tooFewBits() throws {
        let folder = try TestFolder()
        let text = refusal { try compressor(bits: 1).compress(Fixture.resNet20, to: folder("out")) }
        #expect(try folder.names().isEmpty)
        let words = try #require(text).split(separator: " ")
        let position = try #require(words.firstIndex(of: "least"))
        let least = try #require(Double(words[position + 1].dropLast()))
        #expect(least > 1 && least < 5)
        let report = try compressor(bits: least).compress(Fixture.resNet20, to: folder("out"))
        #expect(try #require(report.bits_per_weight) <= least)
    }

    @Test("a budget that no weight is left to be chosen for is refused, not ignored")
    func nothingToChoose() throws {
        for setting in [("mode", .text("reference")), ("nibbles", .number(2))]
            as [(String, RecipeValue)]
        {
            expectError("invalid-option", saying: "bits") {
                try CheckpointCompressor(Recipe([setting], bits: 3)).predict(Fixture.resNet20)
            }
        }
    }

    private func refusal<R>(_ body: () throws -> R) -> String? {
        do {
            _ = try body()
        } catch let error as DecompositionError where error.code == .invalidOption {
            return error.message
        } catch {
            Issue.record(error)
        }
        return nil
    }
}
