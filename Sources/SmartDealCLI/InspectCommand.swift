import ArgumentParser
import SmartDeal

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Tell what is in a model file, or what compression would make of it.",
        discussion: """
            For a dense file sizes are computed and errors estimated from a sample of each weight; \
            a compressed one is read.
            """)

    @Argument(help: ArgumentHelp("The model file.", valueName: "file"))
    var file: String

    @OptionGroup var recipe: RecipeOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.run { progress in
            var inspector = CheckpointInspector()
            inspector.compressor = try recipe.compressor(threads: common.threadCount)
            let report = try inspector.inspect(file, progress: progress)
            try common.print(report, text: report.text())
        }
    }
}
