import Accelerator
import Testing

/// Ratios that the papers publish, from inputs that are assumed: their trained masks are not known.
@Suite("Headline ratios")
struct HeadlineTests {
    private struct Ratios {
        var energy: [String: Double] = [:]
        var speedup = 0.0
        var computeSpeedup = 0.0
        var rebuildShare = 0.0
    }

    /// - Parameter activations: share that is not zero, assumed as all others.
    private func ratios(
        _ network: String, rows: Double, coefficients: Double, activations: Double = 0.8,
        policy: SparsityPolicy = .sameMasks
    ) throws -> Ratios {
        var workload = try Workload(
            zoo: network,
            assuming: AssumedDensities(
                weightRows: rows, coefficients: coefficients, activationRows: 0.8,
                activations: activations))
        // The papers leave linear layers out.
        workload.layers.removeAll { $0.operation == .linear }
        func cost(_ name: String) throws -> CostReport {
            try AcceleratorConfig.preset(name).cost(of: workload, policy: policy)
        }
        let ours = try cost("smartdeal")
        var result = Ratios()
        for name in ["diannao", "bit-pragmatic", "cambricon-x", "scnn"] {
            result.energy[name] = try cost(name).energy / ours.energy
        }
        let dense = try cost("diannao")
        result.speedup = dense.cycles / ours.cycles
        result.computeSpeedup =
            dense.layers.reduce(0) { $0 + $1.computeCycles }
            / ours.layers.reduce(0) { $0 + $1.computeCycles }
        result.rebuildShare = ours.rebuildEnergy / ours.energy
        let table = result.energy.sorted { $0.key < $1.key }
            .map { "\($0.key) \(($0.value * 100).rounded() / 100)" }.joined(separator: ", ")
        print(
            "\(network) \(policy.rawValue) rows \(rows) activations \(activations): energy \(table); speed-up "
                + "\(result.speedup), computing only \(result.computeSpeedup); "
                + "rebuild \(result.rebuildShare)")
        return result
    }

    @Test("VGG19 with 13 to 15 % of its rows has the largest published energy gain within 20 %")
    func energyGain() throws {
        for rows in [0.13, 0.15] {
            let found = try ratios("vgg19@3x32x32/10", rows: rows, coefficients: rows / 2)
            let gain = found.energy["diannao"] ?? 0
            #expect(abs(gain / 6.7 - 1) < 0.2, "\(rows): \(gain)")
        }
    }

    @Test("the largest published speed-up is that of computing alone at 13 %, within 30 %")
    func speedup() throws {
        let found = try ratios("vgg19@3x32x32/10", rows: 0.13, coefficients: 0.065)
        #expect(abs(found.computeSpeedup / 19.2 - 1) < 0.3, "\(found.computeSpeedup)")
        #expect(found.speedup < found.computeSpeedup, "DRAM binds some layers")
    }

    private static let networks = [
        ("vgg19@3x32x32/10", 0.15, 0.07), ("vgg11", 0.3, 0.14), ("resnet50", 0.55, 0.45),
        ("mobilenetv2", 0.85, 0.8), ("resnet164", 0.55, 0.45),
    ]

    @Test("with the same masks no design needs less than 95 % of SmartDeal's energy")
    func order() throws {
        for (network, rows, coefficients) in Self.networks {
            let found = try ratios(network, rows: rows, coefficients: coefficients)
            for (name, ratio) in found.energy {
                #expect(ratio > 0.95, "\(network) \(name): \(ratio)")
            }
            #expect(found.rebuildShare < 0.02, "\(network): \(found.rebuildShare)")
        }
    }

    @Test("where half of the activations are zero, or pruning is its own, SCNN can need less")
    func orderTurns() throws {
        for (network, rows, coefficients) in Self.networks {
            let found = try ratios(
                network, rows: rows, coefficients: coefficients, activations: 0.5)
            for (name, ratio) in found.energy where name != "scnn" {
                #expect(ratio > 1, "\(network) \(name): \(ratio)")
            }
            if network.hasPrefix("mobile") { #expect(found.energy["scnn"] ?? 9 < 1) }
        }
        let pruned = try ratios(
            "vgg19@3x32x32/10", rows: 0.15, coefficients: 0.07, activations: 0.5,
            policy: .ownPruning)
        #expect(pruned.energy["scnn"] ?? 9 < 1)
    }

    @Test("a training step at batch 4 saves the published energy within 30 %, batch 128 far less")
    func training() throws {
        let workload = try StorageTests.resNet18(StorageTests.smallerSmaller)
        func gain(_ batch: Int, _ baseline: String) throws -> Double {
            let ours = try AcceleratorConfig.preset("smartdeal")
                .cost(of: workload, phase: .training, batch: batch)
            let theirs = try AcceleratorConfig.preset(baseline)
                .cost(of: workload, phase: .training, batch: batch)
            return theirs.energy / ours.energy
        }
        for batch in [1, 4, 8, 16, 128] {
            print(
                "training at batch \(batch): \(try gain(batch, "diannao")) over diannao, "
                    + "\(try gain(batch, "bit-pragmatic")) over bit-pragmatic")
        }
        let four = try gain(4, "diannao")
        #expect(abs(four / 4.48 - 1) < 0.3, "\(four)")
        #expect(try gain(128, "diannao") < four)
    }
}
