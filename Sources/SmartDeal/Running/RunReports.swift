extension Evaluation.Report {
    /// One line for people.
    public func text() -> String {
        let share = HumanNumber.fixed(accuracy * 100, decimals: 2)
        let rate = HumanNumber.fixed(images_per_second, decimals: 0)
        return "\(model): \(share) % of \(images) images of \(dataset) (\(split)), "
            + "loss \(HumanNumber.fixed(loss, decimals: 4)), \(rate) images/s"
    }
}

extension LatencyBenchmark.Report {
    /// A table of the steps, one of the kinds of operation, and a line of totals.
    public func text() -> String {
        let counted = "\(threads) \(threads == 1 ? "thread" : "threads")"
        let lines = [
            stepTable, "", operationTable, "",
            "\(model): median \(Self.time(median_ms)) ms, least \(Self.time(min_ms)) ms of "
                + "\(repeats) \(repeats == 1 ? "run" : "runs"), batch \(batch), \(counted), "
                + "\(HumanNumber.fixed(dense_equivalent_gops, decimals: 1)) GOP/s",
            "loaded in \(HumanNumber.fixed(load_ms, decimals: 1)) ms, planned in "
                + "\(HumanNumber.fixed(plan_ms, decimals: 1)) ms; parameters in the model "
                + HumanNumber.bytes(parameter_bytes),
            "in memory while it runs: weights \(HumanNumber.bytes(weight_bytes))"
                + "\(rebuild == Rebuilding.streaming.rawValue ? " (packed)" : ""), activations "
                + "\(HumanNumber.bytes(activation_bytes)), scratch "
                + HumanNumber.bytes(scratch_bytes)
                + (resident_bytes.map { "; the whole process \(HumanNumber.bytes($0))" } ?? ""),
        ]
        return lines.joined(separator: "\n")
    }

    /// Each step, in the order in which they run. Names are shortened to what leaves a row within
    /// 100 columns.
    private var stepTable: String {
        let header = ["operation", "kernel", "density", "ms", "share"]
        let cells = steps.map { step in
            [
                step.operation, step.kernel, HumanNumber.percent(step.density),
                HumanNumber.fixed(step.ms, decimals: 3), share(step.ms),
            ]
        }
        let width = header.indices.reduce(0) { sum, column in
            sum + 2 + ([header] + cells).reduce(0) { max($0, $1[column].count) }
        }
        var table = TextTable(["step"] + header, leftAligned: [0, 1, 2])
        for (step, cells) in zip(steps, cells) {
            table.add([Self.shortened(step.name, to: max(24, 100 - width))] + cells)
        }
        return table.text
    }

    /// The steps of each operation together, the slowest first.
    private var operationTable: String {
        var table = TextTable(["operation", "steps", "ms", "share"])
        let sums = Dictionary(grouping: steps, by: \.operation)
            .map { (name: $0, count: $1.count, ms: $1.reduce(0) { $0 + $1.ms }) }
            .sorted { ($1.ms, $0.name) < ($0.ms, $1.name) }
        for sum in sums {
            table.add([
                sum.name, String(sum.count), HumanNumber.fixed(sum.ms, decimals: 3), share(sum.ms),
            ])
        }
        return table.text
    }

    private func share(_ milliseconds: Double) -> String {
        let total = steps.reduce(0) { $0 + $1.ms }
        return HumanNumber.percent(total > 0 ? milliseconds / total : 0)
    }

    /// Three digits at least.
    private static func time(_ milliseconds: Double) -> String {
        HumanNumber.fixed(milliseconds, decimals: milliseconds < 1 ? 3 : milliseconds < 100 ? 2 : 1)
    }

    /// A name without its middle where it is longer than `limit`: both ends of what exporters call
    /// nodes tell where in the network they are.
    static func shortened(_ name: String, to limit: Int) -> String {
        guard name.count > limit else { return name }
        return name.prefix((limit - 1) / 2) + "\u{2026}" + name.suffix(limit / 2)
    }
}
