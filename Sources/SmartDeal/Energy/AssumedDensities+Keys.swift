import Accelerator
import Networks

extension AssumedDensities {
    /// The keys of ``set(_:to:)``.
    public static let keys = [
        "weight-rows", "coefficients", "pruned-weights", "activation-rows", "activations",
        "booth-digits",
    ]

    /// Sets what is assumed, from text.
    ///
    /// - Throws: ``AcceleratorError`` `.invalidWorkload` for an unknown key, with near names, and
    ///   for what is no number or no share.
    public mutating func set(_ key: String, to text: String) throws {
        guard let number = Double(text) else {
            throw AcceleratorError(
                .invalidWorkload, ["'\(key)' is a number, not '\(text)'"])
        }
        switch key {
        case "weight-rows": weightRows = number
        case "coefficients": coefficients = number
        case "pruned-weights": prunedWeights = number
        case "activation-rows": activationRows = number
        case "activations": activations = number
        case "booth-digits": boothDigits = number
        default:
            throw AcceleratorError(
                .invalidWorkload,
                [
                    "nothing named '\(key)' can be assumed"
                        + NearNames.hint(key, among: Self.keys) + "; there are "
                        + Self.keys.joined(separator: ", ")
                ])
        }
        try check()
    }
}
