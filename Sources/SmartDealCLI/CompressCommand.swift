import ArgumentParser
import SmartDeal

struct CompressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compress",
        abstract: "Write a model with its weights in power-of-two form.",
        discussion: """
            Reads IN (.safetensors, a .safetensors.index.json, or .onnx), writes OUT and prints \
            what happened to every tensor. A compressed .onnx holds standard operators only, \
            which any ONNX runtime folds into dense weights when it loads the file. OUT appears \
            only when it is complete. Without options every matrix and kernel is compressed to \
            about 4 bits a weight; biases and statistics are copied.
            """)

    @Argument(help: ArgumentHelp("The model to read.", valueName: "in"))
    var input: String

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The file to write.", valueName: "out"))
    var output: String?

    @OptionGroup var recipe: RecipeOptions
    @OptionGroup var common: CommonOptions

    @Option(
        help: ArgumentHelp(
            "Exit with status 2 when a tensor's relative error is larger.", valueName: "x"))
    var maxError: Double?

    @Option(help: ArgumentHelp("Also write a report page.", valueName: "file.html"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Also measure accuracy and time before and after (ONNX only): fashion-mnist, cifar10, "
                + "cifar100 or a folder.", valueName: "name"))
    var dataset: String?

    @Option(help: "Part of the data set: test or train.")
    var split = Dataset.Split.test

    @Option(help: ArgumentHelp("At most this many images, from the first on.", valueName: "n"))
    var limit: Int?

    @Option(
        help: ArgumentHelp(
            "Find the ranges of values on images (ONNX only), for --precision int8: fashion-mnist, "
                + "cifar10, cifar100 or a folder; what --dataset says by default. Training images "
                + "where there are any. A model that is compressed keeps its weights.",
            valueName: "name"))
    var calibrate: String?

    @Option(help: ArgumentHelp("Images for that, chosen at random.", valueName: "n"))
    var calibrationImages = 256

    @Option(
        help: ArgumentHelp(
            "The ends of a range are above, and below, this share of elements, in percent.",
            valueName: "x"))
    var percentile: Double?

    @Flag(help: "Tell what would happen, from samples of the weights, and write nothing.")
    var dryRun = false

    @Flag(
        help: "Keep finished tensors in OUT.partial and go on from there when started again.")
    var resume = false

    func validate() throws {
        guard dryRun || output != nil else {
            throw ValidationError("say where to write: -o OUT, or --dry-run.")
        }
        guard dataset == nil || !dryRun else {
            throw ValidationError("--dataset needs the compressed file: not with --dry-run.")
        }
        guard calibrate == nil || !dryRun else {
            throw ValidationError("--calibrate needs the compressed file: not with --dry-run.")
        }
        if calibrationImages < 1 {
            throw ValidationError(
                "--calibration-images must be at least 1, got \(calibrationImages).")
        }
        if let percentile, !(50...100).contains(percentile) {
            throw ValidationError("--percentile must be from 50 to 100, got \(percentile).")
        }
        if let limit, limit < 1 {
            throw ValidationError("--limit must be at least 1, got \(limit).")
        }
        if let maxError, !(maxError >= 0) {
            throw ValidationError("--max-error must be at least 0, got \(maxError).")
        }
    }

    private func calibration() throws -> Calibration? {
        guard let name = calibrate ?? dataset else { return nil }
        var result = try Calibration(on: name)
        result.images = calibrationImages
        if let percentile { result.rule = .percentile(percentile) }
        result.threads = common.threadCount
        result.seed = recipe.seed
        return result
    }

    func run() throws {
        try common.run { progress in
            var compressor = try recipe.compressor(threads: common.threadCount, resume: resume)
            // A report that cannot be written should not be found out after the work.
            if let report { try AtomicFile(target: report).discard() }
            // Nor that the model or the images cannot be read.
            let images = try dataset.map { try Dataset.load($0, split: split, limit: limit) }
            if (calibrate ?? dataset) != nil { _ = try LoadedNetwork(path: input) }
            compressor.calibration = try calibration()
            compressor.preprocessing =
                (images ?? compressor.calibration?.dataset)?.standardPreprocessing
            var result: CompressionReport
            if !dryRun, let output {
                result = try compressor.compress(input, to: output, progress: progress)
                if let images {
                    result.comparison = try ModelComparison(
                        input, output, on: images, split: split, threads: common.threadCount,
                        progress: progress)
                }
            } else {
                result = try compressor.predict(input, progress: progress)
            }
            if let report {
                let page = try AtomicFile(target: report)
                try page.write(Array(result.html().utf8))
                try page.commit()
            }
            try common.print(result, text: result.text())
            if let maxError {
                let over = result.tensors.filter { ($0.relative_error ?? 0) > maxError }
                guard over.isEmpty else {
                    let names = over.map { "\($0.name) \(HumanNumber.error($0.relative_error))" }
                    let text = "over --max-error \(maxError): \(names.joined(separator: ", "))\n"
                    StandardError.write(text)
                    throw ExitCode.overLimit
                }
            }
        }
    }
}
