internal import DensePrimitives
internal import DenseMath
internal import Networks

extension PlanBuilder {
    /// Another shape over the same memory.
    mutating func lowerView(_ item: PlanGraph.Operator) throws {
        let value = item.inputs[0]
        let source =
            try bytes?.isWritten(item.output) == true
            ? readBytes(value, as: Layout(plain: graph.shape(value), .byte)) : readPlain(value)
        try define(item.output, viewing: source, as: info(item.output))
    }

    mutating func lowerTranspose(_ item: PlanGraph.Operator, _ permutation: [Int]?) throws {
        let source = try readPlain(item.inputs[0])
        let result = try info(item.output)
        let order = permutation ?? source.shape.indices.reversed()
        let moving = order.filter { source.shape[$0] != 1 }
        if moving == moving.sorted() { return try lowerView(item) }
        guard source.elementType == .float32 else { return try lowerByReference(item) }
        let strides = Layout.plainStrides(of: source.shape)
        let seen = try Layout(result.shape, strides: order.map { strides[$0] })
        let target = try define(item.output, plain: result)
        try emit(
            .reorder(from: seen, to: target.layout),
            [(.source, source.seen(as: seen)), (.target, target)])
    }

    mutating func lowerConcat(_ item: PlanGraph.Operator, axis: Int) throws {
        let result = try info(item.output)
        guard result.elementType == .float32, item.inputs.count <= Primitive.maximumParts else {
            return try lowerByReference(item)
        }
        let index = axis < 0 ? axis + result.shape.count : axis
        let scale = bytes?.isWritten(item.output) == true ? bytes?.scale(of: item.output) : nil
        let sources = try item.inputs.map { value in
            guard let scale else { return try read(value) }
            let layout = try Layout(channelsLast: graph.shape(value), .byte)
            return try readBytes(value, as: layout, at: scale)
        }
        let primitive = try Primitive.concatenation(
            axis: index, of: sources.map(\.layout),
            target: scale == nil
                ? Layout(any: result.shape) : Layout(channelsLast: result.shape, .byte))
        let target = define(item.output, in: try primitive.targetLayout(result.shape), scale)
        try emit(
            primitive,
            sources.enumerated().map { (.part($0.offset), $0.element) } + [(.target, target)])
    }

    mutating func lowerSlice(_ item: PlanGraph.Operator) throws {
        let source = try readPlain(item.inputs[0])
        func numbers(_ index: Int) -> [Int]? {
            item.input(index).flatMap { graph.parameters[$0] }.flatMap { parameter in
                parameter.kind == .int64 ? parameter.tensor.integers.map(Int.init) : nil
            }
        }
        guard let starts = numbers(1), let ends = numbers(2),
            (3...4).allSatisfy({ item.input($0) == nil || numbers($0) != nil })
        else { return try lowerByReference(item) }
        let ranges = try SliceRange.ranges(
            of: source.shape, starts: starts, ends: ends, axes: numbers(3), steps: numbers(4))
        let strides = Layout.plainStrides(of: source.shape)
        let copy = StridedCopy(
            shape: ranges.map(\.count),
            strides: zip(ranges, strides).map { $0.step * $1 },
            offset: zip(ranges, strides).reduce(0) { $0 + $1.0.start * $1.1 })
        try emitCopy(copy, from: source, to: item.output)
    }

    /// Of one number around a value of floats.
    mutating func lowerPad(_ item: PlanGraph.Operator) throws {
        let value = item.input(2) == nil ? 0 : graph.scalar(item.input(2))
        guard let value, let padded = graph.paddedDimensions(item), !padded.shape.isEmpty else {
            return try lowerByReference(item)
        }
        let source = try readPlain(item.inputs[0])
        let target = try define(item.output, plain: info(item.output))
        let copy = PaddedCopy(shape: source.shape, begin: padded.begin, target: padded.shape)
        emit(kernel: "pad", [source, target]) { addresses in
            {
                copy.run(
                    addresses[0].assumingMemoryBound(to: Float.self),
                    addresses[1].assumingMemoryBound(to: Float.self), filling: value)
            }
        }
    }

    mutating func lowerSplit(_ item: PlanGraph.Operator, axis: Int) throws {
        guard !item.outputs.contains("") else { return try lowerByReference(item) }
        let source = try readPlain(item.inputs[0])
        let index = axis < 0 ? axis + source.shape.count : axis
        let strides = Layout.plainStrides(of: source.shape)
        var start = 0
        for output in item.outputs {
            let shape = try info(output).shape
            let copy = StridedCopy(
                shape: shape, strides: strides, offset: start * strides[index])
            try emitCopy(copy, from: source, to: output)
            start += shape[index]
        }
    }

    mutating func lowerExpand(_ item: PlanGraph.Operator) throws {
        let source = try readPlain(item.inputs[0])
        let shape = try info(item.output).shape
        let missing = shape.count - source.shape.count
        let strides = zip(source.shape, Layout.plainStrides(of: source.shape)).map {
            $0 == 1 ? 0 : $1
        }
        let copy = StridedCopy(
            shape: shape, strides: Array(repeating: 0, count: missing) + strides, offset: 0)
        try emitCopy(copy, from: source, to: item.output)
    }

    /// Rows of a table.
    mutating func lowerGather(_ item: PlanGraph.Operator, axis: Int) throws {
        let table = try readPlain(item.inputs[0])
        let indices = try readPlain(item.inputs[1])
        let index = axis < 0 ? axis + table.shape.count : axis
        let target = try define(item.output, plain: info(item.output))
        let width = table.elementType.kind.byteCount
        let row = table.shape[(index + 1)...].reduce(width, *)
        let rows = table.shape[index]
        let outer = table.shape[..<index].reduce(1, *)
        let count = indices.shape.reduce(1, *)
        let name = item.name
        let density = graph.densities[item.inputs[0]] ?? 1
        emit(kernel: "gather", density: density, [table, indices, target]) { addresses in
            {
                let chosen = UnsafeBufferPointer(
                    start: addresses[1].assumingMemoryBound(to: Int64.self), count: count)
                var to = addresses[2]
                for block in 0..<outer {
                    let from = addresses[0] + block * rows * row
                    for value in chosen {
                        let position = value < 0 ? value + Int64(rows) : value
                        guard position >= 0, position < Int64(rows) else {
                            throw NetworkError(
                                .invalidInput, "index \(value) is not one of \(rows) rows",
                                node: name)
                        }
                        to.copyMemory(from: from + Int(position) * row, byteCount: row)
                        to += row
                    }
                }
            }
        }
    }

    private mutating func emitCopy(
        _ copy: StridedCopy, from source: PlacedValue, to output: String
    ) throws {
        let target = try define(output, plain: info(output))
        let isFloat = source.elementType == .float32
        emit(kernel: "copy", [source, target]) { addresses in
            {
                if isFloat {
                    copy.run(addresses[0], addresses[1], as: Float.self)
                } else {
                    copy.run(addresses[0], addresses[1], as: Int64.self)
                }
            }
        }
    }
}
