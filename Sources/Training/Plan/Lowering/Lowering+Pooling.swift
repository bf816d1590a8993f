internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    mutating func lowerPooling(
        _ step: TrainingGraph.Step, _ pooling: Networks.Operation.Pooling,
        _ kind: Primitive.PoolingKind
    ) throws -> Backward {
        let shape = draft.value(step.inputs[0]).shape
        let resolved = try pooling.resolved(input: shape)
        var window = PrimitiveWindow(
            kernel: pooling.kernel, strides: pooling.strides, dilations: pooling.dilations,
            begin: resolved.padsBegin, end: resolved.padsEnd)
        // What the last windows reach beyond, when rounding up.
        for i in window.kernel.indices {
            let reach =
                (resolved.outputSpatial[i] - 1) * window.strides[i]
                + (window.kernel[i] - 1) * window.dilations[i] + 1
            let needed = reach - shape[2 + i] - window.begin[i]
            guard kind != .averageWithPadding || needed <= window.end[i] else {
                throw TrainingError(
                    .notDifferentiable,
                    "an average that counts padding has no gradient here where its last window "
                        + "reaches beyond the padding", path: step.node)
            }
            window.end[i] = max(0, needed)
        }
        return try lowerWindows(step, window, kind)
    }

    /// Over all spatial positions.
    mutating func lowerGlobalPooling(
        _ step: TrainingGraph.Step, _ kind: Primitive.PoolingKind
    ) throws -> Backward {
        let spatial = Array(draft.value(step.inputs[0]).shape.dropFirst(2))
        let ones = spatial.map { _ in 1 }
        let zeros = spatial.map { _ in 0 }
        return try lowerWindows(
            step,
            PrimitiveWindow(
                kernel: spatial, strides: ones, dilations: ones, begin: zeros, end: zeros), kind)
    }

    private mutating func lowerWindows(
        _ step: TrainingGraph.Step, _ window: PrimitiveWindow, _ kind: Primitive.PoolingKind
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let (source, target, window) = try poolingLayouts(x, y, window)
        let forward = try Primitive.poolingTraining(kind, source: source, target: target, window)
        var arguments = [
            (Primitive.Argument.source, source, try draft.read(x)),
            (.target, target, draft.define(y)),
        ]
        let chosen = forward.workspaceLayout.map { ($0, draft.buffer(bytes: $0.byteCount)) }
        if let (layout, buffer) = chosen { arguments.append((.workspace, layout, buffer)) }
        draft.emit(forward, arguments)
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let primitive = try Primitive.poolingBackward(
                kind, sourceGradient: source, gradient: target, window, forward: forward)
            let result = builder.draft.buffer(bytes: builder.draft.bytes(x))
            var arguments = [
                (Primitive.Argument.targetGradient, target, gradient),
                (.sourceGradient, source, result),
            ]
            if let (layout, buffer) = chosen {
                builder.draft.use(buffer)
                arguments.append((.workspace, layout, buffer))
            }
            builder.draft.emit(primitive, arguments)
            try builder.draft.give(result, to: x)
        }
    }

    /// Layouts in which windows can be told: of lanes, as [N / 16, C, H, W, 16].
    private mutating func poolingLayouts(
        _ x: Int, _ y: Int, _ window: PrimitiveWindow
    ) throws -> (Layout, Layout, PrimitiveWindow) {
        guard draft.value(x).storage == .lanes else {
            return (try draft.layout(x), try draft.layout(y), window)
        }
        let shapes = [x, y].map { number in
            let shape = draft.value(number).shape
            return [shape[0] / 16, shape[1], shape[2], shape[3], 16]
        }
        var deep = window
        deep.kernel.append(1)
        deep.strides.append(1)
        deep.dilations.append(1)
        deep.begin.append(0)
        deep.end.append(0)
        return (try draft.plain(shapes[0]), try draft.plain(shapes[1]), deep)
    }
}
