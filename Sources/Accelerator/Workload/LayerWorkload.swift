/// One layer as the accelerator model sees it.
public struct LayerWorkload: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case conv, depthwise, linear
        /// A product of a sequence with a constant matrix.
        case matMul = "matmul"
    }

    /// The node's name.
    public var name: String
    public var operation: Kind
    public var shape: LayerShape
    public var weights: WeightProfile
    public var activations: ActivationProfile
    /// Whether training passes a gradient on to what is before: not where that is the network's
    /// input.
    public var passesGradient: Bool

    public init(
        name: String, operation: Kind, shape: LayerShape, weights: WeightProfile,
        activations: ActivationProfile, passesGradient: Bool = true
    ) {
        self.name = name
        self.operation = operation
        self.shape = shape
        self.weights = weights
        self.activations = activations
        self.passesGradient = passesGradient
    }
}
