import ArgumentParser
import SmartDeal

@main
struct SmartDealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smartdeal",
        abstract: "Neural networks in power-of-two form: small files, cheap arithmetic.",
        discussion: """
            Exit status: 0 done, 1 failed, 2 done but over a limit that you set, 64 wrong usage. \
            Results go to standard output, progress to standard error.
            """,
        version: SmartDealVersion.text,
        subcommands: [
            CompressCommand.self, RestoreCommand.self, VerifyCommand.self, InspectCommand.self,
            RunCommand.self, EvaluateCommand.self, BenchCommand.self, TrainCommand.self,
            EnergyCommand.self, ExportCommand.self, InfoCommand.self,
        ])
}
