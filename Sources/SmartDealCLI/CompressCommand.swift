import ArgumentParser
import SmartDeal

struct CompressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compress",
        abstract: "Write a checkpoint with its weights in power-of-two form.",
        discussion: """
            Reads IN (.safetensors or a .safetensors.index.json), writes OUT and prints what \
            happened to every tensor. OUT appears only when it is complete. Without options every \
            matrix and kernel is compressed to about 4 bits a weight; biases and statistics are \
            copied.
            """)

    @Argument(help: ArgumentHelp("The checkpoint to read.", valueName: "in"))
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

    @Flag(help: "Tell what would happen, from samples of the weights, and write nothing.")
    var dryRun = false

    @Flag(
        help: "Keep finished tensors in OUT.partial and go on from there when started again.")
    var resume = false

    func validate() throws {
        guard dryRun || output != nil else {
            throw ValidationError("say where to write: -o OUT, or --dry-run.")
        }
        if let maxError, !(maxError >= 0) {
            throw ValidationError("--max-error must be at least 0, got \(maxError).")
        }
    }

    func run() throws {
        try common.run { progress in
            let compressor = try recipe.compressor(threads: common.threadCount, resume: resume)
            // A report that cannot be written should not be found out after the work.
            if let report { try AtomicFile(target: report).discard() }
            let result: CompressionReport
            if !dryRun, let output {
                result = try compressor.compress(input, to: output, progress: progress)
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
