internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// Adds the forward pass of a step and gives its backward one.
    mutating func lower(_ step: TrainingGraph.Step) throws -> Backward {
        switch step.kind {
        case .batchNormalization(let epsilon, let relu)
        where draft.value(step.inputs[0]).storage == .lanes:
            return try lowerLaneNormalization(step, epsilon: epsilon, relu: relu)
        case .batchNormalization(let epsilon, let relu):
            return try lowerBatchNormalization(step, epsilon: epsilon, relu: relu)
        case .addRelu: return try lowerSum(step, relu: true)
        case .convert: return try lowerConversion(step)
        case .quantize: return try lowerRounding(step)
        case .quantizeWeight(let axis): return try lowerWeightRounding(step, filterAxis: axis)
        case .quantizeGradient: return try lowerGradientRounding(step)
        case .operation(let operation):
            do {
                return try lower(step, operation)
            } catch let failure as OneDNN.Failure {
                throw TrainingError(.notDifferentiable, failure.description, path: step.node)
            }
        }
    }

    private mutating func lower(
        _ step: TrainingGraph.Step, _ operation: Networks.Operation
    ) throws -> Backward {
        switch operation {
        case .conv(let convolution): return try lowerConvolution(step, convolution)
        case .gemm(let gemm): return try lowerGemm(step, gemm)
        case .matMul: return try lowerMatMul(step)
        case .maxPool(let pooling): return try lowerPooling(step, pooling, .maximum)
        case .averagePool(let pooling, let countsPadding):
            return try lowerPooling(
                step, pooling, countsPadding ? .averageWithPadding : .average)
        case .globalAveragePool: return try lowerGlobalPooling(step, .average)
        case .globalMaxPool: return try lowerGlobalPooling(step, .maximum)
        case .unary(let function): return try lowerUnary(step, function)
        case .binary(.add) where isPlainSum(step): return try lowerSum(step, relu: false)
        case .binary(let function): return try lowerBinary(step, function)
        case .softmax(let axis): return try lowerSoftmax(step, axis: axis)
        case .layerNormalization(let axis, let epsilon):
            return try lowerLayerNormalization(step, axis: axis, epsilon: epsilon)
        case .reduce(let reduction, let axes, _):
            return try lowerReduction(step, reduction, axes: axes)
        case .reshape, .flatten, .squeeze, .unsqueeze: return try lowerView(step)
        case .transpose, .concat, .split, .slice, .pad, .gather, .expand:
            return try lowerMovement(step, operation)
        default:
            throw TrainingError(
                .notDifferentiable, "\(operation.name) has no gradient here", path: step.node)
        }
    }

    /// The same elements in the same order under another shape.
    private mutating func lowerView(_ step: TrainingGraph.Step) throws -> Backward {
        let place = try draft.read(step.inputs[0])
        draft.define(step.outputs[0], as: place)
        return { builder in
            guard let gradient = builder.draft.gradient(of: step.outputs[0]) else { return }
            try builder.draft.give(gradient, to: step.inputs[0])
        }
    }

    /// The same value in another order.
    private mutating func lowerConversion(_ step: TrainingGraph.Step) throws -> Backward {
        let (from, to) = (step.inputs[0], step.outputs[0])
        let (source, target) = try orders(from, to)
        let place = try draft.read(from)
        if source == target {
            draft.define(to, as: place)
        } else {
            let result = draft.define(to)
            draft.emit(
                try .reorder(from: source, to: target),
                [(.source, source, place), (.target, target, result)])
        }
        return { builder in
            guard let gradient = builder.draft.gradient(of: to) else { return }
            guard source != target else { return try builder.draft.give(gradient, to: from) }
            guard builder.draft.value(from).needsGradient else { return }
            let result = builder.draft.buffer(bytes: builder.draft.bytes(from))
            builder.draft.emit(
                try .reorder(from: target, to: source),
                [(.source, target, gradient), (.target, source, result)])
            try builder.draft.give(result, to: from)
        }
    }

    /// The layouts of one value in two orders, in the same terms.
    private mutating func orders(_ first: Int, _ second: Int) throws -> (Layout, Layout) {
        let storages = [first, second].map { draft.value($0).storage }
        guard storages.contains(.lanes) else {
            return (try draft.layout(first), try draft.layout(second))
        }
        let shape = draft.value(first).shape
        let plane = shape[2] * shape[3]
        let sizes = [shape[0] / 16, 16, shape[1], plane]
        let layouts = try storages.map { storage in
            let strides =
                switch storage {
                case .plain: Layout.plainStrides(of: sizes)
                case .channelsLast: [16 * shape[1] * plane, shape[1] * plane, 1, shape[1]]
                case .lanes: [16 * shape[1] * plane, 1, plane * 16, 16]
                }
            return try Layout(sizes, strides: strides)
        }
        return (layouts[0], layouts[1])
    }
}
