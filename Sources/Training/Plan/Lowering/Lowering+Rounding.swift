internal import DensePrimitives

/// Training in few bits.
extension PlanBuilder {
    private var requiredQuantizer: FakeQuantizer {
        guard let quantizer else { preconditionFailure("the graph rounds, the plan does not") }
        return quantizer
    }

    /// How the images of a value lie.
    private func samples(of number: Int) -> SampleLayout {
        let value = draft.value(number)
        let images = value.shape.first ?? 1
        return SampleLayout(
            samples: images, elements: draft.count(number) / images,
            lanes: value.storage == .lanes ? 16 : 1)
    }

    /// A value that a convolution or product takes; its gradient passes unchanged.
    mutating func lowerRounding(_ step: TrainingGraph.Step) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let (quantizer, layout) = (requiredQuantizer, samples(of: x))
        let range = ActivationRange()
        context.ranges["\(step.node)/\(draft.value(x).name)"] = range
        let (source, result) = (try draft.read(x), draft.define(y))
        draft.emit {
            let (x, y) = (try source.floats(), try result.floats())
            return { quantizer.quantiseActivations(x, layout, range, into: y) }
        }
        return passing(step)
    }

    /// A weight; its gradient passes unchanged.
    mutating func lowerWeightRounding(
        _ step: TrainingGraph.Step, filterAxis: Int
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let quantizer = requiredQuantizer
        let filters = draft.value(x).shape[filterAxis]
        let layout = SampleLayout(
            samples: filters, elements: draft.count(x) / filters,
            lanes: filterAxis == 0 ? 1 : filters)
        let (source, result) = (try draft.read(x), draft.define(y))
        draft.emit {
            let (x, y) = (try source.floats(), try result.floats())
            return { quantizer.quantiseWeights(x, filters: layout, into: y) }
        }
        return passing(step)
    }

    private func passing(_ step: TrainingGraph.Step) -> Backward {
        { builder in
            guard let gradient = builder.draft.gradient(of: step.outputs[0]) else { return }
            try builder.draft.give(gradient, to: step.inputs[0])
        }
    }

    /// A result whose gradient is rounded up or down by chance.
    mutating func lowerGradientRounding(_ step: TrainingGraph.Step) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let (quantizer, layout) = (requiredQuantizer, samples(of: x))
        let node = draft.time
        draft.define(y, as: try draft.read(x))
        let context = context
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let result = builder.draft.buffer(bytes: builder.draft.bytes(x))
            builder.draft.emit {
                let (dy, dx) = (try gradient.floats(), try result.floats())
                return {
                    quantizer.quantiseGradient(
                        dy, layout, step: context.step, node: node, into: dx)
                }
            }
            try builder.draft.give(result, to: x)
        }
    }
}
