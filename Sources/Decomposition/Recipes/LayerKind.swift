/// What a weight tensor is, judged by its name and shape.
public enum LayerKind: String, CaseIterable, Sendable {
    /// A convolution with a kernel of more than one weight a channel.
    case conv
    /// A convolution whose kernel is one weight a channel.
    case conv1x1
    /// A convolution with one input channel a group.
    case depthwise
    /// `[outputs, inputs]`.
    case linear
    /// A linear weight that is looked up by row: its name has "embed" in it.
    case embedding
    /// One dimension or none: biases, normalisation, statistics. Never compressed.
    case vector

    /// The kind of a tensor `[outputs, inputs / groups, kernel...]`.
    public init(name: String, shape: [Int]) {
        let kernel = shape.dropFirst(2).reduce(1, *)
        switch shape.count {
        case 0, 1: self = .vector
        case 2: self = name.lowercased().contains("embed") ? .embedding : .linear
        default:
            if kernel == 1 {
                self = .conv1x1
            } else {
                self = shape[1] == 1 && shape[0] > 1 ? .depthwise : .conv
            }
        }
    }

    /// Whether it is a convolution of any kind.
    public var isConvolution: Bool { self == .conv || self == .conv1x1 || self == .depthwise }
}
