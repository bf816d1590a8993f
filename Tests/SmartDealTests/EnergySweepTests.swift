import Foundation
import Testing

@testable import SmartDeal

@Suite("Sweeps of energy")
struct EnergySweepTests {
    private static func sweep(
        _ accelerators: [String] = ["smartdeal"], _ axes: String...
    ) throws -> EnergySweep {
        var study = EnergyStudy(try accelerators.map { try AcceleratorChoice($0) })
        study.axes = try axes.map { try SweepAxis($0) }
        return try #require(study.report(on: EnergyModel("lenet5")).sweep)
    }

    @Test("has every value with every other, on every accelerator, as single runs have them")
    func combinations() throws {
        let sweep = try Self.sweep(
            ["smartdeal", "bit-pragmatic"], "array.m=16,64", "dram_bytes_per_cycle=8,16,64")
        #expect(sweep.points.count == 12)
        #expect(sweep.keys == ["array.m", "dram_bytes_per_cycle"] && sweep.against == .cycles)
        #expect(Set(sweep.points.map(\.settings)).count == 6)
        let workload = try Workload(zoo: "lenet5")
        for point in sweep.points {
            let config = try AcceleratorChoice(point.accelerator).config(
                overriding: point.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            let cost = try config.cost(of: workload)
            #expect(cost.energy == point.total_pJ && cost.cycles == point.cycles)
        }
        // More bandwidth is never slower.
        for point in sweep.points {
            for other in sweep.points
            where other.accelerator == point.accelerator
                && other.settings["array.m"] == point.settings["array.m"]
            {
                let own = Double(point.settings["dram_bytes_per_cycle"] ?? "") ?? 0
                let more = Double(other.settings["dram_bytes_per_cycle"] ?? "") ?? 0
                #expect(more < own || other.cycles <= point.cycles)
            }
        }
    }

    @Test("the front is what no point beats")
    func front() throws {
        let sweep = try Self.sweep(
            ["smartdeal"], "array.m=8,16,32,64,128", "array.c=4,8,16,32",
            "buffers.input.bytes=4096,65536,524288")
        for point in sweep.points {
            let isBeaten = sweep.points.contains { other in
                other.total_pJ <= point.total_pJ && other.cycles <= point.cycles
                    && (other.total_pJ < point.total_pJ || other.cycles < point.cycles)
            }
            #expect(point.pareto == !isBeaten, "\(point)")
        }
        #expect(sweep.points.contains { $0.pareto })
    }

    @Test("of the recipe weighs energy against the error of the weights")
    func recipe() throws {
        let sweep = try Self.sweep(["smartdeal"], "recipe.prune=0.2,0.5,0.8")
        #expect(sweep.against == .error && sweep.points.count == 3)
        let errors = sweep.points.compactMap(\.relative_error)
        #expect(errors.count == 3 && errors == errors.sorted() && errors[0] < errors[2])
        let energies = sweep.points.map(\.total_pJ)
        #expect(energies == energies.sorted(by: >))
        #expect(sweep.points.allSatisfy { $0.pareto })
    }

    @Test("of what is assumed: more zeros never cost more")
    func assumptions() throws {
        let sweep = try Self.sweep(["smartdeal", "scnn"], "assume.weight-rows=1,0.5,0.1")
        for name in ["smartdeal", "scnn"] {
            let energies = sweep.points.filter { $0.accelerator == name }.map(\.total_pJ)
            #expect(energies.count == 3 && energies == energies.sorted(by: >))
        }
    }

    @Test(
        "keys and values that are not right are named",
        arguments: [
            ("array.q=1,2", "array.q"), ("buffers.weight.byte=4", "bytes"),
            ("array.m=8,x", "array.m"), ("recipe.prunes=0.5", "prune"),
            ("recipe.prune=2", "prune"), ("assume.activatons=0.5", "activations"),
            ("assume.activations=1.5", "1.5"),
        ])
    func refusals(axis: String, words: String) {
        #expect { try Self.sweep(["smartdeal"], axis) } throws: { "\($0)".contains(words) }
    }

    @Test("is key=a,b,c", arguments: ["array.m", "array.m=", "=1", "a=1,,2"])
    func syntax(text: String) {
        #expect(throws: AcceleratorError.self) { _ = try SweepAxis(text) }
    }

    @Test("has a limit")
    func limit() {
        let values = (1...400).map { "\($0)" }.joined(separator: ",")
        #expect {
            try Self.sweep(["smartdeal"], "array.m=" + values, "array.c=" + values)
        } throws: { "\($0)".contains("160000 points") }
    }
}
