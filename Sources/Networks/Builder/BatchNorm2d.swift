/// Batch normalisation over channels, with the statistics of training.
///
/// Scale 1 and shift 0 as PyTorch's. The running variance is what the layer's input has; the
/// running mean is random, of a tenth of its standard deviation.
public struct BatchNorm2d: Layer {
    private let epsilon: Float
    private let name: String?

    public init(eps: Float = 1e-5, name: String? = nil) {
        epsilon = eps
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        let node = draft.takeName(name)
        let channels = [try draft.image(for: node).channels]
        // Not by the mean: trained networks keep channels apart, and so do random means around 0.
        let variance = draft.value.moments.meanSquare
        let parameters = [
            try draft.parameter("weight", of: node, channels, .constant(1)),
            try draft.parameter("bias", of: node, channels, .constant(0)),
            try draft.parameter(
                "running_mean", of: node, channels,
                .normal(standardDeviation: 0.1 * variance.squareRoot())),
            try draft.parameter("running_var", of: node, channels, .constant(Float(variance))),
        ]
        let before = draft.value.moments
        draft.apply(
            .batchNormalization(epsilon: epsilon), node, parameters, shape: draft.value.shape,
            moments: .init(
                mean: before.mean / variance.squareRoot(), variance: before.variance / variance))
    }
}
