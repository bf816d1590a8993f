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

extension Precision: ExpressibleByArgument {}

extension ByteConvolutions: ExpressibleByArgument {}
