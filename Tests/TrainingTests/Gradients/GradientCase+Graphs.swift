import Networks

@testable import Training

extension GradientCase {
    /// Values and parameters that are used more than once, and losses.
    static let graphs: [GradientCase] = [
        GradientCase("a value used three times", inputShape: [3, 2, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 4)
            let y = try sketch.add(.binary(.multiply), x, sketch.add(.unary(.sigmoid), x))
            return try sketch.add(.binary(.add), y, sketch.convolution(x, to: 4))
        },
        GradientCase("a value times itself", inputShape: [3, 2, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 4)
            return try sketch.add(.binary(.multiply), x, x)
        },
        GradientCase("a value less itself, beside another", inputShape: [3, 2, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 4)
            let zero = try sketch.add(.binary(.subtract), x, x)
            return try sketch.add(.binary(.add), zero, sketch.add(.unary(.tanh), x))
        },
        GradientCase("a residual", inputShape: [3, 2, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 4)
            let y = try sketch.add(.unary(.relu), sketch.batchNormalization(x))
            let z = try sketch.batchNormalization(sketch.convolution(y, to: 4))
            return try sketch.add(.unary(.relu), sketch.add(.binary(.add), z, x))
        },
        GradientCase("a residual with a convolution beside", inputShape: [16, 2, 4, 4]) { sketch in
            let x = try sketch.add(.unary(.relu), sketch.convolution(sketch.images, to: 4))
            let y = try sketch.add(
                .unary(.relu), sketch.batchNormalization(sketch.convolution(x, to: 5, stride: 2)))
            let z = try sketch.batchNormalization(sketch.convolution(y, to: 5))
            let beside = try sketch.batchNormalization(
                sketch.convolution(x, to: 5, kernel: 1, stride: 2))
            let sum = try sketch.add(.unary(.relu), sketch.add(.binary(.add), beside, z))
            let mean = try sketch.add(.flatten(axis: 1), sketch.add(.globalAveragePool, sum))
            return try sketch.linear(mean, to: 3)
        },
        GradientCase("squeeze and excitation", inputShape: [3, 2, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 4)
            let mean = try sketch.add(.globalAveragePool, x)
            let small = try sketch.add(.unary(.relu), sketch.convolution(mean, to: 3, kernel: 1))
            let gate = try sketch.add(
                .unary(.sigmoid), sketch.convolution(small, to: 4, kernel: 1))
            return try sketch.add(.binary(.multiply), x, gate)
        },
        GradientCase("a weight of two convolutions", inputShape: [3, 3, 4, 3]) { sketch in
            let weight = sketch.parameter([3, 3, 3, 3])
            let operation = Networks.Operation.conv(
                .init(kernel: [3, 3], padding: .explicit([1, 1], [1, 1])))
            let x = try sketch.add(operation, sketch.images, weight)
            return try sketch.add(operation, sketch.add(.unary(.tanh), x), weight)
        },
        GradientCase("a parameter of two products and a sum", inputShape: [3, 1, 1, 4]) { sketch in
            let weight = sketch.parameter([4, 4])
            let x = try sketch.add(.flatten(axis: 1), sketch.images)
            let y = try sketch.add(.gemm(.init()), x, weight)
            let z = try sketch.add(.gemm(.init(transposesB: true)), y, weight)
            return try sketch.add(
                .binary(.add), z,
                sketch.add(.reduce(.sum, axes: [0], keepsDimensions: true), weight))
        },
        GradientCase("a scale of two normalisations", inputShape: [4, 2, 3, 3]) { sketch in
            let (scale, bias) = (sketch.parameter([3], in: 0.5...1.5), sketch.parameter([3]))
            var x = sketch.images
            for _ in 0..<2 {
                x = try sketch.add(
                    .batchNormalization(epsilon: 1e-3), sketch.convolution(x, to: 3), scale, bias,
                    sketch.parameter([3]), sketch.parameter([3], in: 0.5...1))
            }
            return x
        },
        GradientCase("dead ends", inputShape: [3, 2, 3, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 3)
            _ = try sketch.convolution(x, to: 2)
            return try sketch.add(.unary(.silu), x)
        },
        loss("cross entropy", .crossEntropy(labelSmoothing: 0)),
        loss("cross entropy, smoothed labels", .crossEntropy(labelSmoothing: 0.1)),
        loss("mean squared error", .meanSquaredError),
    ]

    private static func loss(_ name: String, _ loss: Loss) -> GradientCase {
        GradientCase(name, inputShape: [5, 1, 2, 3], loss: loss) { sketch in
            let x = try sketch.add(.flatten(axis: 1), sketch.images)
            return try sketch.add(.gemm(.init()), x, sketch.parameter([6, 7], in: -3...3))
        }
    }
}
