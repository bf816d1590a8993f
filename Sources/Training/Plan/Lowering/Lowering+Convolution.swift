internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// X `[N, C, ...]`, W `[M, C / groups, kernel...]`, optional bias `[M]`.
    mutating func lowerConvolution(
        _ step: TrainingGraph.Step, _ convolution: Networks.Operation.Convolution
    ) throws -> Backward {
        if draft.value(step.inputs[0]).storage == .lanes {
            return try lowerKeptConvolution(step, convolution)
        }
        let (x, w, y) = (step.inputs[0], step.inputs[1], step.outputs[0])
        let bias = step.inputs.count > 2 && step.inputs[2] >= 0 ? step.inputs[2] : nil
        let resolved = try convolution.resolved(input: draft.value(x).shape)
        let window = PrimitiveWindow(
            kernel: convolution.kernel, strides: convolution.strides,
            dilations: convolution.dilations, begin: resolved.padsBegin, end: resolved.padsEnd)
        // oneDNN takes the weights of groups as [groups, M / groups, C / groups, kernel...].
        let shape = draft.value(w).shape
        let groups = convolution.groups
        let sizes = groups > 1 ? [groups, shape[0] / groups] + shape.dropFirst() : shape
        let (xLayout, yLayout) = (try draft.layout(x), try draft.layout(y))
        let biasLayout = try bias.map { try draft.plain(draft.value($0).shape) }
        let anyWeights = try Layout(any: sizes)
        let forward = try Primitive.convolution(
            source: xLayout, weights: anyWeights, bias: biasLayout, target: yLayout,
            strides: window.strides, dilations: window.dilations,
            padding: (window.begin, window.end), posts: [])
        let weightLayout = try forward.weightsLayout(sizes)
        var arguments = [
            (Primitive.Argument.source, xLayout, try draft.read(x)),
            (.weights, weightLayout, try reordered(w, sizes, to: weightLayout)),
            (.target, yLayout, draft.define(y)),
        ]
        if let bias, let biasLayout {
            arguments.append((.bias, biasLayout, try draft.read(bias)))
        }
        draft.emit(forward, arguments)

        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            if builder.draft.value(x).needsGradient {
                let primitive = try Primitive.convolutionBackwardData(
                    sourceGradient: xLayout, weights: anyWeights, gradient: yLayout, window,
                    forward: forward)
                let layout = try primitive.weightsLayout(sizes)
                let result = builder.draft.buffer(bytes: builder.draft.bytes(x))
                builder.draft.emit(
                    primitive,
                    [
                        (.targetGradient, yLayout, gradient),
                        (.weights, layout, try builder.reordered(w, sizes, to: layout)),
                        (.sourceGradient, xLayout, result),
                    ])
                try builder.draft.give(result, to: x)
            }
            let learnsBias = bias.map { builder.draft.value($0).needsGradient } ?? false
            guard builder.draft.value(w).needsGradient || learnsBias else { return }
            let primitive = try Primitive.convolutionBackwardWeights(
                source: xLayout, weightsGradient: anyWeights,
                biasGradient: learnsBias ? biasLayout : nil, gradient: yLayout, window,
                forward: forward)
            let layout = try primitive.weightsGradientLayout(sizes)
            let native = builder.draft.buffer(bytes: layout.byteCount)
            var arguments = [
                (Primitive.Argument.source, xLayout, try builder.draft.read(x)),
                (.targetGradient, yLayout, gradient), (.weightsGradient, layout, native),
            ]
            if learnsBias, let bias, let biasLayout {
                let result = builder.draft.buffer(bytes: builder.draft.bytes(bias))
                arguments.append((.biasGradient, biasLayout, result))
                builder.draft.emit(primitive, arguments)
                try builder.draft.give(result, to: bias)
            } else {
                builder.draft.emit(primitive, arguments)
            }
            try builder.give(native, in: layout, sizes, to: w)
        }
    }

    /// A variable or constant in the layout that a primitive takes it in.
    private mutating func reordered(
        _ number: Int, _ sizes: [Int], to layout: Layout
    ) throws -> PlanBuffer {
        let plain = try draft.plain(sizes)
        let place = try draft.read(number)
        guard plain != layout else { return place }
        let result = draft.buffer(bytes: layout.byteCount)
        draft.emit(
            try .reorder(from: plain, to: layout),
            [(.source, plain, place), (.target, layout, result)])
        return result
    }

    /// Adds a gradient that lies in a primitive's layout.
    private mutating func give(
        _ buffer: PlanBuffer, in layout: Layout, _ sizes: [Int], to number: Int
    ) throws {
        guard draft.value(number).needsGradient else { return }
        let plain = try draft.plain(sizes)
        guard plain != layout else { return try draft.give(buffer, to: number) }
        let result = draft.buffer(bytes: draft.bytes(number))
        draft.emit(
            try .reorder(from: layout, to: plain),
            [(.source, layout, buffer), (.target, plain, result)])
        try draft.give(result, to: number)
    }
}
