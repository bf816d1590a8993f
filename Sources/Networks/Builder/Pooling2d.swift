/// The largest value of each window.
public struct MaxPool2d: Layer {
    private let kernelSize: Int
    private let stride: Int
    private let padding: Int
    private let name: String?

    /// A missing stride is the kernel size.
    public init(_ kernelSize: Int, stride: Int? = nil, padding: Int = 0, name: String? = nil) {
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.padding = padding
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        try draft.addPooling(kernelSize, stride, padding, name) { pooling in
            .maxPool(pooling)
        } moments: {
            $0.largest(of: kernelSize * kernelSize)
        }
    }
}

/// The mean of each window; padding counts as zeros, as in PyTorch.
public struct AvgPool2d: Layer {
    private let kernelSize: Int
    private let stride: Int
    private let padding: Int
    private let name: String?

    /// A missing stride is the kernel size.
    public init(_ kernelSize: Int, stride: Int? = nil, padding: Int = 0, name: String? = nil) {
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.padding = padding
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        try draft.addPooling(kernelSize, stride, padding, name) { pooling in
            .averagePool(pooling, countsPadding: true)
        } moments: {
            .init(mean: $0.mean, variance: $0.variance / Double(kernelSize * kernelSize))
        }
    }
}

/// Means over windows such that the image becomes `size` x `size`; its height and width have to be
/// multiples of that.
public struct AdaptiveAvgPool2d: Layer {
    private let size: Int
    private let name: String?

    public init(_ size: Int, name: String? = nil) {
        self.size = size
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        let node = draft.takeName(name)
        let image = try draft.image(for: node)
        try NetworkDraft.check("size", size, in: node)
        let before = draft.value.moments
        guard image.height % size == 0, image.width % size == 0 else {
            throw NetworkError(
                .shapeMismatch,
                "an image of \(image.height)x\(image.width) is no multiple of \(size)x\(size)",
                node: node)
        }
        let kernel = [image.height / size, image.width / size]
        guard kernel != [1, 1] else { return }
        // The variance is left: channels differ more than places do.
        draft.apply(
            size == 1
                ? .globalAveragePool
                : .averagePool(.init(kernel: kernel, strides: kernel), countsPadding: false),
            node, shape: [image.channels, size, size], moments: before)
    }
}

/// The mean of each channel over the whole image: ``AdaptiveAvgPool2d`` to 1x1.
public struct GlobalAveragePool: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        try AdaptiveAvgPool2d(1, name: name).add(to: &draft)
    }
}

extension NetworkDraft {
    fileprivate mutating func addPooling(
        _ kernelSize: Int, _ stride: Int, _ padding: Int, _ name: String?,
        _ operation: (Operation.Pooling) -> Operation, moments: (Moments) -> Moments
    ) throws {
        let node = takeName(name)
        let image = try image(for: node)
        guard padding <= kernelSize / 2 else {
            throw NetworkError(
                .invalidNode,
                "its padding is \(padding), more than half of its kernel size \(kernelSize)",
                node: node)
        }
        let padding = Operation.SpatialPadding.explicit([padding, padding], [padding, padding])
        let window = LayerWindow(
            kernelSize: kernelSize, stride: stride, dilation: 1, padding: padding)
        let size = try window.outputSize(image.height, image.width, in: node)
        let pooling = Operation.Pooling(
            kernel: [kernelSize, kernelSize], strides: [stride, stride], padding: padding)
        apply(
            operation(pooling), node, shape: [image.channels] + size,
            moments: moments(value.moments))
    }
}
