internal import DensePrimitives
internal import DenseMath
internal import Networks

extension PlanBuilder {
    mutating func lowerBatchNormalization(_ item: PlanGraph.Operator, epsilon: Float) throws {
        let source = try read(item.inputs[0])
        guard source.elementType == .float32, source.shape.count >= 2 else {
            return try lowerByReference(item)
        }
        let made = try fusing(item.fused) { posts in
            try Primitive.batchNormalization(
                epsilon: epsilon, source.layout, posts: posts)
        }
        let place = inPlace(source, item.output) ?? define(item.output, in: source.layout)
        try emit(
            made.primitive, operation: label(item, made.fused),
            [
                (.source, source), (.scale, readPlain(item.inputs[1])),
                (.shift, readPlain(item.inputs[2])), (.mean, readPlain(item.inputs[3])),
                (.variance, readPlain(item.inputs[4])), (.target, place),
            ])
        try lowerFused(made.remaining, on: item.output)
    }

    mutating func lowerLayerNormalization(
        _ item: PlanGraph.Operator, axis: Int, epsilon: Float
    ) throws {
        let source = try readPlain(item.inputs[0])
        let first = axis < 0 ? axis + source.shape.count : axis
        let inner = source.shape[first...].reduce(1, *)
        let outer = source.shape[..<first].reduce(1, *)
        // One number for each element of a row; others of as many elements repeat along it.
        func isRow(_ value: String) -> Bool {
            graph.shape(value).drop { $0 == 1 } == source.shape[first...].drop { $0 == 1 }
        }
        guard item.outputs.count == 1, isRow(item.inputs[1]), item.input(2).map(isRow) ?? true
        else { return try lowerByReference(item) }
        let layout = try Layout(plain: [outer, inner])
        let vector = try Layout(plain: [inner])
        let shift =
            item.input(2) ?? graph.addConstant(item.name + " no shift", Tensor(zeros: [inner]))
        let primitive = try Primitive.layerNormalization(epsilon: epsilon, layout)
        let target = try define(item.output, plain: info(item.output))
        try emit(
            primitive,
            [
                (.source, source.seen(as: layout)),
                (.scale, readPlain(item.inputs[1]).seen(as: vector)),
                (.shift, readPlain(shift).seen(as: vector)), (.target, target.seen(as: layout)),
            ])
    }

    mutating func lowerSoftmax(_ item: PlanGraph.Operator, axis: Int) throws {
        let source = try readPlain(item.inputs[0])
        let index = axis < 0 ? axis + source.shape.count : axis
        let layout = try Layout(plain: [
            source.shape[..<index].reduce(1, *), source.shape[index],
            source.shape[(index + 1)...].reduce(1, *),
        ])
        let primitive = try Primitive.softmax(axis: 1, layout)
        let target = try define(item.output, plain: info(item.output))
        try emit(
            primitive, [(.source, source.seen(as: layout)), (.target, target.seen(as: layout))])
    }

    /// The source's own memory for the result, when nobody else reads it.
    mutating func inPlace(_ source: PlacedValue, _ output: String) -> PlacedValue? {
        guard isLastUse(source) else { return nil }
        define(output, replacing: source, shape: source.shape)
        return source
    }
}
