import ArgumentParser
import BenchmarkSupport
import Foundation
import SmartDeal

@main
struct SdBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sd-bench",
        abstract: "Times SmartDeal beside references, in one process and taking turns.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 something got worse than the baseline, 64 usage.
            SMARTDEAL_ISA=scalar|avx2|avx512|neon chooses the kernels. A debug build builds and \
            runs itself in release.
            """)

    @Option(help: "Run only what has all of these words in its group or name.")
    var filter: String?
    @Flag(help: "List the benchmarks and run none.")
    var list = false
    @Option(help: ArgumentHelp("Write the results there.", valueName: "file"))
    var json: String?
    @Option(
        help: ArgumentHelp(
            "Write a page with a roofline, a sweep and the tables there.", valueName: "file.html"))
    var report: String?
    @Option(help: ArgumentHelp("Write the roofline alone there.", valueName: "file.svg"))
    var svg: String?
    @Option(
        help: ArgumentHelp(
            "Hold the results to these; what failed is timed once more before it counts.",
            valueName: "baseline.json"))
    var compare: String?
    @Flag(help: "Record the results for this machine in Benchmarks/baselines/baseline.json.")
    var updateBaseline = false
    @Option(help: "Threads of what runs in parallel; default: all cores.")
    var threads = ParallelLoop.availableThreads

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be in 1...1024, got \(threads)")
        }
        guard compare == nil || !updateBaseline else {
            throw ValidationError("--compare and --update-baseline contradict each other")
        }
        guard !InstructionSet.requestWasRefused else {
            let isas = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue)
            throw ValidationError(
                "SMARTDEAL_ISA names kernels that cannot run here; these can: "
                    + isas.joined(separator: ", "))
        }
        guard !BenchmarkRun(threads: threads, filter: NameFilter(filter)).names.isEmpty else {
            let groups = BenchmarkGroup.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError(
                "nothing has all words of '\(filter ?? "")' in its group or name; "
                    + "the groups are: \(groups); --list shows the names")
        }
    }

    func run() throws {
        let run = BenchmarkRun(threads: threads, filter: NameFilter(filter))
        if list {
            for (group, names) in run.names {
                ResultTables.show(["\(group.rawValue):"] + names.map { "  \($0)" })
            }
            return
        }
        guard ReleaseBuild.isWhatRuns else { return try ReleaseBuild.takeOver() }
        // A file that cannot be read or written should not cost a minute.
        let baseline = try compare.map { try BaselineStore.read($0) }
        for path in [json, report, svg] {
            if let path { try AtomicFile(target: path).discard() }
        }
        let destination = updateBaseline ? try BaselineStore.defaultPath() : nil

        BLASLibrary.threads = 1
        let progress = Progress()
        let machine = Machine(
            isa: InstructionSet.selected.rawValue, cores: ParallelLoop.availableThreads)
        let outcome = try run.outcome(
            machine, toolchain: Toolchain.description, progress: progress)
        var results = outcome.report
        var isRegression = false
        if let baseline, let compare {
            let isPartial = !run.filter.isOpen
            var comparison = Comparison(results, to: baseline, isPartial: isPartial)
            if !comparison.slowdowns.isEmpty {
                let names = Set(comparison.slowdowns.map(\.result.name))
                results = try run.retried(names, in: results, progress: progress)
                comparison = Comparison(results, to: baseline, isPartial: isPartial)
            }
            ResultTables.print(comparison, baseline: compare)
            isRegression = comparison.isRegression
        }
        if let json { try BaselineStore.write(results, to: json) }
        let page = KernelPage(outcome)
        if let report { try BaselineStore.write([UInt8](page.html.utf8), to: report) }
        if let svg {
            guard let roofline = page.roofline else {
                throw BenchmarkFileError("no kernel was timed that a roofline shows", path: svg)
            }
            try BaselineStore.write([UInt8](roofline.svg.utf8), to: svg)
        }
        if let destination {
            try BaselineStore.record(results, in: destination, isPartial: !run.filter.isOpen)
            Message.write("recorded in \(destination)")
        }
        if isRegression { throw ExitCode(2) }
    }
}
