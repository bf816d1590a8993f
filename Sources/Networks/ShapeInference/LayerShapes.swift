// Shapes of what the layers of a network compute: products, windows, normalisations.

extension Operation.Convolution {
    func resultShape(_ inputs: Operands) throws -> [Int] {
        let (x, w) = (try inputs.floats(0).shape, try inputs.floats(1).shape)
        let window = try resolved(input: x)
        guard groups >= 1 else {
            throw NetworkError(.invalidNode, "\(groups) groups, at least 1 is needed")
        }
        guard w.count == x.count, Array(w[2...]) == kernel, x[1] % groups == 0,
            w[1] == x[1] / groups, w[0] % groups == 0
        else {
            throw NetworkError(
                .shapeMismatch,
                "the weight \(w) does not fit the input \(x), the kernel \(kernel) and "
                    + "\(groups) groups")
        }
        if inputs.optional(2) != nil {
            let bias = try inputs.floats(2).shape
            guard bias == [w[0]] else {
                throw NetworkError(.shapeMismatch, "the bias \(bias) must be [\(w[0])]")
            }
        }
        return [x[0], w[0]] + window.outputSpatial
    }
}

extension Operation.Pooling {
    func resultShape(_ inputs: Operands) throws -> [Int] {
        let x = try inputs.floats(0).shape
        return try x.prefix(2) + resolved(input: x).outputSpatial
    }
}

extension Operation.Gemm {
    func resultShape(_ inputs: Operands) throws -> [Int] {
        var (a, b) = (try inputs.floats(0).shape, try inputs.floats(1).shape)
        guard a.count == 2, b.count == 2 else {
            throw NetworkError(.shapeMismatch, "A and B must be matrices, found \(a) and \(b)")
        }
        if transposesA { a.reverse() }
        if transposesB { b.reverse() }
        guard a[1] == b[0] else {
            throw NetworkError(
                .shapeMismatch,
                "A and B are, transposed as said, \(a) and \(b): rows of B must be "
                    + "columns of A")
        }
        if inputs.optional(2) != nil {
            try Broadcast.check(inputs.floats(2).shape, fits: [a[0], b[1]], "C")
        }
        return [a[0], b[1]]
    }
}

/// The shapes in a product of matrices, or of vectors and matrices, over the last two dimensions.
package struct MatrixProduct: Sendable, Equatable {
    package let rows: Int
    package let inner: Int
    package let columns: Int
    /// The other dimensions; one step along an operand is a whole matrix of it.
    package let batch: Broadcast
    /// The shape of the result, without the dimensions that a vector does not have.
    package let shape: [Int]

    /// - Throws: ``NetworkError`` `.shapeMismatch` naming the shapes.
    package init(_ a: [Int], _ b: [Int]) throws {
        guard let lastOfA = a.last, let lastOfB = b.last else {
            throw NetworkError(.shapeMismatch, "a single number in a product of \(a) and \(b)")
        }
        inner = lastOfA
        rows = a.count > 1 ? a[a.count - 2] : 1
        columns = b.count > 1 ? lastOfB : 1
        let rowsOfB = b.count > 1 ? b[b.count - 2] : lastOfB
        guard inner == rowsOfB else {
            throw NetworkError(
                .shapeMismatch,
                "the product of \(a) and \(b) has \(inner) columns for \(rowsOfB) rows")
        }
        batch = try Broadcast([a.dropLast(2), b.dropLast(2)])
        shape = batch.shape + (a.count > 1 ? [rows] : []) + (b.count > 1 ? [columns] : [])
    }
}

extension Operation {
    static func batchNormalizationShape(_ inputs: Operands) throws -> [Int] {
        let x = try inputs.floats(0).shape
        guard x.count >= 2 else {
            throw NetworkError(.shapeMismatch, "the input \(x) has no channels")
        }
        for (index, name) in ["scale", "bias", "mean", "variance"].enumerated() {
            let found = try inputs.floats(index + 1).shape
            guard found == [x[1]] else {
                throw NetworkError(
                    .shapeMismatch, "the \(name) \(found) must be [\(x[1])] for the input \(x)")
            }
        }
        return x
    }

    static func layerNormalizationShape(_ inputs: Operands, axis: Int) throws -> [Int] {
        let x = try inputs.floats(0).shape
        _ = try Axis.resolved(axis, rank: x.count)
        try Broadcast.check(inputs.floats(1).shape, fits: x, "the scale")
        if inputs.optional(2) != nil {
            try Broadcast.check(inputs.floats(2).shape, fits: x, "the bias")
        }
        return x
    }

    static func softmaxShape(_ inputs: Operands, axis: Int) throws -> [Int] {
        let x = try inputs.floats(0).shape
        _ = try Axis.resolved(axis, rank: x.count)
        return x
    }

    static func globalPoolShape(_ inputs: Operands) throws -> [Int] {
        let x = try inputs.floats(0).shape
        guard x.count >= 3 else {
            throw NetworkError(.shapeMismatch, "the input \(x) has no spatial dimensions")
        }
        return x.prefix(2) + x.dropFirst(2).map { _ in 1 }
    }
}

/// Which dimensions of a shape a reduction runs over.
package struct ReducedDimensions: Sendable, Equatable {
    /// The shape before.
    package let shape: [Int]
    /// For each dimension whether it is reduced.
    package let isReduced: [Bool]

    /// `axes` nil: all dimensions.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch`.
    package init(_ axes: [Int]?, of shape: [Int]) throws {
        let axes = try axes.map { Set(try Axis.resolved($0, rank: shape.count)) }
        self.shape = shape
        isReduced = shape.indices.map { axes?.contains($0) ?? true }
    }

    /// The shape after: reduced dimensions are 1 or gone.
    package func resultShape(keepsDimensions: Bool) -> [Int] {
        zip(shape, isReduced).compactMap { size, reduced in
            reduced ? (keepsDimensions ? 1 : nil) : size
        }
    }
}
