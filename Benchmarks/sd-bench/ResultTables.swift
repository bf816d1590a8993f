import BenchmarkSupport
import Foundation
import SmartDeal

/// What people read: the machine on top, then a table for each group.
enum ResultTables {
    struct Row {
        let result: TimedResult
        /// Share of the machine's limit.
        let share: Double?
        let workload: Workload?
        let sweep: Contest.SweepPlace?
    }

    static func printHead(_ report: BenchmarkReport, threads: Int) {
        show(["Machine: \(report.machine.description)"])
        show(["Toolchain: \(report.toolchain); BLAS: \(report.blas)"])
        show([
            "Threads: \(threads). Times are the least of all samples; ratio = time / reference's."
        ])
    }

    static func printLimits(_ limits: [MachineLimit]) { show([""] + table(limits).lines) }

    static func table(_ limits: [MachineLimit]) -> ResultTable {
        var table = ResultTable([BenchmarkGroup.limits.rawValue, "at most"])
        for limit in limits { table.add([limit.name, "\(number(limit.value)) \(limit.unit)"]) }
        return table
    }

    static func print(_ group: BenchmarkGroup, _ rows: [Row]) {
        show([""] + table(group, rows).lines)
        let sweep = crossovers(rows)
        if !sweep.rows.isEmpty { show([""] + sweep.lines) }
    }

    static func table(_ group: BenchmarkGroup, _ rows: [Row]) -> ResultTable {
        var table = ResultTable(
            [
                group.rawValue, "time", "throughput", "of limit", "reference", "its throughput",
                "ratio", "samples",
            ],
            leftAligned: [0, 4])
        var name = ""
        for row in rows {
            let result = row.result
            let isFirst = result.name != name
            name = result.name
            table.add([
                isFirst ? name : "", isFirst ? time(result.minimum) : "",
                isFirst ? "\(number(result.value)) \(result.unit)" : "",
                isFirst ? row.share.map { String(format: "%.0f %%", $0 * 100) } ?? "-" : "",
                result.reference, "\(number(result.referenceValue)) \(result.unit)",
                number(result.ratio), String(result.samples),
            ])
        }
        return table
    }

    /// How much of swept layers may be kept, and what is won by dropping more.
    static func crossovers(_ rows: [Row]) -> ResultTable {
        let shares = [1, 0.5, 0.2, 0.05]
        var table = ResultTable(
            ["against \(SweptLayer.reference)", "faster when less is kept than"]
                + shares.map { String(format: "%.0f %% kept", $0 * 100) })
        for layer in SweptLayer.all(in: rows) {
            let crossover =
                switch Crossover.share(layer.points.map { ($0.kept, $0.ratio) }) {
                case nil: "never"
                case 1?: "always"
                case let share?: String(format: "%.0f %%", share * 100)
                }
            table.add(
                [layer.name, crossover]
                    + shares.map { share in
                        let point = layer.points.first { abs($0.kept - share) < 1e-6 }
                        return point.map { HumanNumber.ratio(1 / $0.ratio) } ?? "-"
                    })
        }
        return table
    }

    static func printParallelGain(_ gain: Double, threads: Int) {
        var line = "Right after, \(threads) threads did \(number(gain)) times the arithmetic of one"
        line += gain < 0.8 * Double(threads) ? ": other programs were running." : "."
        show([line])
    }

    static func printCounts(_ counts: [ExactCount]) { show([""] + table(counts).lines) }

    static func table(_ counts: [ExactCount]) -> ResultTable {
        var table = ResultTable([BenchmarkGroup.counts.rawValue, "value"])
        for count in counts { table.add([count.name, String(count.value)]) }
        return table
    }

    static func print(_ comparison: Comparison, baseline: String) {
        var lines = [""]
        if !comparison.knowsMachine {
            lines.append(
                "'\(baseline)' does not know this processor with these kernels: "
                    + "ratios are not compared, counts are.")
        }
        if !comparison.unknownResults.isEmpty {
            lines.append("Not in the baseline yet: \(comparison.unknownResults.count) results.")
        }
        if !comparison.missingResults.isEmpty {
            lines.append("In the baseline only: \(comparison.missingResults.count) results.")
        }
        if !comparison.slowdowns.isEmpty {
            var table = TextTable(
                ["slower than recorded", "reference", "ratio", "recorded", "at most", "samples"],
                leftAligned: [0, 1])
            for slowdown in comparison.slowdowns {
                let result = slowdown.result
                table.add([
                    result.name, result.reference, number(result.ratio),
                    number(slowdown.baseline.ratio), number(slowdown.limit), String(result.samples),
                ])
            }
            lines += table.lines
        }
        if !comparison.countChanges.isEmpty {
            var table = TextTable(
                ["counts that changed", "recorded", "now"],
                leftAligned: [0])
            for change in comparison.countChanges {
                table.add([
                    change.name, String(change.expected), change.found.map(String.init) ?? "-",
                ])
            }
            lines += table.lines
        }
        if !comparison.isRegression { lines.append("Nothing got worse against '\(baseline)'.") }
        show(lines)
    }

    static func show(_ lines: [String]) {
        let text = lines.map { $0 + "\n" }.joined()
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    private static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1e3: "\(number(nanoseconds)) ns"
        case ..<1e6: "\(number(nanoseconds / 1e3)) us"
        case ..<1e9: "\(number(nanoseconds / 1e6)) ms"
        default: "\(number(nanoseconds / 1e9)) s"
        }
    }

    /// Three significant digits, no exponent.
    private static func number(_ value: Double) -> String {
        let size = abs(value)
        let decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4
        return String(format: "%.\(decimals)f", value)
    }
}
