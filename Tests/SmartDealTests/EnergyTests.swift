import Foundation
import Testing

@testable import SmartDeal

@Suite("What a network costs")
struct EnergyTests {
    private static func study(_ names: String...) throws -> EnergyStudy {
        EnergyStudy(try names.map { try AcceleratorChoice($0) })
    }

    private static func pruned() -> Recipe {
        var recipe = Recipe()
        recipe.defaults = [.init("mode", .text("fast")), .init("prune", .number(0.5))]
        return recipe
    }

    @Test("the parts of every total add up to it, in both phases")
    func totals() throws {
        for phase in Phase.allCases {
            var study = EnergyStudy(
                try AcceleratorConfig.presetNames.map { try AcceleratorChoice($0) })
            study.phase = phase
            study.batch = 2
            let report = try study.report(on: EnergyModel("lenet5"))
            #expect(report.entries.count == AcceleratorConfig.presetNames.count)
            for cost in report.entries.map(\.cost) {
                func matches(_ sum: Double) -> Bool { abs(sum / cost.energy - 1) < 1e-12 }
                #expect(cost.energy > 0 && cost.cycles > 0)
                #expect(matches(cost.layers.reduce(0) { $0 + $1.energy }))
                #expect(matches(EnergyPart.places(cost.layers).reduce(0) { $0 + $1.energy }))
                #expect(matches(EnergyPart.kinds(cost.layers).reduce(0) { $0 + $1.energy }))
                #expect((0...1).contains(cost.dramShare))
                #expect(cost.mostBinding.share > 0 && cost.mostBinding.share <= 1)
            }
        }
    }

    @Test("says of every number whether it is measured, assumed or from shapes")
    func provenance() throws {
        let study = try Self.study("smartdeal")
        let shapes = try study.report(on: EnergyModel("lenet5"))
        #expect(shapes.prepared.relativeError == nil)
        #expect(
            shapes.prepared.workload.layers.allSatisfy {
                $0.weights.rowDensity.provenance == .shapes
            })

        var assuming = study
        try assuming.densities.set("weight-rows", to: "0.25")
        let assumed = try assuming.report(on: EnergyModel("lenet5"))
        #expect(
            assumed.prepared.workload.layers.allSatisfy {
                $0.weights.rowDensity == Sourced(0.25, .assumed)
            })
        #expect(assumed.assumptions.contains { $0.contains("assumed") && $0.contains("0.25") })

        var compressing = study
        compressing.recipe = Self.pruned()
        let measured = try compressing.report(on: EnergyModel("lenet5", seed: 3))
        let error = try #require(measured.prepared.relativeError)
        #expect(error > 0.3 && error < 1)
        let layers = measured.prepared.workload.layers
        #expect(layers.contains { $0.weights.coefficients.provenance == .measured })
        #expect(layers.allSatisfy { $0.weights.elementDensity.provenance == .measured })
        #expect(measured.assumptions.contains { $0.contains("drawn at random, seed 3") })
        #expect(measured.entries[0].cost.energy < shapes.entries[0].cost.energy)
    }

    @Test("bits of a recipe choose what weights get, so that more bits give less error")
    func bits() throws {
        let model = try EnergyModel("lenet5@1x20x20/4")
        let errors = try [3.0, 5.0].map { bits in
            var recipe = Recipe()
            recipe.bits = bits
            return try #require(try model.workload(recipe: recipe).relativeError)
        }
        #expect(errors[1] < errors[0] * 0.8, "\(errors)")
    }

    @Test("activations are measured where images are given")
    func calibration() throws {
        var model = try EnergyModel("lenet5")
        model.images = try TrainingTestData.fashion(limit: 12)
        model.threads = 1
        let report = try Self.study("smartdeal", "diannao").report(on: model)
        for layer in report.prepared.workload.layers {
            #expect(layer.activations.rowDensity.provenance == .measured)
            #expect(layer.activations.digitShares?.count == 5)
        }
        #expect(report.assumptions.contains { $0.contains("12 images of fashion-mnist") })
    }

    @Test("a compressed model is not compressed again, and two accelerators need two names")
    func refusals() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let path = folder + "/EnergyTests-\(UUID().uuidString).onnx"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let packed = try Zoo.network("lenet5").compressed(recipe: Self.pruned())
        _ = try ONNXModel(network: packed).write(to: path)
        var study = try Self.study("smartdeal")
        let plain = try study.report(on: EnergyModel(path))
        #expect(
            plain.prepared.workload.layers.contains {
                $0.weights.coefficients.provenance == .measured
            })
        study.recipe = Recipe()
        #expect {
            try study.report(on: EnergyModel(path))
        } throws: { ($0 as? SmartDealError)?.code == .alreadyCompressed }
        #expect {
            try Self.study("scnn", "scnn").report(on: EnergyModel("lenet5"))
        } throws: { "\($0)".contains("two accelerators") && "\($0)".contains("scnn") }
    }

    @Test("other unit energies are used for all accelerators, and raise only what they are for")
    func units() throws {
        var study = try Self.study("smartdeal", "diannao")
        let model = try EnergyModel("lenet5")
        let before = try study.report(on: model)
        study.units = try EnergyTable.text(named: "28nm")
            .replacingOccurrences(of: "dram: {pj: 100,", with: "dram: {pj: 200,")
        let after = try study.report(on: model)
        for (a, b) in zip(before.entries, after.entries) {
            #expect(abs(b.cost.energy(at: .dram) / a.cost.energy(at: .dram) - 2) < 1e-9)
            #expect(a.cost.energy(at: .sram) == b.cost.energy(at: .sram))
            #expect(a.cost.computeEnergy == b.cost.computeEnergy)
        }
    }

    @Test("the page is well-formed, loads nothing, and names what is assumed and left out")
    func page() throws {
        for phase in Phase.allCases {
            var study = EnergyStudy(
                try AcceleratorConfig.presetNames.map { try AcceleratorChoice($0) })
            study.phase = phase
            study.axes = [try SweepAxis("dram_bytes_per_cycle=16,64")]
            let report = try study.report(on: EnergyModel("lenet5"))
            let page = report.html()
            try HTMLReportTests.expectWellFormed(page)
            HTMLReportTests.expectSelfContained(page)
            for line in report.notModelled + report.assumptions {
                #expect(page.contains(line.htmlEscaped), "\(line)")
            }
            for cost in report.entries.map(\.cost) {
                #expect(page.contains(HumanNumber.energy(cost.energy)))
                for calibration in cost.calibrations {
                    #expect(page.contains(calibration.reason.htmlEscaped))
                }
            }
        }
    }

    @Test("energies and times are in units that people read")
    func numbers() {
        #expect(HumanNumber.energy(1_234_000_000) == "1.23 mJ")
        #expect(HumanNumber.energy(0) == "0 pJ")
        #expect(HumanNumber.duration(2.5e-6) == "2.50 \u{B5}s")
    }
}
