import BenchmarkSupport

/// What a run found, as a page and as a drawing.
struct KernelPage {
    private let outcome: BenchmarkRun.Outcome

    init(_ outcome: BenchmarkRun.Outcome) { self.outcome = outcome }

    var html: String {
        let report = outcome.report
        var tables: [(title: String, table: ResultTable)] = []
        for (group, rows) in outcome.groups {
            let crossovers = ResultTables.crossovers(rows)
            if !crossovers.rows.isEmpty { tables.insert(("crossovers", crossovers), at: 0) }
            tables.append((group.rawValue, ResultTables.table(group, rows)))
        }
        if !report.limits.isEmpty {
            tables.append((BenchmarkGroup.limits.rawValue, ResultTables.table(report.limits)))
        }
        if !report.counts.isEmpty {
            tables.append((BenchmarkGroup.counts.rawValue, ResultTables.table(report.counts)))
        }
        return BenchmarkPage(report, roofline: roofline, sweep: sweep, tables: tables).html
    }

    /// The roofline of one thread; nil when no kernel was timed that has a place in it.
    var roofline: RooflineChart? {
        guard let roof = outcome.ceiling?.roof(threads: 1) else { return nil }
        var known = Set<String>()
        let marks = outcome.groups.flatMap(\.rows).compactMap { row -> RooflineChart.Mark? in
            guard let workload = row.workload, workload.threads == 1,
                known.insert(row.result.name).inserted
            else { return nil }
            return RooflineChart.Mark(
                label: workload.label, title: row.result.name, kind: workload.kind.rawValue,
                style: workload.kind.style, intensity: workload.intensity,
                rate: workload.operations / row.result.minimum)
        }
        guard !marks.isEmpty else { return nil }
        var peaks = [RooflineChart.Peak(name: "f32 multiply-add", rate: roof.floats)]
        if let bytes = ArithmeticLoops.Bytes.ofKernels {
            peaks.append(.init(name: "int8 \(bytes.name)", rate: roof.bytes))
        }
        let sources = roof.reads.enumerated().map { index, read in
            let isMemory = index == roof.reads.count - 1
            return RooflineChart.Source(
                name: isMemory ? "memory" : "cache, \(read.name)",
                rate: isMemory ? max(read.rate, memoryRate) : read.rate)
        }
        return RooflineChart(peaks: peaks, sources: sources, marks: marks)
    }

    /// The most GB/s that reading memory reached beside kernels that do so: neighbours on the same
    /// machine make it slower and faster from minute to minute.
    private var memoryRate: Double {
        outcome.groups.flatMap(\.rows).filter {
            $0.workload?.threads == 1 && $0.result.reference == WeightPools.readName
        }.map { Double($0.workload?.bytes ?? 0) / $0.result.referenceMinimum }.max() ?? 0
    }

    /// The layers that are swept finely; nil when none was.
    private var sweep: SweepChart? {
        let layers = SweptLayer.all(in: outcome.groups.flatMap(\.rows)).filter {
            $0.isDrawn && $0.points.count > 1
        }
        guard !layers.isEmpty else { return nil }
        let styles = ["conv", "conv1x1", "depthwise", "linear"]
        return SweepChart(
            layers.enumerated().map { index, layer in
                SweepChart.Curve(
                    name: layer.name, style: styles[index % styles.count],
                    points: layer.points.map { ($0.kept, $0.rate) },
                    referenceName: SweptLayer.reference, reference: layer.referenceRate)
            })
    }
}
