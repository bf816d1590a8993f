import Networks

@testable import Training

extension GradientCase {
    /// Layers with weights.
    static let layers: [GradientCase] = convolutions + products + normalizations

    private static func convolution(
        _ name: String, x: [Int], weight: [Int], bias: Bool = false, seed: UInt64 = 1,
        _ convolution: Networks.Operation.Convolution
    ) -> GradientCase {
        GradientCase(name, seed: seed) { sketch in
            let input = try sketch.value(x)
            let kernel = sketch.parameter(weight)
            return bias
                ? try sketch.add(
                    .conv(convolution), input, kernel, sketch.parameter([weight[0]]))
                : try sketch.add(.conv(convolution), input, kernel)
        }
    }

    static let convolutions: [GradientCase] = [
        convolution(
            "conv 3x3", x: [2, 3, 5, 4], weight: [4, 3, 3, 3], bias: true,
            .init(kernel: [3, 3], padding: .explicit([1, 1], [1, 1]))),
        convolution("conv 1x1", x: [2, 3, 3, 5], weight: [5, 3, 1, 1], .init(kernel: [1, 1])),
        convolution(
            "conv 1x1 of stride 2", x: [2, 3, 5, 4], weight: [2, 3, 1, 1],
            .init(kernel: [1, 1], strides: [2, 2])),
        convolution(
            "conv 3x2, strides 2 and 1, uneven padding", x: [2, 2, 6, 5], weight: [3, 2, 3, 2],
            bias: true,
            .init(kernel: [3, 2], strides: [2, 1], padding: .explicit([1, 0], [0, 1]))),
        convolution(
            "conv with dilations", x: [2, 2, 7, 6], weight: [3, 2, 3, 3],
            .init(kernel: [3, 3], dilations: [2, 1], padding: .explicit([2, 1], [2, 1]))),
        convolution(
            "conv in 3 groups", x: [2, 6, 4, 3], weight: [9, 2, 3, 3], bias: true,
            .init(kernel: [3, 3], groups: 3, padding: .explicit([1, 1], [1, 1]))),
        convolution(
            "depthwise conv", x: [2, 5, 5, 4], weight: [5, 1, 3, 3],
            .init(
                kernel: [3, 3], strides: [2, 2], groups: 5, padding: .explicit([1, 1], [1, 1]))),
        convolution(
            "depthwise conv of two filters a channel", x: [2, 3, 4, 4], weight: [6, 1, 3, 3],
            .init(kernel: [3, 3], groups: 3, padding: .explicit([1, 1], [1, 1]))),
        convolution(
            "conv padded same, upper", x: [2, 2, 5, 6], weight: [3, 2, 4, 3],
            .init(kernel: [4, 3], strides: [2, 2], padding: .sameUpper)),
        convolution(
            "conv padded same, lower", x: [2, 2, 5, 6], weight: [3, 2, 4, 3],
            .init(kernel: [4, 3], strides: [2, 2], padding: .sameLower)),
        convolution(
            "conv over one dimension", x: [2, 3, 9], weight: [4, 3, 3], bias: true,
            .init(kernel: [3], strides: [2], dilations: [2], padding: .explicit([1], [2]))),
        // More channels than a vector, and a batch of whole and broken vectors.
        convolution(
            "conv of 17 channels to 19", x: [2, 17, 3, 3], weight: [19, 17, 3, 3],
            .init(kernel: [3, 3], padding: .explicit([1, 1], [1, 1]))),
        GradientCase("conv of 16 images", inputShape: [16, 3, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 5, bias: true)
            return try sketch.convolution(x, to: 4, stride: 2)
        },
        GradientCase("conv of 19 images", inputShape: [19, 3, 4, 3]) { sketch in
            let x = try sketch.convolution(sketch.images, to: 5, bias: true)
            return try sketch.convolution(x, to: 4, stride: 2)
        },
    ]

    private static func gemm(
        _ name: String, _ gemm: Networks.Operation.Gemm, c: [Int]?
    ) -> GradientCase {
        GradientCase(name, inputShape: [3, 1, 2, 2]) { sketch in
            let a = try sketch.value(gemm.transposesA ? [5, 3] : [3, 5])
            let b = try sketch.value(gemm.transposesB ? [7, 5] : [5, 7])
            guard let c else { return try sketch.add(.gemm(gemm), a, b) }
            return try sketch.add(.gemm(gemm), a, b, sketch.value(c))
        }
    }

    private static func matMul(_ name: String, _ a: [Int], _ b: [Int]) -> GradientCase {
        GradientCase(name) { sketch in
            try sketch.add(.matMul, sketch.value(a), sketch.value(b))
        }
    }

    static let products: [GradientCase] = [
        GradientCase("linear", inputShape: [3, 2, 2, 2]) { sketch in
            let flat = try sketch.add(.flatten(axis: 1), sketch.images)
            return try sketch.linear(sketch.linear(flat, to: 7), to: 5)
        },
        gemm("gemm", .init(), c: nil),
        gemm("gemm, C of one row", .init(alpha: 0.5, beta: 2), c: [7]),
        gemm("gemm, C of one column, A transposed", .init(beta: -1, transposesA: true), c: [3, 1]),
        gemm("gemm, whole C, B transposed", .init(alpha: 2, transposesB: true), c: [3, 7]),
        gemm(
            "gemm, C one number, both transposed",
            .init(alpha: 0.5, beta: 3, transposesA: true, transposesB: true), c: [1]),
        matMul("product of matrices", [2, 5], [5, 3]),
        matMul("product of stacks", [2, 3, 2, 5], [2, 3, 5, 3]),
        matMul("product of stacks, broadcast", [2, 1, 3, 4], [3, 4, 2]),
        matMul("product of a stack and a matrix", [2, 3, 5], [5, 3]),
        matMul("product of a matrix and a stack", [3, 4], [2, 4, 5]),
        GradientCase("product with a weight", inputShape: [3, 2, 2, 2]) { sketch in
            let flat = try sketch.value([3, 8])
            return try sketch.add(.matMul, flat, sketch.parameter([8, 5]))
        },
        GradientCase("product of a stack with a weight") { sketch in
            try sketch.add(.matMul, sketch.value([2, 3, 5]), sketch.parameter([5, 4]))
        },
        GradientCase("attention", inputShape: [2, 1, 2, 2]) { sketch in
            let x = try sketch.value([2, 3, 4])
            let parts: [String] = try (0..<3).map { _ in
                try sketch.add(.matMul, x, sketch.parameter([4, 4]))
            }
            let keys = try sketch.add(.transpose(permutation: [0, 2, 1]), parts[1])
            let weights = try sketch.add(
                .softmax(axis: -1), sketch.add(.matMul, parts[0], keys))
            return try sketch.add(.matMul, weights, parts[2])
        },
    ]

    static let normalizations: [GradientCase] = [
        GradientCase("batch normalisation of images") { sketch in
            try sketch.batchNormalization(sketch.value([2, 3, 3, 5]))
        },
        GradientCase("batch normalisation of rows", inputShape: [5, 1, 2, 2]) { sketch in
            try sketch.batchNormalization(sketch.value([5, 7]))
        },
        GradientCase("batch normalisation, 17 channels, shifted", inputShape: [4, 1, 2, 2]) {
            sketch in
            try sketch.batchNormalization(sketch.value([4, 17, 2, 1], in: 2...4))
        },
        GradientCase("conv, batch normalisation, relu", inputShape: [3, 2, 4, 5]) { sketch in
            let x = try sketch.batchNormalization(sketch.convolution(sketch.images, to: 5))
            let y = try sketch.convolution(sketch.add(.unary(.relu), x), to: 3, stride: 2)
            return try sketch.batchNormalization(y)
        },
        GradientCase("conv with bias, batch normalisation, clip", inputShape: [16, 2, 3, 3]) {
            sketch in
            let x = try sketch.convolution(sketch.images, to: 5, bias: true)
            return try sketch.add(
                .unary(.clip(minimum: 0, maximum: 1.5)), sketch.batchNormalization(x))
        },
        GradientCase("layer normalisation of the last dimension") { sketch in
            try sketch.add(
                .layerNormalization(axis: -1, epsilon: 1e-3), sketch.value([2, 3, 5]),
                sketch.parameter([5], in: 0.5...1.5), sketch.parameter([5]))
        },
        GradientCase("layer normalisation of two dimensions, no bias") { sketch in
            try sketch.add(
                .layerNormalization(axis: 1, epsilon: 1e-3), sketch.value([2, 3, 5]),
                sketch.parameter([3, 5], in: 0.5...1.5))
        },
        GradientCase("layer normalisation, scale of fewer dimensions") { sketch in
            try sketch.add(
                .layerNormalization(axis: 1, epsilon: 1e-3), sketch.value([2, 3, 5]),
                sketch.parameter([5], in: 0.5...1.5), sketch.parameter([3, 1]))
        },
        softmax("softmax of the last dimension", [2, 7], axis: -1),
        softmax("softmax of the middle dimension", [2, 3, 5], axis: 1),
        softmax("softmax of the first dimension", [2, 5], axis: 0),
    ]

    private static func softmax(_ name: String, _ shape: [Int], axis: Int) -> GradientCase {
        GradientCase(name, loss: .meanSquaredError) { sketch in
            try sketch.add(.softmax(axis: axis), sketch.value(shape, in: -3...3))
        }
    }
}
