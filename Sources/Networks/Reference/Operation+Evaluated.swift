package import DenseMath

extension Operation {
    /// The values of the results.
    ///
    /// - Parameters:
    ///   - inputs: with the values of all of them, except for `shape`.
    ///   - results: what ``results(of:count:)`` gives for these inputs.
    /// - Throws: ``NetworkError`` for values that an operation cannot take, such as an index that
    ///   does not exist.
    package func evaluated(
        _ inputs: [ValueInfo?], as results: [ValueInfo]
    ) throws -> [Tensor] {
        func optional(_ index: Int) -> Tensor? {
            index < inputs.count ? inputs[index]?.constant : nil
        }
        func input(_ index: Int) -> Tensor {
            guard let tensor = optional(index) else {
                preconditionFailure("the value of input \(index) of \(name) is not given")
            }
            return tensor
        }
        let (shape, type) = (results[0].shape, results[0].elementType)
        switch self {
        case .conv(let convolution):
            return [
                try Reference.convolution(
                    input(0), weight: input(1), bias: optional(2), convolution)
            ]
        case .gemm(let gemm):
            return [try Reference.gemm(input(0), input(1), optional(2), gemm)]
        case .matMul:
            return [try Reference.matMul(input(0), input(1), type)]
        case .batchNormalization(let epsilon):
            return [
                Reference.batchNormalization(
                    input(0), scale: input(1), bias: input(2), mean: input(3), variance: input(4),
                    epsilon: epsilon)
            ]
        case .layerNormalization(let axis, let epsilon):
            return [
                try Reference.layerNormalization(
                    input(0), scale: input(1), bias: optional(2), axis: axis, epsilon: epsilon)
            ]
        case .softmax(let axis):
            return [try Reference.softmax(input(0), axis: axis)]
        case .unary(let function):
            return [Reference.unary(function, input(0), type)]
        case .binary(let function):
            return [try Reference.binary(function, input(0), input(1), type)]
        case .where:
            return [try Reference.select(input(0), input(1), input(2))]
        case .maxPool(let pooling):
            return [try Reference.maxPool(input(0), pooling)]
        case .averagePool(let pooling, let countsPadding):
            return [try Reference.averagePool(input(0), pooling, countsPadding: countsPadding)]
        case .globalAveragePool:
            return [try Reference.globalPool(input(0), .mean)]
        case .globalMaxPool:
            return [try Reference.globalPool(input(0), .maximum)]
        case .reduce(let reduction, let axes, let keepsDimensions):
            return [
                try Reference.reduce(
                    reduction, input(0), axes: axes, keepsDimensions: keepsDimensions, type)
            ]
        case .reshape, .flatten, .squeeze, .unsqueeze:
            return [input(0).reshaped(shape)]
        case .transpose(let permutation):
            return [try Reference.transpose(input(0), permutation)]
        case .concat(let axis):
            return [try Reference.concat(inputs.indices.map(input), axis: axis, shape: shape)]
        case .split(let axis, _):
            return try Reference.split(input(0), axis: axis, into: results.map(\.shape))
        case .slice:
            return [Reference.slice(input(0), try Self.sliceRanges(Operands(inputs)))]
        case .gather(let axis):
            return [try Reference.gather(input(0), input(1), axis: axis, shape: shape)]
        case .pad(let mode):
            return [
                Reference.pad(
                    input(0), try PaddedDimensions(Operands(inputs), mode), mode,
                    value: optional(2))
            ]
        case .expand:
            return [try Reference.expand(input(0), shape)]
        case .shape:
            return results.compactMap(\.constant)
        case .constantOfShape(let value):
            return [Reference.constant(value, shape)]
        case .range:
            return [Reference.range(start: input(0), delta: input(2), count: shape[0], type)]
        case .cast(let type):
            return [Reference.cast(input(0), type)]
        case .foreign:
            throw NetworkError(.unsupportedOperator, "\(name) is no operator that can be computed")
        }
    }
}
