import ArgumentParser

/// The arithmetic of `run`, `evaluate` and `bench`.
struct PrecisionOption: ParsableArguments {
    enum Precision: String, ExpressibleByArgument, CaseIterable {
        /// 32-bit floats.
        case f32
        /// 8-bit integers.
        case int8
    }

    @Option(help: "Arithmetic: f32. (int8 is not available yet.)")
    var precision = Precision.f32

    func validate() throws {
        guard precision == .f32 else {
            throw ValidationError(
                "--precision \(precision.rawValue) is not available yet; use f32.")
        }
    }
}
