import ArgumentParser
import SmartDeal

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how long a network takes.",
        discussion: """
            MODEL is an ONNX file or a built-in network: \(Zoo.names.joined(separator: ", ")), with \
            @CxHxW for another input and /N for another number of classes. A built-in network gets \
            seeded random weights in SmartDeal form, and with --precision int8 the ranges that its \
            values have on random inputs. With --training steps of training are measured \
            (batch 128, half of the rows of convolutions dropped, unless told otherwise).
            """)

    @Argument(help: ArgumentHelp("The model or built-in network.", valueName: "model"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "Examples at once; 1, or what the model is fixed to, by default.", valueName: "n"))
    var batch: Int?

    @Option(
        help: ArgumentHelp(
            "The shape of an input, for dimensions that the model leaves open and that are not 1.",
            valueName: "[name=]AxBxC"))
    var shape: [String] = []

    @OptionGroup var arithmetic: PrecisionOption

    @OptionGroup var weights: RebuildOption

    @Option(
        help: ArgumentHelp(
            "Kernels where there is a choice: oneDNN's (dense), ours (sparse), or the faster ones "
                + "(automatic).", valueName: "whose"))
    var kernels = KernelChoice.automatic

    @Option(
        help: ArgumentHelp(
            "Prune this share of a built-in network's weights in groups.", valueName: "fraction"))
    var prune: Double?

    @Option(
        help: ArgumentHelp("Runs to measure; about two seconds' worth by default.", valueName: "n"))
    var `repeat`: Int?

    @Flag(help: "Measure steps of training: forward, backward, update.")
    var training = false

    @Option(help: "With --training: how weights live while they learn.")
    var form = TrainingSettings.Form.smartDeal

    @Flag(
        help: ArgumentHelp(
            "For every line with a number on standard input make so many runs, or steps, and print a "
                + "JSON line, to be compared round by round with others."))
    var roundsOnStdin = false

    @Option(help: ArgumentHelp("Seed of random weights and inputs.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let batch, !(1...1_000_000).contains(batch) {
            throw ValidationError("--batch must be from 1 to 1000000, got \(batch).")
        }
        if batch != nil, !shape.isEmpty {
            throw ValidationError("--shape says how large the batch is: not with --batch.")
        }
        if let `repeat`, !(1...1_000_000).contains(`repeat`) {
            throw ValidationError("--repeat must be from 1 to 1000000, got \(`repeat`).")
        }
        if let prune, !(0..<1).contains(prune) {
            throw ValidationError("--prune must be from 0 to below 1, got \(prune).")
        }
    }

    func run() throws {
        try common.run { progress in
            let begin = ContinuousClock.now
            var loaded = try LoadedNetwork(model, seed: seed)
            let loading = ContinuousClock.now - begin
            if training { return try measureTraining(loaded.network) }
            if loaded.fileByteCount == nil {
                try loaded.compressRandomWeights(
                    prune: prune, threads: common.threadCount, seed: seed, progress: progress)
            } else if prune != nil {
                throw ValidationError("--prune is for built-in networks; compress a file first.")
            }
            var benchmark = LatencyBenchmark()
            benchmark.batch = batch
            benchmark.precision = arithmetic.precision
            benchmark.kernels = kernels
            benchmark.rebuilding = weights.rebuild
            benchmark.inputShapes = try InputArgument.shapes(shape, for: loaded.network)
            if arithmetic.precision == .int8, loaded.fileByteCount == nil {
                try loaded.calibrateOnRandomInputs(
                    shapes: benchmark.inputShapes, threads: common.threadCount, seed: seed)
            }
            benchmark.threads = common.threadCount
            benchmark.repeats = `repeat`
            benchmark.seed = seed
            if roundsOnStdin {
                let round = try benchmark.rounds(of: loaded.network)
                return try answerRounds { try round($0) }
            }
            let report = try benchmark.measure(
                loaded.network, name: model, loadSeconds: loading.inSeconds, progress: progress)
            try common.print(report, text: report.text())
        }
    }

    private func measureTraining(_ network: Network) throws {
        func prepared() throws -> StepBenchmark {
            try StepBenchmark(
                network, name: model, form: form, prune: prune ?? 0.5, batch: batch ?? 128,
                threads: common.threadCount, seed: seed)
        }
        guard roundsOnStdin else {
            let report = try prepared().measure(steps: `repeat` ?? 10)
            return try common.print(report, text: report.text())
        }
        // Made with the first round: what a process holds before is no part of a step's memory.
        var benchmark: StepBenchmark?
        try answerRounds { steps in
            let ready = try benchmark ?? prepared()
            benchmark = ready
            return try ready.measure(steps: steps)
        }
    }

    /// Prints a line when it is ready, and the answer to every line of standard input.
    private func answerRounds(_ answer: (Int) throws -> some Encodable) throws {
        try common.printLine(["version": SmartDealVersion.text])
        while let line = readLine() {
            guard let count = Int(line), count > 0 else {
                throw ValidationError("'\(line)' is no number of runs.")
            }
            try common.printLine(answer(count))
        }
    }
}
