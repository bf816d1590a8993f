import Foundation
import Networks

extension DoubleOperations {
    /// Mean and (biased) variance of each channel over the batch and all positions.
    static func batchStatistics(_ x: DoubleTensor) -> (mean: [Double], variance: [Double]) {
        let (batch, channels) = (x.shape[0], x.shape[1])
        let positions = x.shape[2...].reduce(1, *)
        let count = Double(batch * positions)
        var means: [Double] = []
        var variances: [Double] = []
        for channel in 0..<channels {
            func total(_ value: (Double) -> Double) -> Double {
                var sum = 0.0
                for image in 0..<batch {
                    let start = (image * channels + channel) * positions
                    for i in start..<(start + positions) { sum += value(x.values[i]) }
                }
                return sum
            }
            let mean = total { $0 } / count
            means.append(mean)
            variances.append(total { ($0 - mean) * ($0 - mean) } / count)
        }
        return (means, variances)
    }

    static func batchNormalization(
        _ x: DoubleTensor, scale: DoubleTensor, bias: DoubleTensor, epsilon: Double
    ) -> DoubleTensor {
        let (mean, variance) = batchStatistics(x)
        let positions = x.shape[2...].reduce(1, *)
        var result = x
        for i in result.values.indices {
            let channel = i / positions % x.shape[1]
            result.values[i] =
                (x.values[i] - mean[channel]) / (variance[channel] + epsilon).squareRoot()
                * scale.values[channel] + bias.values[channel]
        }
        return result
    }

    static func layerNormalization(
        _ x: DoubleTensor, scale: DoubleTensor, bias: DoubleTensor?, axis: Int, epsilon: Double
    ) -> DoubleTensor {
        let length = x.shape[dimension(axis, x)...].reduce(1, *)
        let scales = scale.broadcast(to: x.shape).values
        let biases = bias?.broadcast(to: x.shape).values
        var result = x
        for start in stride(from: 0, to: x.values.count, by: length) {
            let row = x.values[start..<(start + length)]
            let mean = row.reduce(0, +) / Double(length)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length)
            for i in row.indices {
                result.values[i] =
                    (x.values[i] - mean) / (variance + epsilon).squareRoot() * scales[i]
                    + (biases?[i] ?? 0)
            }
        }
        return result
    }

    static func softmax(_ x: DoubleTensor, axis: Int) -> DoubleTensor {
        let axis = dimension(axis, x)
        let step = x.shape[(axis + 1)...].reduce(1, *)
        var result = x
        for start in x.values.indices where start / step % x.shape[axis] == 0 {
            let positions = (0..<x.shape[axis]).map { start + $0 * step }
            let largest = positions.reduce(-.infinity) { max($0, x.values[$1]) }
            let powers = positions.map { exp(x.values[$0] - largest) }
            let sum = powers.reduce(0, +)
            for (position, power) in zip(positions, powers) {
                result.values[position] = power / sum
            }
        }
        return result
    }

    /// The sum or mean over `axes` (nil: all), in the shape `shape`.
    static func sum(
        _ x: DoubleTensor, axes: [Int]?, isMean: Bool, _ shape: [Int]
    ) -> DoubleTensor {
        let axes = Set(axes.map { $0.map { dimension($0, x) } } ?? Array(x.shape.indices))
        let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
        var result = [Double](repeating: 0, count: kept.reduce(1, *))
        _ = DoubleTensor(shape: x.shape) { position in
            var offset = 0
            for (i, size) in kept.enumerated() {
                offset = offset * size + (axes.contains(i) ? 0 : position[i])
            }
            result[offset] += x[position]
            return 0
        }
        if isMean {
            let count = Double(axes.reduce(1) { $0 * x.shape[$1] })
            for i in result.indices { result[i] /= count }
        }
        return DoubleTensor(shape: shape, values: result)
    }
}
