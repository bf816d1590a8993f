internal import DensePrimitives
internal import DenseMath
internal import Networks

extension PlanBuilder {
    mutating func lowerPooling(
        _ item: PlanGraph.Operator, _ pooling: Operation.Pooling, _ kind: Primitive.PoolingKind
    ) throws {
        let sourceShape = graph.shape(item.inputs[0])
        let shape = try info(item.output).shape
        let window = try pooling.resolved(input: sourceShape)
        var end = window.padsEnd
        var isWhole = true
        for axis in pooling.kernel.indices {
            // Rounding up lets the last window reach further than the padding.
            let reach =
                (window.outputSpatial[axis] - 1) * pooling.strides[axis]
                + (pooling.kernel[axis] - 1) * pooling.dilations[axis] + 1
            let needed = reach - sourceShape[axis + 2] - window.padsBegin[axis]
            if needed > end[axis], kind == .averageWithPadding { isWhole = false }
            end[axis] = max(needed, 0)
        }
        // Padding counts as 0, which is not every scale's byte 0.
        let isPadded = (window.padsBegin + end).contains { $0 > 0 }
        let source = try poolingSource(
            item, zeroIsByteZero: kind == .averageWithPadding && isPadded)
        guard isWhole, item.outputs.count == 1, source.elementType == .float32,
            zip(end, pooling.kernel).allSatisfy({ $0 < $1 }),
            pooling.dilations.allSatisfy({ $0 == 1 }) || kind == .maximum,
            let primitive = try? Primitive.pooling(
                kind, source: source.layout, target: poolingTarget(shape, source),
                kernel: pooling.kernel, strides: pooling.strides, dilations: pooling.dilations,
                padding: (window.padsBegin, end), posts: [])
        else { return try lowerByReference(item) }
        let target = try define(item.output, in: primitive.targetLayout(shape), source.scale)
        try emit(primitive, [(.source, source), (.target, target)])
    }

    /// What is pooled: bytes with channels last where the result is to be bytes.
    private mutating func poolingSource(
        _ item: PlanGraph.Operator, zeroIsByteZero: Bool = false
    ) throws -> PlacedValue {
        let value = item.inputs[0]
        guard bytes?.isWritten(item.output) == true,
            !zeroIsByteZero || scaleOfBytes(value)?.zero == 0
        else { return try read(value) }
        return try readBytes(value, as: Layout(channelsLast: graph.shape(value), .byte))
    }

    private func poolingTarget(_ shape: [Int], _ source: PlacedValue) throws -> Layout {
        try source.scale == nil ? Layout(any: shape) : Layout(channelsLast: shape, .byte)
    }

    mutating func lowerGlobalPooling(
        _ item: PlanGraph.Operator, _ kind: Primitive.PoolingKind
    ) throws {
        guard (3...5).contains(graph.shape(item.inputs[0]).count) else {
            return try lowerByReference(item)
        }
        let source = try poolingSource(item)
        let spatial = Array(source.shape.dropFirst(2))
        let ones = spatial.map { _ in 1 }
        let zeros = spatial.map { _ in 0 }
        let shape = Array(source.shape.prefix(2)) + ones
        let primitive = try Primitive.pooling(
            kind, source: source.layout, target: poolingTarget(shape, source), kernel: spatial,
            strides: ones, dilations: ones, padding: (zeros, zeros), posts: [])
        let layout = try primitive.targetLayout(shape)
        guard try info(item.output).shape != shape else {
            let target = define(item.output, in: layout, source.scale)
            return try emit(primitive, [(.source, source), (.target, target)])
        }
        // Dimensions of one are dropped: the result has to be row-major.
        var pooled = unnamed(in: layout, source.scale)
        try emit(primitive, [(.source, source), (.target, pooled)])
        // Without extent beside their channels, bytes lie the same in both orders.
        if try source.scale == nil && layout != Layout(plain: shape) {
            pooled = try copy(pooled, in: Layout(plain: shape))
        }
        try define(item.output, viewing: pooled, as: info(item.output))
    }

    mutating func lowerMean(_ item: PlanGraph.Operator, axes: [Int]?) throws {
        let source = graph.known(item.inputs[0])
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
