import ArgumentParser
import SmartDeal

/// The arithmetic of `run`, `evaluate` and `bench`.
struct PrecisionOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Arithmetic: f32 or int8, which needs a model with the ranges of its values "
                + "(compress --calibrate).", valueName: "name"))
    var precision = Precision.f32
}

/// When `run`, `evaluate` and `bench` rebuild weights.
struct RebuildOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Rebuild compressed weights once, when the model is loaded, or before every use "
                + "(streaming), which keeps them packed in memory and takes longer.",
            valueName: "when"))
    var rebuild = Rebuilding.once
}

extension Rebuilding: ExpressibleByArgument {}

extension Precision: ExpressibleByArgument {}

extension KernelChoice: ExpressibleByArgument {}
