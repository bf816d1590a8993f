internal import COneDNN

/// The window of a convolution or pooling: sizes for each spatial dimension.
package struct PrimitiveWindow: Sendable {
    package var kernel: [Int]
    package var strides: [Int]
    package var dilations: [Int]
    package var begin: [Int]
    package var end: [Int]

    package init(
        kernel: [Int], strides: [Int], dilations: [Int], begin: [Int], end: [Int]
    ) {
        self.kernel = kernel
        self.strides = strides
        self.dilations = dilations
        self.begin = begin
        self.end = end
    }

    fileprivate var kernel64: [Int64] { kernel.map(Int64.init) }
    fileprivate var strides64: [Int64] { strides.map(Int64.init) }
    fileprivate var dilations64: [Int64] { dilations.map { Int64($0 - 1) } }
    fileprivate var begin64: [Int64] { begin.map(Int64.init) }
    fileprivate var end64: [Int64] { end.map(Int64.init) }
}

extension Primitive {
    /// The gradient of a convolution's source.
    package static func convolutionBackwardData(
        sourceGradient: Layout, weights: Layout, gradient: Layout, _ window: PrimitiveWindow,
        forward: Primitive
    ) throws -> Primitive {
        try make("the gradient of a convolution of \(sourceGradient.shape)", []) {
            sdn_convolution_backward_data(
                $0, $1, sourceGradient.handle, weights.handle, gradient.handle,
                window.strides64, window.dilations64, window.begin64, window.end64,
                forward.descriptor, $2)
        }
    }

    /// The gradients of a convolution's weights and bias.
    package static func convolutionBackwardWeights(
        source: Layout, weightsGradient: Layout, biasGradient: Layout?, gradient: Layout,
        _ window: PrimitiveWindow, forward: Primitive
    ) throws -> Primitive {
        try make("the gradient of a convolution of \(source.shape)", []) {
            sdn_convolution_backward_weights(
                $0, $1, source.handle, weightsGradient.handle, biasGradient?.handle,
                gradient.handle, window.strides64, window.dilations64, window.begin64,
                window.end64, forward.descriptor, $2)
        }
    }

    /// Batch normalisation with the statistics of the batch, which it gives.
    package static func batchNormalizationTraining(
        epsilon: Float, relu: Bool, _ layout: Layout
    ) throws -> Primitive {
        try make("a batch normalization of \(layout.shape)", []) {
            sdn_batch_normalization_training(
                $0, $1, epsilon, relu ? 1 : 0, layout.handle, $2)
        }
    }

    package static func batchNormalizationBackward(
        epsilon: Float, relu: Bool, _ layout: Layout, forward: Primitive
    ) throws -> Primitive {
        try make("the gradient of a batch normalization of \(layout.shape)", []) {
            sdn_batch_normalization_backward(
                $0, $1, epsilon, relu ? 1 : 0, layout.handle, forward.descriptor, $2)
        }
    }

    /// The gradient of a function from its source.
    package static func functionBackward(
        _ function: PostOperation.Function, _ layout: Layout, forward: Primitive
    ) throws -> Primitive {
        try make("the gradient of a function of \(layout.shape)", []) {
            sdn_eltwise_backward(
                $0, $1, function.kind.rawValue, function.alpha, function.beta, layout.handle,
                forward.descriptor, $2)
        }
    }

    /// A pooling that keeps what its gradient needs.
    package static func poolingTraining(
        _ kind: PoolingKind, source: Layout, target: Layout, _ window: PrimitiveWindow
    ) throws -> Primitive {
        try make("a pooling of \(source.shape)", []) {
            sdn_pooling_training(
                $0, $1, kind.rawValue, source.handle, target.handle, window.kernel64,
                window.strides64, window.dilations64, window.begin64, window.end64, $2)
        }
    }

    package static func poolingBackward(
        _ kind: PoolingKind, sourceGradient: Layout, gradient: Layout,
        _ window: PrimitiveWindow, forward: Primitive
    ) throws -> Primitive {
        try make("the gradient of a pooling of \(sourceGradient.shape)", []) {
            sdn_pooling_backward(
                $0, $1, kind.rawValue, sourceGradient.handle, gradient.handle,
                window.kernel64, window.strides64, window.dilations64, window.begin64,
                window.end64, forward.descriptor, $2)
        }
    }
}
