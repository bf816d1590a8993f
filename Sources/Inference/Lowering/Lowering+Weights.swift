internal import DensePrimitives
internal import DenseMath
internal import Networks

extension PlanBuilder {
    /// X `[N, C, ...]`, W `[M, C / groups, kernel...]`.
    mutating func lowerConvolution(
        _ item: PlanGraph.Operator, _ convolution: Operation.Convolution
    ) throws {
        guard let weightName = item.input(1), graph.constant(weightName) != nil,
            item.input(2).map({ graph.constant($0) != nil }) ?? true
        else { return try lowerByReference(item) }
        let sourceShape = graph.shape(item.inputs[0])
        let window = try convolution.resolved(input: sourceShape)
        let targetShape = try info(item.output).shape
        let shape = graph.shape(weightName)
        // oneDNN takes the weights of groups as [groups, M / groups, C / groups, kernel...].
        let groups = convolution.groups
        let sizes = groups > 1 ? [groups, shape[0] / groups] + shape.dropFirst() : shape
        let product = ByteProduct(
            weightName: weightName, weights: try Layout(plain: sizes, .signedByte),
            isTransposed: false, channelAxes: groups > 1 ? [0, 1] : [0],
            biasName: item.input(2), biasShape: [shape[0]],
            source: .init(channelsLast: sourceShape), target: .init(channelsLast: targetShape),
            grid: SparseGrid(convolution, window, source: sourceShape, target: targetShape)
        ) { source, weights, bias, target, posts, integers in
            try Primitive.convolution(
                source: source, weights: weights, bias: bias, target: target,
                strides: convolution.strides, dilations: convolution.dilations,
                padding: (window.padsBegin, window.padsEnd), posts: posts, integers: integers)
        }
        if try lowerByBytes(item, product) || lowerSparse(item, product) { return }
        let bias = try item.input(2).map { try readPlain($0) }
        let anyWeights = try Layout(any: sizes)
        func make(
            _ source: Layout, _ target: Layout
        ) throws -> (primitive: Primitive, fused: [PlanGraph.Fused], remaining: [PlanGraph.Fused]) {
            try fusing(item.fused) { posts in
                try product.make(source, anyWeights, bias?.layout, target, posts, nil)
            }
        }
        // Neighbours of convolutions at kept positions work in their layout.
        let neighbour =
            !hasSparseConvolutions
            ? nil
            : try? make(product.source.value(.float), product.target.value(.float))
        let made =
            try neighbour.flatMap { $0.primitive.isSlow ? nil : $0 }
            ?? make(Layout(any: sourceShape), Layout(any: targetShape))
        let primitive = made.primitive
        let input = try read(item.inputs[0], as: primitive.sourceLayout(sourceShape))
        let weights = try weights(
            weightName, seenAs: Layout(plain: sizes), in: primitive.weightsLayout(sizes))
        var merged = item
        merged.fused = made.fused
        let target = try target(
            merged, in: primitive.targetLayout(targetShape), shape: targetShape, reading: [input])
        var arguments: [(Primitive.Argument, PlacedValue)] = [
            (.source, input), (.weights, weights), (.target, target),
        ]
        if let bias { arguments.append((.bias, bias)) }
        try emit(
            primitive, operation: label(item, made.fused),
            density: graph.densities[weightName] ?? 1, arguments)
        try lowerFused(made.remaining, on: item.output)
    }

    /// alpha A' B' + beta C with constant B and C.
    mutating func lowerGemm(_ item: PlanGraph.Operator, _ gemm: Operation.Gemm) throws {
        guard let weightName = item.input(1), let weight = graph.constant(weightName),
            !gemm.transposesA
        else { return try lowerByReference(item) }
        var name = weightName
        if gemm.alpha != 1 {
            name = graph.addConstant(
                weightName + " times alpha",
                weight.scaled(by: [gemm.alpha], alongLast: true))
            graph.densities[name] = graph.densities[weightName]
            graph.sources[name] = graph.sources[weightName]?.scaled(
                by: [gemm.alpha], alongLast: true)
        }
        var biasName = item.input(2)
        let columns = weight.shape[gemm.transposesB ? 0 : 1]
        if let value = biasName {
            guard let bias = graph.constant(value), bias.count == columns || bias.count == 1,
                bias.shape.last == bias.count || bias.count == 1
            else { return try lowerByReference(item) }
            let row = (0..<columns).map { bias.floats[bias.count == 1 ? 0 : $0] * gemm.beta }
            biasName = graph.addConstant(value + " as a row", Tensor(shape: [columns], row))
        }
        let sizes = gemm.transposesB ? weight.shape.reversed() : weight.shape
        let strides = gemm.transposesB ? [1, weight.shape[1]] : [weight.shape[1], 1]
        try lowerProduct(
            item, weightName: name, sizes: Array(sizes), strides: strides, biasName: biasName)
    }

    mutating func lowerMatMul(_ item: PlanGraph.Operator) throws {
        let first = graph.shape(item.inputs[0])
        if let weight = graph.constant(item.input(1)), weight.rank == 2, first.count >= 2 {
            return try lowerProduct(
                item, weightName: item.inputs[1], sizes: weight.shape,
                strides: Layout.plainStrides(of: weight.shape), biasName: item.input(2))
        }
        let second = graph.shape(item.inputs[1])
        guard item.inputs.count == 2, first.count >= 2, second.count >= 2,
            try info(item.output).elementType == .float32
        else {
            return try lowerByReference(item)
        }
        try lowerBatchedProduct(item)
    }

    /// Rows of A, whatever its dimensions, times a constant matrix.
    private mutating func lowerProduct(
        _ item: PlanGraph.Operator, weightName: String, sizes: [Int], strides: [Int],
        biasName: String?
    ) throws {
        let (inner, columns) = (sizes[0], sizes[1])
        let sourceShape = graph.shape(item.inputs[0])
        let rows = sourceShape.reduce(1, *) / inner
        let shape = try info(item.output).shape
        let product = ByteProduct(
            weightName: weightName, weights: try Layout(sizes, strides: strides, .signedByte),
            isTransposed: strides[1] == 1, channelAxes: [1], biasName: biasName,
            biasShape: [1, columns],
            source: .init(plain: sourceShape, rows: rows, columns: inner),
            target: .init(plain: shape, rows: rows, columns: columns),
            grid: SparseGrid(
                rows: rows, inner: inner, columns: columns, isTransposed: strides[1] == 1)
        ) { source, weights, bias, target, posts, integers in
            try Primitive.matrixProduct(
                source: source, weights: weights, bias: bias, target: target, posts: posts,
                integers: integers)
        }
        if rows == 1, try lowerVector(item, product, inner: inner, columns: columns) { return }
        if try lowerByBytes(item, product) || lowerSparse(item, product) { return }
        let source = try readPlain(item.inputs[0])
        let weightLayout = try Layout(sizes, strides: strides)
        let sourceLayout = try product.source.primitive(.float)
        let targetLayout = try product.target.primitive(.float)
        let biasLayout = try biasName.map { _ in try Layout(plain: [1, columns]) }
        let anyWeights = try Layout(any: sizes)
        let made = try fusing(item.fused) { posts in
            try product.make(sourceLayout, anyWeights, biasLayout, targetLayout, posts, nil)
        }
        let weights = try weights(
            weightName, seenAs: weightLayout,
            in: made.primitive.weightsLayout([inner, columns]))
        var merged = item
        merged.fused = made.fused
        let target = try target(
            merged, in: Layout(plain: shape), shape: shape, reading: [source])
        var arguments: [(Primitive.Argument, PlacedValue)] = [
            (.source, source.seen(as: sourceLayout)), (.weights, weights),
            (.target, target.seen(as: targetLayout)),
        ]
        if let biasName, let biasLayout {
            arguments.append((.bias, try readPlain(biasName).seen(as: biasLayout)))
        }
        try emit(
            made.primitive, operation: label(item, made.fused),
            density: graph.densities[weightName] ?? 1, arguments)
        try lowerFused(made.remaining, on: item.output)
    }

    /// Two values, both known only when the plan runs, of any number of leading dimensions.
    private mutating func lowerBatchedProduct(_ item: PlanGraph.Operator) throws {
        let shape = try info(item.output).shape
        func padded(_ place: PlacedValue) throws -> PlacedValue {
            let missing = shape.count - place.shape.count
            guard missing >= 0 else { return place }
            return place.seen(
                as: try Layout(plain: Array(repeating: 1, count: missing) + place.shape))
        }
        let first = try padded(readPlain(item.inputs[0]))
        let second = try padded(readPlain(item.inputs[1]))
        let target = try Layout(plain: shape)
        let made = try? fusing(item.fused) { posts in
            try Primitive.matrixProduct(
                source: first.layout, weights: second.layout, bias: nil, target: target,
                posts: posts)
        }
        guard let made else { return try lowerByReference(item) }
        var merged = item
        merged.fused = made.fused
        let place = try self.target(
            merged, in: target, shape: shape, reading: [first, second])
        try emit(
            made.primitive, operation: label(item, made.fused),
            [(.source, first), (.weights, second), (.target, place)])
        try lowerFused(made.remaining, on: item.output)
    }

    /// The operator and what is merged into it, such as `Conv+Add+Relu`.
    func label(_ item: PlanGraph.Operator, _ fused: [PlanGraph.Fused]) -> String {
        fused.reduce(item.operation.name) { text, follower in
            switch follower {
            case .function(let function): "\(text)+\(function.name)"
            case .add: "\(text)+Add"
            }
        }
    }
}
