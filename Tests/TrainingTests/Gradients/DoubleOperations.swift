import DenseMath
import Networks

/// A second definition of every operation that has a gradient, in double precision and as training
/// means it: batch normalisation takes the statistics of the batch.
enum DoubleOperations {
    /// The results of a node.
    ///
    /// - Parameters:
    ///   - inputs: the values, integers among them as numbers.
    ///   - integers: for each input the integers that it lists, where it is a constant list.
    ///   - shapes: of the outputs.
    static func results(
        _ operation: Networks.Operation, _ inputs: [DoubleTensor?], integers: [[Int]?],
        shapes: [[Int]]
    ) throws -> [DoubleTensor] {
        func optional(_ index: Int) -> DoubleTensor? { index < inputs.count ? inputs[index] : nil }
        func list(_ index: Int) -> [Int]? { index < integers.count ? integers[index] : nil }
        guard let x = optional(0), let shape = shapes.first else { throw Unsupported(operation) }
        let second = optional(1) ?? x
        switch operation {
        case .conv(let convolution):
            return [try self.convolution(x, weight: second, bias: optional(2), convolution)]
        case .gemm(let gemm):
            return [product(x, second, optional(2), gemm)]
        case .matMul:
            return [product(x, second, shape: shape)]
        case .batchNormalization(let epsilon):
            return [
                batchNormalization(
                    x, scale: second, bias: optional(2) ?? x, epsilon: Double(epsilon))
            ]
        case .layerNormalization(let axis, let epsilon):
            return [
                layerNormalization(
                    x, scale: second, bias: optional(2), axis: axis, epsilon: Double(epsilon))
            ]
        case .softmax(let axis):
            return [softmax(x, axis: axis)]
        case .unary(let function):
            return [DoubleTensor(shape: shape, values: x.values.map(try unary(function)))]
        case .binary(let function):
            let function = try binary(function)
            let (a, b) = (x.broadcast(to: shape), second.broadcast(to: shape))
            return [DoubleTensor(shape: shape, values: zip(a.values, b.values).map(function))]
        case .maxPool(let pooling):
            return [
                try pool(x, pooling, shape) { window, _ in window.max() ?? -.infinity }
            ]
        case .averagePool(let pooling, let countsPadding):
            return [
                try pool(x, pooling, shape) { window, padded in
                    window.reduce(0, +) / Double(countsPadding ? padded : window.count)
                }
            ]
        case .globalAveragePool:
            return [planes(x, shape) { $0.reduce(0, +) / Double($0.count) }]
        case .globalMaxPool:
            return [planes(x, shape) { $0.max() ?? -.infinity }]
        case .reduce(let reduction, let axes, _) where [.mean, .sum].contains(reduction):
            return [sum(x, axes: axes, isMean: reduction == .mean, shape)]
        case .reshape, .flatten, .squeeze, .unsqueeze, .cast(.float32):
            return [x.reshaped(shape)]
        case .transpose(let permutation):
            return [transpose(x, permutation, shape)]
        case .concat(let axis):
            return [concat(inputs.compactMap { $0 }, axis: axis, shape)]
        case .split(let axis, _):
            return split(x, axis: axis, shapes)
        case .slice:
            let ranges = try SliceRange.ranges(
                of: x.shape, starts: list(1) ?? [], ends: list(2) ?? [], axes: list(3),
                steps: list(4))
            return [slice(x, ranges, shape)]
        case .gather(let axis):
            return [gather(x, second, axis: axis, shape)]
        case .pad(.constant):
            return [
                pad(
                    x, pads: list(1) ?? [], axes: list(3), value: optional(2)?.values[0] ?? 0,
                    shape)
            ]
        case .expand:
            return [x.broadcast(to: shape)]
        default: throw Unsupported(operation)
        }
    }

    /// An operation without a gradient.
    struct Unsupported: Error {
        let operation: Networks.Operation
        init(_ operation: Networks.Operation) { self.operation = operation }
    }

    /// The dimension that `axis` is; negative ones count from the end.
    static func dimension(_ axis: Int, _ x: DoubleTensor) -> Int {
        axis < 0 ? axis + x.shape.count : axis
    }
}
