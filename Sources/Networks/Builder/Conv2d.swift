/// Convolution of images; the input channels are those that it is given.
///
/// Weights are normal with variance 2 / (outputs / groups x kernel area) as torchvision's, so
/// depthwise ones are as large as others; biases uniform as PyTorch's.
public struct Conv2d: Layer {
    private let outputs: Int
    private let kernelSize: Int
    private let stride: Int
    private let padding: Operation.SpatialPadding
    private let dilation: Int
    private let groups: Int
    private let bias: Bool
    private let name: String?

    /// `padding` zeros on each side.
    public init(
        _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
        groups: Int = 1, bias: Bool = true, name: String? = nil
    ) {
        self.init(
            outputs, kernelSize: kernelSize, stride: stride,
            padding: .explicit([padding, padding], [padding, padding]), dilation: dilation,
            groups: groups, bias: bias, name: name)
    }

    /// Padding of any kind, such as `.sameUpper` for TensorFlow's SAME.
    public init(
        _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Operation.SpatialPadding,
        dilation: Int = 1, groups: Int = 1, bias: Bool = true, name: String? = nil
    ) {
        self.outputs = outputs
        self.kernelSize = kernelSize
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.bias = bias
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        let node = draft.takeName(name)
        let window = LayerWindow(
            kernelSize: kernelSize, stride: stride, dilation: dilation, padding: padding)
        let image = try draft.image(for: node)
        try NetworkDraft.check("output channels", outputs, in: node)
        try NetworkDraft.check("groups", groups, in: node)
        guard image.channels % groups == 0, outputs % groups == 0 else {
            throw NetworkError(
                .shapeMismatch,
                "\(image.channels) input and \(outputs) output channels are not multiples of its "
                    + "\(groups) groups", node: node)
        }
        let size = try window.outputSize(image.height, image.width, in: node)

        let area = kernelSize * kernelSize
        let fanIn = image.channels / groups * area
        let weights = Initialization.kaimingNormal(fanOut: outputs / groups * area)
        var parameters = [
            try draft.parameter(
                "weight", of: node, [outputs, image.channels / groups, kernelSize, kernelSize],
                weights)
        ]
        var variance = Double(fanIn) * weights.meanSquare * draft.value.moments.meanSquare
        if bias {
            let biases = Initialization.torchUniform(fanIn: fanIn)
            parameters.append(try draft.parameter("bias", of: node, [outputs], biases))
            variance += biases.meanSquare
        }
        draft.apply(
            .conv(
                .init(
                    kernel: [kernelSize, kernelSize], strides: [stride, stride],
                    dilations: [dilation, dilation], groups: groups, padding: padding)),
            node, parameters, shape: [outputs] + size, moments: .init(mean: 0, variance: variance))
    }
}
