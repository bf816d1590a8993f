import ArgumentParser
import Foundation
import SmartDeal

extension TrainingSettings.Form: ExpressibleByArgument {}
extension TrainingSettings.Task: ExpressibleByArgument {}

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a network, dense or in SmartDeal form.",
        discussion: """
            Writes FOLDER/log.jsonl, checkpoint/, model.onnx, summary.json and report.html. A run \
            that was stopped goes on with --resume, bit for bit. A configuration file has a line \
            'key: value' for each of: \(TrainingSettings.keys.joined(separator: ", ")), where \
            'a.b' is b below a; options of the command line win over it.
            """)

    @Option(
        help: ArgumentHelp(
            "A built-in network, or an ONNX file to begin with.", valueName: "name|model"))
    var network: String?

    @Option(
        help: ArgumentHelp(
            "Data set: fashion-mnist, cifar10, cifar100 or a folder.", valueName: "name"))
    var dataset: String?

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The folder for all results.", valueName: "folder"))
    var output: String

    @Option(help: "How weights live while they learn: smartdeal (default) or dense.")
    var form: TrainingSettings.Form?

    @Option(help: "full (default), adapt to other classes, finetune on other images.")
    var task: TrainingSettings.Task?

    @Option(help: ArgumentHelp("Passes over the training images (20).", valueName: "n"))
    var epochs: Int?

    @Option(help: ArgumentHelp("Images of a step (128).", valueName: "n"))
    var batch: Int?

    @Option(help: ArgumentHelp("The highest learning rate (0.2).", valueName: "x"))
    var learningRate: Double?

    @Option(
        help: ArgumentHelp(
            "How weights are put in SmartDeal form: a YAML file, or one of "
                + "\(Recipe.names.joined(separator: ", ")).", valueName: "file.yaml"))
    var recipe: String?

    @Option(
        help: ArgumentHelp(
            "A pretrained model: a file, or the folder of another run.", valueName: "checkpoint"))
    var source: String?

    @Flag(help: "Go on with the run in the folder.")
    var resume = false

    @Option(help: ArgumentHelp("Settings in YAML.", valueName: "file.yaml"))
    var config: String?

    @Option(help: ArgumentHelp("At most this many images to train on.", valueName: "n"))
    var limit: Int?

    @Option(help: ArgumentHelp("At most this many images to test on.", valueName: "n"))
    var testLimit: Int?

    @Option(help: ArgumentHelp("Seed of all that is random.", valueName: "n"))
    var seed: UInt64?

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.run { progress in
            let settings = try settings()
            var trainer = try Trainer(settings)
            trainer.threads = common.threadCount
            trainer.folder = output
            trainer.resumes = resume
            if resume, !trainer.hasCheckpoint {
                StandardError.write(
                    "'\(output)' holds no checkpoint: starting from the beginning\n")
            }
            let result = try trainer.run(progress: progress)
            try common.print(result.summary, text: result.summary.text())
        }
    }

    /// The file's settings, then those of the command line.
    private func settings() throws -> TrainingSettings {
        var settings = TrainingSettings()
        if let config { try settings.read(contentsOf: config, overriding: setOptions) }
        setOptions(in: &settings)
        for (name, value) in [("network", settings.network), ("dataset", settings.dataset)]
        where value.isEmpty {
            throw ValidationError("--\(name) is missing, and no --config names one.")
        }
        let problems = settings.problems
        guard problems.isEmpty else {
            throw ValidationError(problems.joined(separator: "; ") + ".")
        }
        return settings
    }

    /// Sets what the command line names.
    private func setOptions(in settings: inout TrainingSettings) {
        settings.network = network ?? settings.network
        settings.dataset = dataset ?? settings.dataset
        settings.form = form ?? settings.form
        settings.task = task ?? settings.task
        settings.epochs = epochs ?? settings.epochs
        settings.batch = batch ?? settings.batch
        settings.learningRate = learningRate ?? settings.learningRate
        settings.recipe = recipe ?? settings.recipe
        settings.source = source ?? settings.source
        settings.limit = limit ?? settings.limit
        settings.testLimit = testLimit ?? settings.testLimit
        settings.seed = seed ?? settings.seed
    }
}
