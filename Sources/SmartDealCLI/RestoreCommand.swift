import ArgumentParser
import SmartDeal

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Write the dense model of a compressed one.",
        discussion: "Every tensor gets the type that it had; any framework loads the result.")

    @Argument(help: ArgumentHelp("The compressed model.", valueName: "in"))
    var input: String

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The file to write.", valueName: "out"))
    var output: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.run { progress in
            var restorer = CheckpointRestorer()
            restorer.threads = common.threadCount
            let report = try restorer.restore(input, to: output, progress: progress)
            try common.print(
                report,
                text: "\(report.restored) weights rebuilt, \(report.copied) tensors copied, "
                    + "\(HumanNumber.bytes(report.input_bytes)) -> "
                    + "\(HumanNumber.bytes(report.output_bytes)), "
                    + HumanNumber.seconds(report.seconds))
        }
    }
}
