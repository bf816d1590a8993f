internal import DensePrimitives
internal import DenseMath
internal import Networks

extension PlanBuilder {
    mutating func lowerPooling(
        _ item: PlanGraph.Operator, _ pooling: Operation.Pooling, _ kind: Primitive.PoolingKind
    ) throws {
        let source = try read(item.inputs[0])
        let shape = try info(item.output).shape
        let window = try pooling.resolved(input: source.shape)
        var end = window.padsEnd
        var isWhole = true
        for axis in pooling.kernel.indices {
            // Rounding up lets the last window reach further than the padding.
            let reach =
                (window.outputSpatial[axis] - 1) * pooling.strides[axis]
                + (pooling.kernel[axis] - 1) * pooling.dilations[axis] + 1
            let needed = reach - source.shape[axis + 2] - window.padsBegin[axis]
            if needed > end[axis], kind == .averageWithPadding { isWhole = false }
            end[axis] = max(needed, 0)
        }
        guard isWhole, item.outputs.count == 1, source.elementType == .float32,
            zip(end, pooling.kernel).allSatisfy({ $0 < $1 }),
            pooling.dilations.allSatisfy({ $0 == 1 }) || kind == .maximum,
            let primitive = try? Primitive.pooling(
                kind, source: source.layout, target: Layout(any: shape), kernel: pooling.kernel,
                strides: pooling.strides, dilations: pooling.dilations,
                padding: (window.padsBegin, end), posts: [])
        else { return try lowerByReference(item) }
        let target = try define(item.output, in: primitive.targetLayout(shape))
        try emit(primitive, [(.source, source), (.target, target)])
    }

    mutating func lowerGlobalPooling(
        _ item: PlanGraph.Operator, _ kind: Primitive.PoolingKind
    ) throws {
        let source = try read(item.inputs[0])
        guard (3...5).contains(source.shape.count) else { return try lowerByReference(item) }
        let spatial = Array(source.shape.dropFirst(2))
        let ones = spatial.map { _ in 1 }
        let zeros = spatial.map { _ in 0 }
        let shape = Array(source.shape.prefix(2)) + ones
        let primitive = try Primitive.pooling(
            kind, source: source.layout, target: Layout(any: shape), kernel: spatial,
            strides: ones, dilations: ones, padding: (zeros, zeros), posts: [])
        let layout = try primitive.targetLayout(shape)
        guard try info(item.output).shape != shape else {
            let target = define(item.output, in: layout)
            return try emit(primitive, [(.source, source), (.target, target)])
        }
        // Dimensions of one are dropped: the result has to be row-major.
        var pooled = unnamed(in: layout)
        try emit(primitive, [(.source, source), (.target, pooled)])
        if try layout != Layout(plain: shape) {
            pooled = try copy(pooled, in: Layout(plain: shape))
        }
        try define(item.output, viewing: pooled, as: info(item.output))
    }

    mutating func lowerMean(_ item: PlanGraph.Operator, axes: [Int]?) throws {
        let source = try read(item.inputs[0])
        let rank = source.shape.count
        let list = Set((axes ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 })
        guard source.elementType == .float32, rank > 0 else { return try lowerByReference(item) }
        if rank >= 3, list == Set(2..<rank) { return try lowerGlobalPooling(item, .average) }
        let plain = try readPlain(item.inputs[0])
        let kept = plain.shape.indices.map { list.contains($0) ? 1 : plain.shape[$0] }
        let layout = try Layout(plain: kept)
        guard rank <= 6, let primitive = try? Primitive.mean(plain.layout, target: layout) else {
            return try lowerByReference(item)
        }
        let target = try define(item.output, plain: info(item.output))
        try emit(primitive, [(.source, plain), (.target, target.seen(as: layout))])
    }
}
