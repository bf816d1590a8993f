import ArgumentParser
import SmartDeal

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare two models tensor by tensor, dense or compressed.")

    @Argument(help: ArgumentHelp("What to compare with.", valueName: "original"))
    var original: String

    @Argument(help: ArgumentHelp("What to judge.", valueName: "other"))
    var other: String

    @Option(
        help: ArgumentHelp(
            "Exit with status 2 when a tensor's relative error is larger.", valueName: "x"))
    var maxError: Double?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let maxError, !(maxError >= 0) {
            throw ValidationError("--max-error must be at least 0, got \(maxError).")
        }
    }

    func run() throws {
        try common.run { progress in
            var verifier = CheckpointVerifier()
            verifier.threads = common.threadCount
            let report = try verifier.compare(original, other, progress: progress)
            try common.print(report, text: report.text())
            if let maxError, report.worst.map({ $0 > maxError }) ?? true {
                let text = "over --max-error \(maxError): \(report.worst_tensor ?? "")\n"
                StandardError.write(text)
                throw ExitCode.overLimit
            }
        }
    }
}
