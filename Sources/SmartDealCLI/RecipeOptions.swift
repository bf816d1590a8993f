import ArgumentParser
import SmartDeal

extension Mode: ExpressibleByArgument {}
extension PruneKind: ExpressibleByArgument {}

/// The options that say how weights are compressed.
struct RecipeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A recipe: a YAML file, or one of \(Recipe.names.joined(separator: ", ")).",
            valueName: "file.yaml"))
    var recipe: String?

    @Option(help: "How weights are fitted: best (default), reference (the authors'), fast.")
    var mode: Mode?

    @Option(help: ArgumentHelp("Coefficients below it become zero (4e-3).", valueName: "x"))
    var threshold: Double?

    @Option(
        help: ArgumentHelp(
            "Drop this share of positions in every group of 32 filters.", valueName: "fraction"))
    var prune: Double?

    @Option(help: "What --prune counts: population (default), value, energy.")
    var pruneKind: PruneKind?

    @Option(help: ArgumentHelp("Average bits a weight in the file.", valueName: "x"))
    var bits: Double?

    @Flag(help: "Drop small rows of 3x3 convolutions.")
    var rowSparsity = false

    @Flag(help: "Scale columns before rounding (reference mode).")
    var columnScaling = false

    @Option(help: ArgumentHelp("Symbols a row, 1 to 3.", valueName: "n"))
    var nibbles: Int?

    @Option(help: ArgumentHelp("Weights a row, 1 to 8.", valueName: "s"))
    var basisWidth: Int?

    @Option(help: ArgumentHelp("Bits of a basis element, 8 or 32.", valueName: "b"))
    var basisBits: Int?

    @Option(help: ArgumentHelp("Passes of the authors' iteration (30).", valueName: "n"))
    var iterations: Int?

    @Option(
        help: ArgumentHelp("Compress only these tensors; may be given again.", valueName: "glob"))
    var include: [String] = []

    @Option(help: ArgumentHelp("Leave these tensors as they are.", valueName: "glob"))
    var exclude: [String] = []

    @Option(help: ArgumentHelp("Seed of what is random.", valueName: "n"))
    var seed: UInt64 = 0

    func validate() throws {
        if let bits, !(bits > 0 && bits <= 32) {
            throw ValidationError("--bits must be above 0 and at most 32, got \(bits).")
        }
        if bits != nil {
            if let mode, mode != .best {
                throw ValidationError("--bits is for --mode best, not \(mode.rawValue).")
            }
            if nibbles != nil || basisWidth != nil {
                throw ValidationError(
                    "--bits chooses --nibbles and --basis-width: give one of both.")
            }
        }
        var options = LayerOptions()
        for setting in settings {
            do {
                try options.set(setting.key, to: setting.value)
            } catch let error as DecompositionError {
                throw ValidationError(error.message)
            }
        }
        // A recipe may still change the mode, so rules about the mode wait for the weights.
        if let problem = options.problems.first, recipe == nil { throw ValidationError(problem) }
    }

    /// The flags as settings of a recipe.
    private var settings: [Recipe.Setting] {
        var result: [Recipe.Setting] = []
        func add(_ key: String, _ value: RecipeValue?) {
            if let value { result.append(Recipe.Setting(key, value)) }
        }
        add("mode", mode.map { .text($0.rawValue) })
        add("threshold", threshold.map { .number($0) })
        add("prune", prune.map { .number($0) })
        add("prune-kind", pruneKind.map { .text($0.rawValue) })
        add("row-sparsity", rowSparsity ? .flag(true) : nil)
        add("column-scaling", columnScaling ? .flag(true) : nil)
        add("nibbles", nibbles.map { .number(Double($0)) })
        add("basis-width", basisWidth.map { .number(Double($0)) })
        add("basis-bits", basisBits.map { .number(Double($0)) })
        add("iterations", iterations.map { .number(Double($0)) })
        return result
    }

    /// The compressor that they ask for; flags come after the recipe's defaults, and before its
    /// kinds and layers.
    func compressor(threads: Int, resume: Bool = false) throws -> CheckpointCompressor {
        var compressor = CheckpointCompressor()
        compressor.recipe = try combined()
        compressor.include = include.map { Glob($0) }
        compressor.exclude = exclude.map { Glob($0) }
        compressor.threads = threads
        compressor.seed = seed
        compressor.resume = resume
        return compressor
    }

    /// The recipe that they ask for, those left out skipped; nil when nothing is asked for.
    func recipeIfAny() throws -> Recipe? {
        guard
            recipe != nil || bits != nil || !settings.isEmpty || !include.isEmpty
                || !exclude.isEmpty
        else { return nil }
        var result = try combined()
        if !include.isEmpty { result.defaults.append(.init("skip", .flag(true))) }
        result.rules += include.map { .init(Glob($0), [.init("skip", .flag(false))]) }
        result.rules += exclude.map { .init(Glob($0), [.init("skip", .flag(true))]) }
        return result
    }

    private func combined() throws -> Recipe {
        var result = try recipe.map { try Recipe.load($0) } ?? Recipe()
        result.defaults += settings
        result.bits = bits ?? result.bits
        return result
    }
}
