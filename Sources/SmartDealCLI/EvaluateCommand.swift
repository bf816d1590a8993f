import ArgumentParser
import SmartDeal

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure the accuracy of a network on a data set.",
        discussion: """
            A data set is fashion-mnist, cifar10, cifar100, looked for in the folder that \
            SMARTDEAL_DATA names, in ./data and where system packages put it; or a folder of IDX \
            files, CIFAR binary files, or one folder of PNG or NPY files for each class.
            """)

    @Argument(help: ArgumentHelp("The model (.onnx, dense or compressed).", valueName: "model"))
    var model: String

    @OptionGroup var dataset: DatasetOptions

    @OptionGroup var arithmetic: PrecisionOption

    @OptionGroup var weights: RebuildOption

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.run { progress in
            let loaded = try LoadedNetwork(path: model)
            let images = try dataset.load()
            var evaluation = Evaluation()
            evaluation.threads = common.threadCount
            evaluation.precision = arithmetic.precision
            evaluation.rebuilding = weights.rebuild
            let report = try evaluation.evaluate(
                loaded.network, name: model, on: images, split: dataset.split, progress: progress)
            try common.print(report, text: report.text())
        }
    }
}

/// Which images to evaluate on.
struct DatasetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Data set: fashion-mnist, cifar10, cifar100 or a folder.", valueName: "name"))
    var dataset: String

    @Option(help: "Part of the data set: test or train.")
    var split = Dataset.Split.test

    @Option(help: ArgumentHelp("At most this many images, from the first on.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if let limit, limit < 1 {
            throw ValidationError("--limit must be at least 1, got \(limit).")
        }
    }

    func load() throws -> Dataset {
        try Dataset.load(dataset, split: split, limit: limit)
    }
}

extension Dataset.Split: ExpressibleByArgument {}
