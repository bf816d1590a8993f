internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// The share of the batch's statistics in the running ones, as PyTorch has it.
    static let runningShare: Float = 0.1

    /// Inputs X, scale, bias, running mean, running variance.
    mutating func lowerBatchNormalization(
        _ step: TrainingGraph.Step, epsilon: Float, relu: Bool
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let (scale, shift) = (step.inputs[1], step.inputs[2])
        let layout = try draft.layout(x)
        let channels = draft.value(x).shape[1]
        let channelLayout = try draft.plain([channels])
        let channelBytes = channels * MemoryLayout<Float>.stride
        let forward: Primitive
        do {
            forward = try .batchNormalizationTraining(epsilon: epsilon, relu: relu, layout)
        } catch let failure as OneDNN.Failure {
            throw TrainingError(.notDifferentiable, failure.description, path: step.node)
        }
        let source = try draft.read(x)
        let mean = draft.buffer(bytes: channelBytes)
        let variance = draft.buffer(bytes: channelBytes)
        var arguments = [
            (Primitive.Argument.source, layout, source),
            (.scale, channelLayout, try draft.read(scale)),
            (.shift, channelLayout, try draft.read(shift)),
            (.target, layout, draft.define(y)), (.mean, channelLayout, mean),
            (.variance, channelLayout, variance),
        ]
        let signs = forward.workspaceLayout.map {
            ($0, draft.buffer(bytes: $0.byteCount))
        }
        if let (layout, buffer) = signs { arguments.append((.workspace, layout, buffer)) }
        draft.emit(forward, arguments)
        try emitRunningStatistics(step, mean: mean, variance: variance)

        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let primitive = try Primitive.batchNormalizationBackward(
                epsilon: epsilon, relu: relu, layout, forward: forward)
            builder.draft.use(mean)
            builder.draft.use(variance)
            let result = builder.draft.buffer(bytes: builder.draft.bytes(x))
            let scaleGradient = builder.draft.buffer(bytes: channelBytes)
            let shiftGradient = builder.draft.buffer(bytes: channelBytes)
            var arguments = [
                (Primitive.Argument.source, layout, try builder.draft.read(x)),
                (.mean, channelLayout, mean), (.variance, channelLayout, variance),
                (.targetGradient, layout, gradient),
                (.scale, channelLayout, try builder.draft.read(scale)),
                (.shift, channelLayout, try builder.draft.read(shift)),
                (.sourceGradient, layout, result),
                (.scaleGradient, channelLayout, scaleGradient),
                (.shiftGradient, channelLayout, shiftGradient),
            ]
            if let (layout, buffer) = signs {
                builder.draft.use(buffer)
                arguments.append((.workspace, layout, buffer))
            }
            builder.draft.emit(primitive, arguments)
            try builder.draft.give(result, to: x)
            try builder.draft.give(scaleGradient, to: scale)
            try builder.draft.give(shiftGradient, to: shift)
        }
    }

    /// Moves the running statistics, where they are variables; the variance without bias.
    mutating func emitRunningStatistics(
        _ step: TrainingGraph.Step, mean: PlanBuffer, variance: PlanBuffer
    ) throws {
        let count = draft.count(step.inputs[0]) / draft.value(step.inputs[0]).shape[1]
        let correction = count > 1 ? Float(count) / Float(count - 1) : 1
        for (input, batch, factor) in [
            (step.inputs[3], mean, Float(1)), (step.inputs[4], variance, correction),
        ] {
            guard case .variable = draft.value(input).origin else { continue }
            let running = try draft.read(input)
            let channels = draft.count(input)
            draft.emit {
                let (target, source) = (try running.floats(), try batch.floats())
                return {
                    for i in 0..<channels {
                        target[i] += Self.runningShare * (factor * source[i] - target[i])
                    }
                }
            }
        }
    }
}
