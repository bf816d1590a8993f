extension Operation {
    /// The types and shapes of the results for inputs whose types and shapes are known, and the
    /// values too of those that decide about shapes.
    ///
    /// - Parameter count: the node's outputs; only `split` gives more than one.
    /// - Throws: ``NetworkError``.
    package func results(of inputs: [ValueInfo?], count: Int) throws -> [ValueInfo] {
        let results = try inferredResults(Operands(inputs), count: count)
        for result in results { try ValueLimit.check(result.shape) }
        return results
    }

    private func inferredResults(_ inputs: Operands, count: Int) throws -> [ValueInfo] {
        switch self {
        case .conv(let convolution):
            [ValueInfo(.float32, try convolution.resultShape(inputs))]
        case .gemm(let gemm):
            [ValueInfo(.float32, try gemm.resultShape(inputs))]
        case .matMul:
            [
                ValueInfo(
                    try inputs.commonType(0...1),
                    try MatrixProduct(inputs.required(0).shape, inputs.required(1).shape).shape)
            ]
        case .batchNormalization:
            [ValueInfo(.float32, try Self.batchNormalizationShape(inputs))]
        case .layerNormalization(let axis, _):
            [ValueInfo(.float32, try Self.layerNormalizationShape(inputs, axis: axis))]
        case .softmax(let axis):
            [ValueInfo(.float32, try Self.softmaxShape(inputs, axis: axis))]
        case .unary(let function):
            [ValueInfo(try function.resultType(inputs), try inputs.required(0).shape)]
        case .binary(let function):
            [
                ValueInfo(
                    try function.resultType(inputs),
                    try Broadcast([inputs.required(0).shape, inputs.required(1).shape]).shape)
            ]
        case .where:
            [
                ValueInfo(
                    try inputs.commonType(1...2),
                    try Broadcast([
                        inputs.integers(0).shape, inputs.required(1).shape,
                        inputs.required(2).shape,
                    ]).shape)
            ]
        case .maxPool(let pooling), .averagePool(let pooling, _):
            [ValueInfo(.float32, try pooling.resultShape(inputs))]
        case .globalAveragePool, .globalMaxPool:
            [ValueInfo(.float32, try Self.globalPoolShape(inputs))]
        case .reduce(_, let axes, let keepsDimensions):
            [
                try inputs.required(0).with(
                    shape: ReducedDimensions(axes, of: inputs.required(0).shape)
                        .resultShape(keepsDimensions: keepsDimensions))
            ]
        case .reshape, .flatten, .squeeze, .unsqueeze:
            [try inputs.required(0).with(shape: try regroupedShape(inputs))]
        case .transpose(let permutation):
            [try Self.transposed(inputs.required(0), permutation)]
        case .concat(let axis):
            [try Self.concatenated(inputs, axis: axis)]
        case .split(let axis, let sizes):
            try Self.parts(inputs.required(0), axis: axis, sizes: sizes, count: count)
        case .slice:
            [try inputs.required(0).with(shape: Self.sliceRanges(inputs).map(\.count))]
        case .gather(let axis):
            [try Self.gathered(inputs, axis: axis)]
        case .pad(let mode):
            [try inputs.required(0).with(shape: PaddedDimensions(inputs, mode).shape)]
        case .expand:
            [
                try inputs.required(0).with(
                    shape: Broadcast([inputs.required(0).shape, inputs.list(1)]).shape)
            ]
        case .shape(let start, let end):
            [Self.shapeOfShape(try inputs.required(0), start: start, end: end)]
        case .constantOfShape(let value):
            [ValueInfo(value.elementType, try inputs.list(0))]
        case .range:
            [ValueInfo(try inputs.commonType(0...2), [try Self.rangeCount(inputs)])]
        case .cast(let type):
            [ValueInfo(type, try inputs.required(0).shape)]
        case .foreign:
            throw NetworkError(.unsupportedOperator, "\(name) is no operator that can be computed")
        }
    }
}

extension Operation.Constant {
    /// What it is a number of.
    var elementType: ScalarType {
        switch self {
        case .float: .float32
        case .integer(_, let type): type
        }
    }
}

extension ValueInfo {
    /// A value of the same type in another shape, of which nothing else is known.
    func with(shape: [Int]) -> ValueInfo { ValueInfo(elementType, shape) }
}
