internal import DenseMath
internal import Foundation

extension Reference {
    static func reduce(
        _ reduction: Operation.Reduction, _ x: Tensor, axes: [Int]?, keepsDimensions: Bool,
        _ type: ScalarType
    ) throws -> Tensor {
        let dimensions = try ReducedDimensions(axes, of: x.shape)
        let shape = dimensions.resultShape(keepsDimensions: keepsDimensions)
        let (kept, reduced) = (
            offsets(dimensions, reduced: false), offsets(dimensions, reduced: true)
        )
        switch x.kind {
        case .float32:
            let elements = x.floats
            return Tensor(
                shape: shape, kept.map { at in value(reduction, reduced.map { elements[at + $0] }) }
            )
        case .int64:
            let elements = x.integers
            return Tensor(
                shape: shape,
                integers: kept.map { at in
                    type.wrapped(value(reduction, reduced.map { elements[at + $0] }, type))
                })
        }
    }

    /// The offsets along the dimensions that are reduced, or along those that are not.
    private static func offsets(_ dimensions: ReducedDimensions, reduced: Bool) -> [Int] {
        let sizes = zip(dimensions.shape, dimensions.isReduced).map { $1 == reduced ? $0 : 1 }
        return offsets(sizes, strides: rowMajorStrides(dimensions.shape))
    }

    private static func value(_ reduction: Operation.Reduction, _ elements: [Float]) -> Float {
        switch reduction {
        case .sum: Float(elements.reduce(0.0) { $0 + Double($1) })
        case .mean: Float(elements.reduce(0.0) { $0 + Double($1) } / Double(elements.count))
        case .product: Float(elements.reduce(1.0) { $0 * Double($1) })
        case .maximum: elements.reduce(-.infinity) { $1.isNaN || $0.isNaN ? .nan : max($0, $1) }
        case .minimum: elements.reduce(.infinity) { $1.isNaN || $0.isNaN ? .nan : min($0, $1) }
        }
    }

    private static func value(
        _ reduction: Operation.Reduction, _ elements: [Int64], _ type: ScalarType
    ) -> Int64 {
        switch reduction {
        case .sum: elements.reduce(0, &+)
        case .mean: elements.isEmpty ? 0 : elements.reduce(0, &+) / Int64(elements.count)
        case .product: elements.reduce(1, &*)
        case .maximum: elements.max() ?? type.integerRange.lowerBound
        case .minimum: elements.min() ?? type.integerRange.upperBound
        }
    }

    static func globalPool(_ x: Tensor, _ reduction: Operation.Reduction) throws -> Tensor {
        try reduce(
            reduction, x, axes: Array(2..<x.rank), keepsDimensions: true, .float32)
    }

    static func softmax(_ x: Tensor, axis: Int) throws -> Tensor {
        let dimensions = try ReducedDimensions([axis], of: x.shape)
        let elements = x.floats
        var result = elements
        let along = offsets(dimensions, reduced: true)
        for at in offsets(dimensions, reduced: false) {
            let values = along.map { Double(elements[at + $0]) }
            // Less the largest, so that no power overflows.
            let largest = values.max() ?? 0
            let powers = values.map { exp($0 - largest) }
            let sum = powers.reduce(0, +)
            for (offset, power) in zip(along, powers) { result[at + offset] = Float(power / sum) }
        }
        return Tensor(shape: x.shape, result)
    }

    static func batchNormalization(
        _ x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Float
    ) -> Tensor {
        let (scale, bias) = (scale.floats, bias.floats)
        let (mean, variance) = (mean.floats, variance.floats)
        let positions = x.shape[2...].reduce(1, *)
        let result = x.floats.enumerated().map { index, value in
            let channel = index / positions % x.shape[1]
            let deviation = (Double(variance[channel]) + Double(epsilon)).squareRoot()
            let normalized = (Double(value) - Double(mean[channel])) / deviation
            return Float(normalized * Double(scale[channel]) + Double(bias[channel]))
        }
        return Tensor(shape: x.shape, result)
    }

    static func layerNormalization(
        _ x: Tensor, scale: Tensor, bias: Tensor?, axis: Int, epsilon: Float
    ) throws -> Tensor {
        let axis = try Axis.resolved(axis, rank: x.rank)
        let scales = try expand(scale, x.shape).floats
        let biases = try bias.map { try expand($0, x.shape).floats }
        let length = x.shape[axis...].reduce(1, *)
        let elements = x.floats
        var result = elements
        for start in stride(from: 0, to: elements.count, by: max(length, 1)) {
            let range = start..<(start + length)
            let mean = range.reduce(0.0) { $0 + Double(elements[$1]) } / Double(length)
            let squares = range.reduce(0.0) { sum, i in
                sum + (Double(elements[i]) - mean) * (Double(elements[i]) - mean)
            }
            let deviation = (squares / Double(length) + Double(epsilon)).squareRoot()
            for i in range {
                let normalized = (Double(elements[i]) - mean) / deviation
                result[i] = Float(normalized * Double(scales[i]) + Double(biases?[i] ?? 0))
            }
        }
        return Tensor(shape: x.shape, result)
    }
}
