/// What is known of the activations that a layer takes, and of those that it gives.
public struct ActivationProfile: Sendable, Equatable {
    /// Share of the rows of feature maps that are not all zero.
    public var rowDensity: Sourced<Double>
    /// Share of activations that are not zero.
    public var elementDensity: Sourced<Double>
    /// Share of the layer's outputs, after what follows it, that are not zero.
    public var outputDensity: Sourced<Double>
    /// Radix-4 Booth digits of an 8-bit activation that are not zero, on average; 0 to 4.
    public var meanDigits: Sourced<Double>
    /// Share of activations with 0, 1, ... 4 such digits, where it was measured.
    public var digitShares: [Double]?

    public init(
        rowDensity: Sourced<Double>, elementDensity: Sourced<Double>,
        outputDensity: Sourced<Double>, meanDigits: Sourced<Double>, digitShares: [Double]? = nil
    ) {
        self.rowDensity = rowDensity
        self.elementDensity = elementDensity
        self.outputDensity = outputDensity
        self.meanDigits = meanDigits
        self.digitShares = digitShares
    }
}
