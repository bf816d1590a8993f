import Accelerator

/// What a network costs on some accelerators.
public struct EnergyReport: Sendable {
    /// One accelerator.
    public struct Entry: Sendable {
        public let config: AcceleratorConfig
        public let cost: CostReport
    }

    /// The model's file or name.
    public let model: String
    public let phase: Phase
    /// Images.
    public let batch: Int
    public let policy: SparsityPolicy
    public let prepared: EnergyWorkload
    /// In the order in which they were asked for.
    public let entries: [Entry]
    public let sweep: EnergySweep?

    /// What all numbers rest on, a line each.
    public var assumptions: [String] { prepared.sources + prepared.workload.assumptions }

    /// What an accelerator's numbers rest on beside ``assumptions``.
    func ownAssumptions(_ cost: CostReport) -> [String] {
        let shared = Set(prepared.workload.assumptions)
        return cost.assumptions.filter { !shared.contains($0) }
    }

    /// What is not counted on any of them, each line once.
    public var notModelled: [String] {
        var lines: [String] = []
        for entry in entries {
            for line in entry.cost.notModelled where !lines.contains(line) { lines.append(line) }
        }
        return lines
    }
}

extension CostReport {
    /// The resource that binds in most of the cycles, and the share of cycles in which it does.
    var mostBinding: (resource: Resource, share: Double) {
        var cycles: [Resource: Double] = [:]
        for layer in layers { cycles[layer.bound, default: 0] += layer.cycles }
        let total = max(self.cycles, .leastNonzeroMagnitude)
        let most = Resource.allCases.max { cycles[$0] ?? 0 < cycles[$1] ?? 0 } ?? .compute
        return (most, (cycles[most] ?? 0) / total)
    }

    /// Share of the energy that DRAM takes.
    var dramShare: Double { energy > 0 ? energy(at: .dram) / energy : 0 }
}
