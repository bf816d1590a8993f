import Accelerator

extension EnergyReport {
    /// The accelerators as a table, with what the numbers rest on.
    ///
    /// - Parameter layers: whether to show every layer too.
    public func text(layers: Bool = false) -> String {
        var parts = layers ? entries.map { layerTable($0.cost) } : []
        parts.append(table)
        if let sweep { parts.append(sweep.text) }
        let images = batch == 1 ? "1 image" : "\(batch) images"
        let run = phase == .training ? "a training step on" : "inference of"
        parts.append(
            "\(model): \(run) \(images), policy \(policy.rawValue)\n"
                + (assumptions + ownLines).map { "  \($0)" }.joined(separator: "\n"))
        return parts.joined(separator: "\n\n")
    }

    /// What the numbers of single accelerators rest on, with their names.
    private var ownLines: [String] {
        var names: [String: [String]] = [:]
        var order: [String] = []
        for entry in entries {
            for line in ownAssumptions(entry.cost) {
                if names[line] == nil { order.append(line) }
                names[line, default: []].append(entry.cost.accelerator)
            }
        }
        return order.map { "\((names[$0] ?? []).joined(separator: ", ")): \($0)" }
    }

    private var table: String {
        var table = TextTable(
            [
                "accelerator", "energy", "ratio", "DRAM", "buffers", "compute", "weights", "cycles",
                "time", "bound by",
            ], leftAligned: [0, 9])
        let first = entries.first?.cost.energy ?? 0
        for cost in entries.map(\.cost) {
            let bound = cost.mostBinding
            func share(_ energy: Double) -> String {
                HumanNumber.percent(cost.energy > 0 ? energy / cost.energy : 0)
            }
            table.add([
                cost.accelerator, HumanNumber.energy(cost.energy),
                HumanNumber.ratio(first > 0 ? cost.energy / first : 0),
                share(cost.energy(at: .dram)),
                share(
                    cost.energy(at: .sram) + cost.energy(at: .registers) + cost.energy(at: .links)),
                share(cost.computeEnergy + cost.rebuildEnergy),
                HumanNumber.bytes(cost.storage.weights), HumanNumber.count(cost.cycles),
                HumanNumber.duration(cost.seconds),
                "\(bound.resource.rawValue) (\(HumanNumber.percent(bound.share)) of cycles)",
            ])
        }
        return table.text
    }

    private func layerTable(_ cost: CostReport) -> String {
        var table = TextTable(
            [
                cost.accelerator, "operation", "energy", "DRAM", "buffers", "compute", "rebuild",
                "cycles", "bound by",
            ], leftAligned: [0, 1, 8])
        for layer in cost.layers {
            let name = LatencyBenchmark.Report.shortened(layer.name, to: 32)
            let inner =
                layer.energy(at: .sram) + layer.energy(at: .registers) + layer.energy(at: .links)
            table.add([
                layer.pass == .forward ? name : "\(name) (\(layer.pass.rawValue))",
                layer.operation.rawValue, HumanNumber.energy(layer.energy),
                HumanNumber.energy(layer.energy(at: .dram)), HumanNumber.energy(inner),
                HumanNumber.energy(layer.computeEnergy), HumanNumber.energy(layer.rebuildEnergy),
                HumanNumber.count(layer.cycles), layer.bound.rawValue,
            ])
        }
        return table.text
    }
}

extension EnergySweep {
    /// The points that are shown when there are more.
    private static let shownPoints = 60

    /// All points, or the Pareto front alone where they are many.
    var text: String {
        let all = points.count <= Self.shownPoints
        let shown = all ? points : points.filter(\.pareto)
        let hasError = points.contains { $0.relative_error != nil }
        var table = TextTable(
            ["accelerator"] + keys + ["energy", "cycles", "time", "weights"]
                + (hasError ? ["error"] : []) + ["pareto"])
        for point in shown {
            table.add(
                [point.accelerator] + keys.map { point.settings[$0] ?? "" }
                    + [
                        HumanNumber.energy(point.total_pJ), HumanNumber.count(point.cycles),
                        HumanNumber.duration(point.seconds), HumanNumber.bytes(point.weight_bytes),
                    ] + (hasError ? [HumanNumber.percent(point.relative_error)] : [])
                    + [point.pareto ? "*" : ""])
        }
        return table.text
            + (all ? "" : "\n(\(shown.count) points of the Pareto front, of \(points.count))")
    }
}
