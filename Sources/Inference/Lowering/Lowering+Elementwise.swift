internal import DensePrimitives
internal import DenseMath
internal import Networks

extension PlanBuilder {
    mutating func lowerUnary(_ item: PlanGraph.Operator, _ function: Operation.Unary) throws {
        let source = try read(item.inputs[0])
        let functions = function.primitives
        guard source.elementType == .float32, let first = functions.first else {
            return try lowerByReference(item)
        }
        let posts = functions.dropFirst().map { PostOperation.function($0) }
        let primitive = try Primitive.function(first, source.layout, posts: posts)
        let target = inPlace(source, item.output) ?? define(item.output, in: source.layout)
        try emit(primitive, [(.source, source), (.target, target)])
    }

    mutating func lowerBinary(_ item: PlanGraph.Operator, _ function: Operation.Binary) throws {
        let result = try info(item.output)
        var inputs = item.inputs
        if graph.shape(inputs[0]) != result.shape, function.isCommutative { inputs.reverse() }
        if function == .power, let power = graph.scalar(inputs[1]),
            graph.shape(inputs[0]) == result.shape
        {
            return try lowerPower(item, power)
        }
        guard let primitive = function.primitive, result.elementType == .float32,
            graph.shape(inputs[0]) == result.shape, !result.shape.isEmpty
        else { return try lowerByReference(item) }
        let first = try read(inputs[0])
        let shape = graph.shape(inputs[1])
        let second: PlacedValue
        if shape == result.shape {
            second = try read(inputs[1], as: first.layout)
        } else {
            let missing = result.shape.count - shape.count
            second = try readPlain(inputs[1]).seen(
                as: Layout(plain: Array(repeating: 1, count: missing) + shape))
        }
        let made = try fusing(item.fused) { posts in
            try Primitive.binary(
                primitive, first.layout, second.layout, target: first.layout, posts: posts)
        }
        let place = inPlace(first, item.output) ?? define(item.output, in: first.layout)
        try emit(
            made.primitive, operation: label(item, made.fused),
            [(.source, first), (.secondSource, second), (.target, place)])
        try lowerFused(made.remaining, on: item.output)
    }

    private mutating func lowerPower(_ item: PlanGraph.Operator, _ power: Float) throws {
        let source = try read(item.inputs[0])
        guard source.elementType == .float32 else { return try lowerByReference(item) }
        let primitive = try Primitive.function(
            .init(kind: .pow, alpha: 1, beta: power), source.layout, posts: [])
        let target = inPlace(source, item.output) ?? define(item.output, in: source.layout)
        try emit(primitive, [(.source, source), (.target, target)])
        try lowerFused(item.fused, on: item.output)
    }
}
