/// Training in few bits: what convolutions and products take, and if asked for the gradients of
/// their results, is rounded to a few levels between the ends of its range. All arithmetic stays
/// in floats.
public struct Quantization: Sendable, Equatable {
    /// Bits of values that convolutions and products take, 2 to 16.
    public var activationBits: Int
    /// Bits of weights, 2 to 16.
    public var weightBits: Int
    /// Bits of gradients of results, 2 to 16; nil: they are not rounded.
    public var gradientBits: Int?
    /// How much of the running ranges of values stays at each step, 0 to less than 1.
    public var momentum: Float
    /// What the rounding of gradients depends on.
    public var seed: UInt64

    public init(
        activationBits: Int = 8, weightBits: Int = 8, gradientBits: Int? = nil,
        momentum: Float = 0.1, seed: UInt64 = 0
    ) {
        self.activationBits = activationBits
        self.weightBits = weightBits
        self.gradientBits = gradientBits
        self.momentum = momentum
        self.seed = seed
    }

    /// - Throws: ``TrainingError`` `.invalidOption` naming the option.
    package func check() throws {
        let bits = [
            ("activation bits", activationBits), ("weight bits", weightBits),
            ("gradient bits", gradientBits ?? 8),
        ]
        for (name, value) in bits where !(2...16).contains(value) {
            throw TrainingError(
                .invalidOption, "expected a number from 2 to 16, found \(value)", path: name)
        }
        guard momentum >= 0, momentum < 1 else {
            throw TrainingError(
                .invalidOption, "expected a number from 0 to less than 1, found \(momentum)",
                path: "momentum of ranges")
        }
    }
}
