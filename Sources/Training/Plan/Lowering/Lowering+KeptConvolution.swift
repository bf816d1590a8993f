internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// A convolution in lanes, over the rows that its weight keeps.
    mutating func lowerKeptConvolution(
        _ step: TrainingGraph.Step, _ convolution: Networks.Operation.Convolution
    ) throws -> Backward {
        let (x, w, y) = (step.inputs[0], step.inputs[1], step.outputs[0])
        let bias = step.inputs.count > 2 && step.inputs[2] >= 0 ? step.inputs[2] : nil
        let shape = draft.value(x).shape
        let window = try convolution.resolved(input: shape)
        let kernel = KeptConvolution(
            batch: shape[0], inputShape: Array(shape[1...]), weightShape: draft.value(w).shape,
            strides: convolution.strides, dilations: convolution.dilations,
            paddingBegin: window.padsBegin, paddingEnd: window.padsEnd,
            kept: graph.weight(w)?.keptPositions,
            threads: draft.threads)
        let (source, weights) = (try draft.read(x), try draft.read(w))
        let biasPlace = try bias.map { try draft.read($0) }
        let scratch = draft.buffer(bytes: kernel.scratchByteCount)
        let result = draft.define(y)
        draft.emit {
            let (x, y) = (try source.floats(), try result.floats())
            let (weights, bias) = (try weights.floats(), try biasPlace?.floats())
            let scratch = try scratch.place()
            return { kernel.forward(x: x, weights: weights, bias: bias, y: y, scratch: scratch) }
        }

        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let scratch = builder.draft.buffer(bytes: kernel.scratchByteCount)
            if builder.draft.value(x).needsGradient {
                let weights = try builder.draft.read(w)
                let result = builder.draft.buffer(bytes: builder.draft.bytes(x))
                builder.draft.emit {
                    let (dy, dx) = (try gradient.floats(), try result.floats())
                    let (weights, scratch) = (try weights.floats(), try scratch.place())
                    return {
                        kernel.backwardData(dy: dy, weights: weights, dx: dx, scratch: scratch)
                    }
                }
                try builder.draft.give(result, to: x)
            }
            let learnsBias = bias.map { builder.draft.value($0).needsGradient } ?? false
            guard builder.draft.value(w).needsGradient || learnsBias else { return }
            builder.draft.use(source)
            let weightGradient = builder.draft.buffer(bytes: builder.draft.bytes(w))
            var biasGradient: PlanBuffer?
            if learnsBias, let bias {
                biasGradient = builder.draft.buffer(bytes: builder.draft.bytes(bias))
            }
            builder.draft.emit {
                let (x, dy) = (try source.floats(), try gradient.floats())
                let (dw, dBias) = (try weightGradient.floats(), try biasGradient?.floats())
                let scratch = try scratch.place()
                return {
                    kernel.backwardWeights(x: x, dy: dy, dw: dw, dBias: dBias, scratch: scratch)
                }
            }
            try builder.draft.give(weightGradient, to: w)
            if let bias, let biasGradient { try builder.draft.give(biasGradient, to: bias) }
        }
    }
}
