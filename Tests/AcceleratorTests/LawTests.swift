import Accelerator
import Networks
import Testing

/// What has to hold whatever the numbers are.
@Suite("Laws of the cost model")
struct LawTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private func shape(_ random: inout Random) -> LayerShape {
        let groups = [1, 1, 1, 2, 8].randomElement(using: &random) ?? 1
        let r = [1, 1, 3, 3, 5, 7].randomElement(using: &random) ?? 1
        let u = [1, 1, 2].randomElement(using: &random) ?? 1
        let e = Int.random(in: 1...40, using: &random)
        return LayerShape(
            channels: groups * Int.random(in: 1...96, using: &random),
            filters: groups * Int.random(in: 1...96, using: &random), kernel: (r, r),
            stride: (u, u), padding: (r - 1, r - 1), input: (e * u, e * u), output: (e, e),
            groups: groups)
    }

    private func workload(_ seed: UInt64, _ densities: AssumedDensities) -> Workload {
        var random = Random(state: seed)
        let layers = (0..<6).map { Peers.layer("\($0)", shape(&random), densities) }
        return Workload(name: "random", layers: layers)
    }

    private func reports(
        _ workload: Workload, _ body: (inout AcceleratorConfig) -> Void = { _ in }
    ) throws -> [CostReport] {
        try AcceleratorConfig.presetNames.flatMap { name in
            var config = try AcceleratorConfig.preset(name)
            body(&config)
            return try [Phase.inference, .training].map {
                try config.cost(of: workload, phase: $0, batch: 3)
            }
        }
    }

    private func place(_ report: CostReport, _ seed: UInt64) -> String {
        "\(report.accelerator) \(report.phase.rawValue) seed \(seed)"
    }

    private static let typical = AssumedDensities(
        weightRows: 0.6, coefficients: 0.5, activationRows: 0.9, activations: 0.6)

    @Test("totals are the sums of rows, by level and by data")
    func totals() throws {
        for report in try reports(workload(1, Self.typical)) {
            func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(a, b) }
            let byLevel = MemoryLevel.allCases.reduce(report.computeEnergy + report.rebuildEnergy) {
                $0 + report.energy(at: $1)
            }
            let byData = DataKind.allCases.reduce(report.computeEnergy + report.rebuildEnergy) {
                $0 + report.energy(of: $1)
            }
            #expect(close(report.energy, byLevel) && close(report.energy, byData))
            #expect(close(report.cycles, report.layers.reduce(0) { $0 + $1.cycles }))
            for layer in report.layers {
                #expect(layer.cycles == layer.resourceCycles[layer.bound])
                #expect(layer.performedMACs <= layer.macs)
                #expect(layer.energy.isFinite && layer.energy >= 0)
            }
            #expect(Set(report.layers.map(\.pass)).count == (report.phase == .training ? 4 : 1))
        }
    }

    @Test("more bandwidth is never slower, a larger buffer never moves more in DRAM")
    func resources() throws {
        for seed in UInt64(1)...10 {
            let workload = workload(seed, Self.typical)
            let before = try reports(workload) { $0.inputBuffer.bytesPerCycle = 64 }
            let wide = try reports(workload) {
                $0.inputBuffer.bytesPerCycle = 128
                $0.dramBytesPerCycle *= 1.7
            }
            for (a, b) in zip(before, wide) { #expect(b.cycles <= a.cycles, "\(place(a, seed))") }
            var last = try reports(workload) { shrink(&$0, 2048) }
            for bytes in [4096.0, 10_000, 65_536, 1e6, 1e9] {
                let next = try reports(workload) { shrink(&$0, bytes) }
                for (a, b) in zip(last, next) {
                    #expect(b.bytes(at: .dram) <= a.bytes(at: .dram), "\(place(a, seed)) \(bytes)")
                }
                last = next
            }
        }
    }

    private func shrink(_ config: inout AcceleratorConfig, _ bytes: Double) {
        config.inputBuffer.bytes = bytes
        config.weightBuffer.bytes = bytes
    }

    @Test("a dearer unit raises only its own rows")
    func prices() throws {
        let text = try AcceleratorConfig.presetText("smartdeal")
        let workload = workload(2, Self.typical)
        let cheap = try AcceleratorConfig(yaml: text).cost(of: workload, phase: .training)
        let dear = try AcceleratorConfig(yaml: text, overriding: [("units.units.dram.pj", "200")])
            .cost(of: workload, phase: .training)
        #expect(dear.energy(at: .dram) == 2 * cheap.energy(at: .dram))
        for level in MemoryLevel.allCases where level != .dram {
            #expect(dear.energy(at: level) == cheap.energy(at: level))
        }
        #expect(dear.computeEnergy == cheap.computeEnergy)
        #expect(dear.rebuildEnergy == cheap.rebuildEnergy)
        #expect(dear.cycles == cheap.cycles)
    }

    @Test("more zeros never cost more energy nor cycles")
    func sparsity() throws {
        for seed in UInt64(1)...6 {
            var last: [CostReport]?
            for density in stride(from: 1.0, through: 0, by: -0.05) {
                let share = max(0, density)
                let found = try reports(
                    workload(
                        seed,
                        AssumedDensities(
                            weightRows: share, coefficients: share, activationRows: share,
                            activations: share, boothDigits: 4 * share)))
                for (a, b) in zip(last ?? [], found) {
                    #expect(b.energy <= a.energy * (1 + 1e-12), "\(place(a, seed)) \(share)")
                    #expect(b.cycles <= a.cycles * (1 + 1e-12), "\(place(a, seed)) \(share)")
                }
                last = found
            }
        }
    }

    @Test("twice the images cost at most twice, and at least as much as one")
    func batch() throws {
        for seed in UInt64(1)...4 {
            let workload = workload(seed, Self.typical)
            for name in AcceleratorConfig.presetNames {
                let config = try AcceleratorConfig.preset(name)
                let one = try config.cost(of: workload, batch: 4)
                let two = try config.cost(of: workload, batch: 8)
                #expect(two.energy <= 2 * one.energy * (1 + 1e-12), "\(name) seed \(seed)")
                #expect(two.energy >= one.energy, "\(name) seed \(seed)")
            }
        }
    }

    @Test("digits of a histogram lie between the mean of one and the largest of many")
    func histogram() throws {
        var layer = Peers.layer("conv", try Peers.workload("c10_l1").layers[0].shape)
        let config = try AcceleratorConfig.preset("smartdeal")
        func cycles(_ shares: [Double]) throws -> Double {
            layer.activations.digitShares = shares
            return try config.cost(of: Workload(name: "one", layers: [layer])).layers[0]
                .computeCycles
        }
        let one = try cycles([0.5, 0.5, 0, 0, 0])
        #expect(try cycles([1, 0, 0, 0, 0]) == one, "an activation of zero takes a cycle")
        #expect(try cycles([0, 0, 0, 0, 1]) == 4 * one)
        let mixed = try cycles([0.4, 0.2, 0.2, 0.1, 0.1]) / one
        #expect(mixed > 1.3 && mixed < 4)
    }

    @Test("ResNet-50 on eight accelerators takes under 0.2 s, a sweep of 10,000 under a minute")
    func speed() throws {
        let workload = try Workload(zoo: "resnet50", assuming: Self.typical)
        let configs = try AcceleratorConfig.presetNames.map(AcceleratorConfig.preset)
        let clock = ContinuousClock()
        let eight = try clock.measure {
            for config in configs { _ = try config.cost(of: workload) }
        }
        let text = try AcceleratorConfig.presetText("smartdeal")
        let points = 200
        let sweep = try clock.measure {
            for point in 1...points {
                let config = try AcceleratorConfig(
                    yaml: text, overriding: [("buffers.input.bytes", "\(1024 * point)")])
                _ = try config.cost(of: workload)
            }
        }
        print("ResNet-50 on eight accelerators: \(eight); 10,000 points: \(sweep * 50)")
        #if !DEBUG
            #expect(eight < .milliseconds(200))
            #expect(sweep * (10_000 / points) < .seconds(60))
        #endif
    }
}
