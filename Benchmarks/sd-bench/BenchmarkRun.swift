import BenchmarkSupport
import SmartDeal

/// The benchmarks that were asked for, run one after another.
struct BenchmarkRun {
    let threads: Int
    let filter: NameFilter
    private let benchmarks: [Benchmark]
    private let counts: [ExactCounts]

    init(threads: Int, filter: NameFilter) {
        self.threads = threads
        self.filter = filter
        benchmarks = Benchmark.all(threads: threads).filter {
            filter.matches(group: $0.group.rawValue, name: $0.name)
        }
        counts = ExactCounts.all().filter {
            filter.matches(group: BenchmarkGroup.counts.rawValue, name: $0.name)
        }
    }

    /// The names of what would run, by group.
    var names: [(group: BenchmarkGroup, names: [String])] {
        BenchmarkGroup.allCases.compactMap { group in
            let names =
                switch group {
                case .limits:
                    MachineCeiling.names(threads: threads).filter {
                        filter.matches(group: group.rawValue, name: $0)
                    }
                case .counts: counts.map(\.name)
                default: benchmarks.filter { $0.group == group }.map(\.name)
                }
            return names.isEmpty ? nil : (group, names)
        }
    }

    /// What a run found.
    struct Outcome {
        var report: BenchmarkReport
        /// With what only this run knows: shares of limits and what the charts show.
        var groups: [(group: BenchmarkGroup, rows: [ResultTables.Row])] = []
        /// Nil when nothing was timed.
        var ceiling: MachineCeiling?
    }

    /// Runs everything; tables go to stdout group by group.
    func outcome(_ machine: Machine, toolchain: String, progress: Progress) throws -> Outcome {
        var report = BenchmarkReport(
            machine: machine, toolchain: toolchain,
            blas: "\(BLASLibrary.description.trimmed), \(BLASLibrary.threads) thread")
        ResultTables.printHead(report, threads: threads)
        var groups: [(group: BenchmarkGroup, rows: [ResultTables.Row])] = []
        let needsCeiling = names.contains { $0.group != .counts }
        var ceiling: MachineCeiling?
        if needsCeiling {
            progress.show(BenchmarkGroup.limits.rawValue)
            let measured = try MachineCeiling(threads: threads)
            report.limits = measured.limits
            progress.clear()
            ResultTables.printLimits(measured.limits)
            ceiling = measured
        }
        for group in BenchmarkGroup.allCases {
            let members = benchmarks.filter { $0.group == group }
            guard !members.isEmpty else { continue }
            var rows: [ResultTables.Row] = []
            for (index, benchmark) in members.enumerated() {
                progress.show(
                    group.rawValue, "\(index + 1)/\(members.count) \(benchmark.name)")
                let contest = try benchmark.prepare()
                var plan = SamplingPlan()
                plan.most = contest.samples
                let results = try time(contest, benchmark.name, machine, plan)
                rows += results.map { result in
                    ResultTables.Row(
                        result: result, share: ceiling?.share(of: contest, result),
                        workload: contest.workload, sweep: contest.sweep)
                }
            }
            progress.clear()
            report.results += rows.map(\.result)
            groups.append((group, rows))
            ResultTables.print(group, rows)
            if group == .scaling {
                let gain = try MachineCeiling.parallelGain(threads: threads)
                ResultTables.printParallelGain(gain, threads: threads)
            }
        }
        if !counts.isEmpty {
            progress.show(BenchmarkGroup.counts.rawValue)
            report.counts = try counts.map { ExactCount(name: $0.name, value: try $0.count()) }
            progress.clear()
            ResultTables.printCounts(report.counts)
        }
        return Outcome(report: report, groups: groups, ceiling: ceiling)
    }

    /// Times some benchmarks again, with more samples.
    func retried(_ names: Set<String>, in report: BenchmarkReport, progress: Progress) throws
        -> BenchmarkReport
    {
        var again = BenchmarkReport(
            machine: report.machine, toolchain: report.toolchain, blas: report.blas)
        for benchmark in benchmarks where names.contains(benchmark.name) {
            progress.show("once more", benchmark.name)
            again.results += try time(
                benchmark.prepare(), benchmark.name, report.machine, SamplingPlan().thorough)
        }
        progress.clear()
        return report.updated(with: again)
    }

    private func time(
        _ contest: Contest, _ name: String, _ machine: Machine, _ plan: SamplingPlan
    ) throws -> [TimedResult] {
        let timing = try InterleavedTiming(
            of: [contest.candidate] + contest.references.map(\.action), plan: plan)
        return contest.references.enumerated().map { index, reference in
            TimedResult(
                name: name, isa: machine.isa, reference: reference.name,
                tolerance: contest.tolerance(against: reference.name), samples: timing.samples,
                minimum: timing.minimums[0], referenceMinimum: timing.minimums[index + 1],
                unit: contest.unit, work: contest.work)
        }
    }
}

extension String {
    /// Without spaces at both ends.
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
