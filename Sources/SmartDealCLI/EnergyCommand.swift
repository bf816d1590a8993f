import ArgumentParser
import Foundation
import SmartDeal

extension Phase: ExpressibleByArgument {}
extension SparsityPolicy: ExpressibleByArgument {}

struct EnergyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "energy",
        abstract: "Estimate energy and time of a network on accelerators.",
        discussion: """
            MODEL is an ONNX file, dense or compressed, or a built-in network: \
            \(Zoo.names.joined(separator: ", ")), with @CxHxW for another input and /N for another \
            number of classes. Zeros of weights are counted in the file; a built-in network is \
            dense unless a recipe (--prune, --recipe, ...) compresses seeded random weights or \
            --assume says how many are zero. With --dataset activations are measured.

            Built-in accelerators: \(AcceleratorConfig.presetNames.joined(separator: ", ")). \
            Energy tables: \(EnergyTable.names.joined(separator: ", ")). --print and \
            --print-units show one as YAML, to be edited.

            A sweep varies keys of the accelerators (array.m=32,64), of the recipe \
            (recipe.prune=0.3,0.5) or what is assumed (assume.activation-rows=0.5,1).
            """)

    @Argument(help: ArgumentHelp("The model or built-in network.", valueName: "model"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A built-in accelerator or a YAML file; may be given again. All built-in ones by "
                + "default, for a sweep smartdeal.", valueName: "name|file.yaml"))
    var accelerator: [String] = []

    @Option(
        help: ArgumentHelp(
            "The shape of an input, for dimensions that the model leaves open and that are not 1.",
            valueName: "[name=]AxBxC"))
    var shape: [String] = []

    @Option(help: "What it is run for: inference or one step of training.")
    var phase = Phase.inference

    @Option(help: ArgumentHelp("Images at once.", valueName: "n"))
    var batch = 1

    @Option(
        help: ArgumentHelp(
            "An energy table for all accelerators: built in, or a YAML file.",
            valueName: "name|file.yaml"))
    var units: String?

    @Option(help: "Zeros that designs for single weights use: same_masks or own_pruning.")
    var policy = SparsityPolicy.sameMasks

    @Option(
        help: ArgumentHelp(
            "Assume a density: \(AssumedDensities.keys.joined(separator: ", ")).",
            valueName: "key=x"))
    var assume: [String] = []

    @Option(
        help: ArgumentHelp(
            "Measure activations on it: fashion-mnist, cifar10, cifar100 or a folder.",
            valueName: "name"))
    var dataset: String?

    @Option(help: "Part of the data set: test or train.")
    var split = Dataset.Split.test

    @Option(help: ArgumentHelp("At most this many images (100).", valueName: "n"))
    var limit: Int?

    @Option(
        help: ArgumentHelp("Vary a key; may be given again.", valueName: "key=a,b,c"))
    var sweep: [String] = []

    @Option(help: ArgumentHelp("Also write a report page.", valueName: "file.html"))
    var report: String?

    @Flag(help: "Show every layer.")
    var layers = false

    @Flag(help: "List built-in accelerators and energy tables.")
    var list = false

    @Option(
        name: .customLong("print"),
        help: ArgumentHelp("Print a built-in accelerator as YAML.", valueName: "name"))
    var printed: String?

    @Option(
        name: .customLong("print-units"),
        help: ArgumentHelp("Print a built-in energy table as YAML.", valueName: "name"))
    var printedUnits: String?

    @OptionGroup var recipe: RecipeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        switch [model != nil, list, printed != nil, printedUnits != nil].count(where: { $0 }) {
        case 0: throw ValidationError("Missing expected argument '<model>'.")
        case 1: break
        default: throw ValidationError("--list, --print and --print-units go alone.")
        }
        guard (1...1_000_000).contains(batch) else {
            throw ValidationError("--batch must be from 1 to 1000000, got \(batch).")
        }
        if let limit, limit < 1 {
            throw ValidationError("--limit must be at least 1, got \(limit).")
        }
        if limit != nil, dataset == nil { throw ValidationError("--limit is for --dataset.") }
        do {
            _ = try densities()
            _ = try sweep.map { try SweepAxis($0) }
        } catch let error as AcceleratorError {
            throw ValidationError(error.message)
        }
    }

    func run() throws {
        try common.run { progress in
            if list {
                let all = try AcceleratorList()
                return try common.print(all, text: all.text)
            }
            if let printed { return try show(printed, AcceleratorConfig.presetText(printed)) }
            if let printedUnits {
                return try show(printedUnits, EnergyTable.text(named: printedUnits))
            }
            guard let model else { return }
            // A report that cannot be written should not be found out after the work.
            if let report { try AtomicFile(target: report).discard() }
            var study = try EnergyStudy(choices().map { try AcceleratorChoice($0) })
            study.units = try units.map { try AcceleratorChoice.unitsText($0) }
            study.phase = phase
            study.batch = batch
            study.policy = policy
            study.recipe = try recipe.recipeIfAny()
            study.densities = try densities()
            study.axes = try sweep.map { try SweepAxis($0) }
            var subject = try EnergyModel(model, seed: recipe.seed)
            subject.inputShapes = try InputArgument.shapes(shape, for: subject.network)
            subject.threads = common.threadCount
            subject.split = split
            subject.images = try dataset.map {
                try Dataset.load($0, split: split, limit: limit ?? 100)
            }
            let result = try study.report(on: subject, progress: progress)
            if let report {
                let page = try AtomicFile(target: report)
                try page.write(Array(result.html().utf8))
                try page.commit()
            }
            try common.print(result, text: result.text(layers: layers))
        }
    }

    private func choices() -> [String] {
        guard accelerator.isEmpty else { return accelerator }
        return sweep.isEmpty ? AcceleratorConfig.presetNames : ["smartdeal"]
    }

    private func densities() throws -> AssumedDensities {
        var densities = AssumedDensities()
        for text in assume {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("--assume is key=x, found '\(text)'.")
            }
            try densities.set(parts[0], to: parts[1])
        }
        return densities
    }

    private func show(_ name: String, _ yaml: String) throws {
        try common.print(["name": name, "yaml": yaml], text: yaml)
    }
}
