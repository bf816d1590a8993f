internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// alpha A' B' + beta C.
    mutating func lowerGemm(
        _ step: TrainingGraph.Step, _ gemm: Networks.Operation.Gemm
    ) throws -> Backward {
        let (a, b, y) = (step.inputs[0], step.inputs[1], step.outputs[0])
        let bias = step.inputs.count > 2 && step.inputs[2] >= 0 ? step.inputs[2] : nil
        let first = Operand(a, draft.value(a).shape, isTransposed: gemm.transposesA)
        let second = Operand(b, draft.value(b).shape, isTransposed: gemm.transposesB)
        let result = draft.define(y)
        try emitProduct(
            first.matrix, try draft.read(a), second.matrix, try draft.read(b), into: result,
            alpha: gemm.alpha)
        if let bias { try emitAddition(of: bias, times: gemm.beta, to: y, result) }
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            try builder.emitProductGradients(first, second, y, gradient, alpha: gemm.alpha)
            if let bias, builder.draft.value(bias).needsGradient {
                try builder.emitSum(of: gradient, shape: y, times: gemm.beta, to: bias)
            }
        }
    }

    /// The product over the last two dimensions, the others broadcast.
    mutating func lowerMatMul(_ step: TrainingGraph.Step) throws -> Backward {
        let (a, b, y) = (step.inputs[0], step.inputs[1], step.outputs[0])
        let (aShape, bShape) = (draft.value(a).shape, draft.value(b).shape)
        guard aShape.count >= 2, bShape.count == 2 else {
            return try lowerBatchedMatMul(step)
        }
        // Rows of A, whatever its dimensions, times a matrix.
        let rows = aShape.dropLast().reduce(1, *)
        let first = Operand(a, [rows, aShape[aShape.count - 1]], isTransposed: false)
        let second = Operand(b, bShape, isTransposed: false)
        let result = draft.define(y)
        try emitProduct(
            first.matrix, try draft.read(a), second.matrix, try draft.read(b), into: result)
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            try builder.emitProductGradients(first, second, y, gradient, alpha: 1)
        }
    }

    /// Products of many pairs of matrices.
    private mutating func lowerBatchedMatMul(_ step: TrainingGraph.Step) throws -> Backward {
        let (a, b, y) = (step.inputs[0], step.inputs[1], step.outputs[0])
        let shapes = [a, b, y].map { draft.value($0).shape }
        guard shapes[0].count >= 2, shapes[1].count >= 2 else {
            throw TrainingError(
                .notDifferentiable, "a product of \(shapes[0]) and \(shapes[1])", path: step.node)
        }
        let pairs = shapes[2].dropLast(2).reduce(1, *)
        // Which matrix of A and of B each product takes.
        let offsets = try [shapes[0], shapes[1]].map { shape in
            try ElementIndexes.broadcast(
                Array(shape.dropLast(2)), to: Array(shapes[2].dropLast(2)))
        }
        let (m, k) = (shapes[0][shapes[0].count - 2], shapes[0][shapes[0].count - 1])
        let n = shapes[1][shapes[1].count - 1]
        let places = [try draft.read(a), try draft.read(b)]
        let result = draft.define(y)
        draft.emit {
            let (a, b, y) = (
                try places[0].floats(), try places[1].floats(), try result.floats()
            )
            return {
                for pair in 0..<pairs {
                    PlainProduct.add(
                        m, k, n, a + offsets[0][pair] * m * k, (k, 1),
                        b + offsets[1][pair] * k * n, (n, 1), to: y + pair * m * n, clears: true)
                }
            }
        }
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            for (target, other) in [(0, 1), (1, 0)] {
                let number = step.inputs[target]
                guard builder.draft.value(number).needsGradient else { continue }
                let place = places[other]
                builder.draft.use(place)
                let count = builder.draft.count(number)
                let result = builder.draft.buffer(bytes: builder.draft.bytes(number))
                builder.draft.emit {
                    let (dy, other, dx) = (
                        try gradient.floats(), try place.floats(), try result.floats()
                    )
                    return {
                        dx.update(repeating: 0, count: count)
                        for pair in 0..<pairs {
                            let dy = dy + pair * m * n
                            if target == 0 {
                                PlainProduct.add(
                                    m, n, k, dy, (n, 1), other + offsets[1][pair] * k * n, (1, n),
                                    to: dx + offsets[0][pair] * m * k, clears: false)
                            } else {
                                PlainProduct.add(
                                    k, m, n, other + offsets[0][pair] * m * k, (1, k), dy, (n, 1),
                                    to: dx + offsets[1][pair] * k * n, clears: false)
                            }
                        }
                    }
                }
                try builder.draft.give(result, to: number)
            }
        }
    }

    // MARK: Pieces

    /// A matrix in memory, `[rows, columns]` with its strides.
    struct Matrix {
        var shape: [Int]
        var strides: [Int]

        var transposed: Matrix { Matrix(shape: shape.reversed(), strides: strides.reversed()) }
    }

    /// A factor: the value, and the matrix that it is.
    private struct Operand {
        let number: Int
        /// As it is multiplied.
        let matrix: Matrix
        /// As it lies in memory.
        let isTransposed: Bool

        init(_ number: Int, _ shape: [Int], isTransposed: Bool) {
            self.number = number
            self.isTransposed = isTransposed
            let plain = Matrix(shape: shape, strides: [shape[1], 1])
            matrix = isTransposed ? plain.transposed : plain
        }
    }

    private mutating func emitProduct(
        _ a: Matrix, _ aPlace: PlanBuffer, _ b: Matrix, _ bPlace: PlanBuffer,
        into result: PlanBuffer, resultMatrix: Matrix? = nil, alpha: Float = 1
    ) throws {
        let sizes = [a.shape[0], b.shape[1]]
        let target = resultMatrix ?? Matrix(shape: sizes, strides: [sizes[1], 1])
        let layouts = [
            try Layout(a.shape, strides: a.strides), try Layout(b.shape, strides: b.strides),
            try Layout(target.shape, strides: target.strides),
        ]
        let posts: [PostOperation] =
            alpha == 1 ? [] : [.function(.init(kind: .linear, alpha: alpha))]
        draft.emit(
            try .matrixProduct(
                source: layouts[0], weights: layouts[1], bias: nil, target: layouts[2],
                posts: posts),
            [
                (.source, layouts[0], aPlace), (.weights, layouts[1], bPlace),
                (.target, layouts[2], result),
            ])
    }

    /// dA = alpha dY B^T and dB = alpha A^T dY, each in the order of its value.
    private mutating func emitProductGradients(
        _ a: Operand, _ b: Operand, _ y: Int, _ gradient: PlanBuffer, alpha: Float
    ) throws {
        let dy = Matrix(
            shape: [a.matrix.shape[0], b.matrix.shape[1]], strides: [b.matrix.shape[1], 1])
        if draft.value(a.number).needsGradient {
            let result = draft.buffer(bytes: draft.bytes(a.number))
            try emitProduct(
                dy, gradient, b.matrix.transposed, try draft.read(b.number), into: result,
                resultMatrix: a.matrix, alpha: alpha)
            try draft.give(result, to: a.number)
        }
        if draft.value(b.number).needsGradient {
            let result = draft.buffer(bytes: draft.bytes(b.number))
            try emitProduct(
                a.matrix.transposed, try draft.read(a.number), dy, gradient, into: result,
                resultMatrix: b.matrix, alpha: alpha)
            try draft.give(result, to: b.number)
        }
    }

    /// Adds a value, broadcast, to a result.
    private mutating func emitAddition(
        of number: Int, times factor: Float, to y: Int, _ result: PlanBuffer
    ) throws {
        let indexes = try ElementIndexes.broadcast(
            draft.value(number).shape, to: draft.value(y).shape)
        let place = try draft.read(number)
        draft.emit {
            let (source, target) = (try place.floats(), try result.floats())
            return {
                for i in indexes.indices { target[i] += factor * source[indexes[i]] }
            }
        }
    }

    /// Adds to a value's gradient what a gradient holds where the value was broadcast to.
    private mutating func emitSum(
        of gradient: PlanBuffer, shape y: Int, times factor: Float, to number: Int
    ) throws {
        let indexes = try ElementIndexes.broadcast(
            draft.value(number).shape, to: draft.value(y).shape)
        let count = draft.count(number)
        let result = draft.buffer(bytes: draft.bytes(number))
        draft.emit {
            let (dy, dx) = (try gradient.floats(), try result.floats())
            return {
                dx.update(repeating: 0, count: count)
                for i in indexes.indices { dx[indexes[i]] += factor * dy[i] }
            }
        }
        try draft.give(result, to: number)
    }
}

/// Products of small matrices, by plain loops.
enum PlainProduct {
    /// y (m x n) = or += a (m x k) b (k x n); strides are (row, column).
    static func add(
        _ m: Int, _ k: Int, _ n: Int, _ a: UnsafePointer<Float>, _ aStrides: (Int, Int),
        _ b: UnsafePointer<Float>, _ bStrides: (Int, Int), to y: UnsafeMutablePointer<Float>,
        clears: Bool
    ) {
        for i in 0..<m {
            let row = y + i * n
            if clears { row.update(repeating: 0, count: n) }
            for l in 0..<k {
                let factor = a[i * aStrides.0 + l * aStrides.1]
                let line = b + l * bStrides.0
                for j in 0..<n { row[j] += factor * line[j * bStrides.1] }
            }
        }
    }
}
