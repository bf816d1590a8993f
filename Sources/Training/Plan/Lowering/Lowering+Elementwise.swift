internal import DenseMath
internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// Whether a sum has two operands of one shape in one order.
    func isPlainSum(_ step: TrainingGraph.Step) -> Bool {
        let operands = step.inputs.map { draft.value($0) }
        return operands[0].shape == operands[1].shape
            && operands[0].storage == operands[1].storage
            && operands.allSatisfy { !$0.isInteger }
    }

    /// The sum of two values of one shape, perhaps with ReLU.
    mutating func lowerSum(_ step: TrainingGraph.Step, relu: Bool) throws -> Backward {
        let (a, b, y) = (step.inputs[0], step.inputs[1], step.outputs[0])
        let layout = try draft.flat(y)
        let posts: [PostOperation] = relu ? [.function(.init(kind: .relu))] : []
        let result = draft.define(y)
        draft.emit(
            try .binary(.add, layout, layout, target: layout, posts: posts),
            [
                (.source, layout, try draft.read(a)), (.secondSource, layout, try draft.read(b)),
                (.target, layout, result),
            ])
        return { builder in
            guard var gradient = builder.draft.gradient(of: y) else { return }
            if relu {
                gradient = try builder.functionGradient(
                    .init(kind: .reluOfResult), of: gradient, data: result, layout)
            }
            let both = builder.draft.value(a).needsGradient && builder.draft.value(b).needsGradient
            try builder.draft.give(gradient, to: a, isExclusive: !both)
            try builder.draft.give(gradient, to: b, isExclusive: !both)
        }
    }

    /// Adds the gradient of a function.
    ///
    /// - Parameter data: the function's operand, or its result for a function that says so.
    private mutating func functionGradient(
        _ function: PostOperation.Function, of gradient: PlanBuffer, data: PlanBuffer,
        _ layout: Layout
    ) throws -> PlanBuffer {
        let forward = try Primitive.function(function, layout, posts: [])
        let primitive = try Primitive.functionBackward(function, layout, forward: forward)
        draft.use(data)
        let result = draft.buffer(bytes: layout.byteCount)
        let isOfResult = function.kind == .reluOfResult
        draft.emit(
            primitive,
            [
                (isOfResult ? .target : .source, layout, data),
                (.targetGradient, layout, gradient), (.sourceGradient, layout, result),
            ])
        return result
    }

    mutating func lowerUnary(
        _ step: TrainingGraph.Step, _ function: Networks.Operation.Unary
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        var functions = function.primitives
        if function == .relu { functions = [.init(kind: .reluOfResult)] }
        let layout = try draft.flat(x)
        guard functions.count == 1, Self.isSupported(functions[0], layout) else {
            return try lowerFormula(step, function)
        }
        let source = try draft.read(x)
        let result = draft.define(y)
        draft.emit(
            try .function(functions[0], layout, posts: []),
            [(.source, layout, source), (.target, layout, result)])
        let isOfResult = functions[0].kind == .reluOfResult
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let result = try builder.functionGradient(
                functions[0], of: gradient, data: isOfResult ? result : source, layout)
            try builder.draft.give(result, to: x)
        }
    }

    /// Whether oneDNN has a function's gradient.
    private static func isSupported(_ function: PostOperation.Function, _ layout: Layout) -> Bool {
        guard let forward = try? Primitive.function(function, layout, posts: []) else {
            return false
        }
        return (try? Primitive.functionBackward(function, layout, forward: forward)) != nil
    }

    /// A function that oneDNN does not have, by plain loops.
    private mutating func lowerFormula(
        _ step: TrainingGraph.Step, _ function: Networks.Operation.Unary
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        guard let derivative = function.derivative else {
            throw TrainingError(
                .notDifferentiable, "\(Networks.Operation.unary(function).name) has no gradient",
                path: step.node)
        }
        let count = draft.count(x)
        let source = try draft.read(x)
        let result = draft.define(y)
        draft.emit {
            let (source, result) = (try source.floats(), try result.floats())
            return {
                let input = Tensor(
                    shape: [count], Array(UnsafeBufferPointer(start: source, count: count)))
                let output = try Networks.Operation.unary(function).evaluated(
                    [ValueInfo(.float32, [count], constant: input)],
                    as: [ValueInfo(.float32, [count])])
                output[0].withFloats { floats in
                    if let start = floats.baseAddress { result.update(from: start, count: count) }
                }
            }
        }
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            builder.draft.use(source)
            let result = builder.draft.buffer(bytes: builder.draft.bytes(x))
            builder.draft.emit {
                let (x, dy, dx) = (try source.floats(), try gradient.floats(), try result.floats())
                return { for i in 0..<count { dx[i] = dy[i] * Float(derivative(Double(x[i]))) } }
            }
            try builder.draft.give(result, to: x)
        }
    }
}
