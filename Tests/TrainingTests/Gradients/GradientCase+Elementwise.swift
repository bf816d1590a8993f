import Networks

extension GradientCase {
    /// Functions of one value: with both sides of each corner in the range of x.
    static let unary: [GradientCase] = [
        unary(.identity), unary(.relu), unary(.leakyRelu(alpha: 0.1)), unary(.elu(alpha: 1)),
        unary(.elu(alpha: 0.7)), unary(.clip(minimum: -0.5, maximum: 0.5)),
        unary(.clip(minimum: 0, maximum: 6), in: -4...9), unary(.sigmoid),
        unary(.hardSigmoid(alpha: 0.2, beta: 0.5), in: -4...4),
        unary(.hardSigmoid(alpha: 1.0 / 6, beta: 0.5), in: -5...5),
        unary(.hardSwish, in: -5...5), unary(.silu, in: -3...3), unary(.tanh),
        unary(.gelu(approximately: false), in: -2...2),
        unary(.gelu(approximately: true), in: -2...2), unary(.erf), unary(.exp),
        unary(.log, in: 0.5...3), unary(.sqrt, in: 0.5...3), unary(.reciprocal, in: 0.5...2),
        unary(.negate), unary(.absolute),
    ]

    private static func unary(
        _ function: Networks.Operation.Unary, in range: ClosedRange<Float> = -1.5...1.5
    ) -> GradientCase {
        GradientCase("\(function)") { sketch in
            // An odd size, more than a vector.
            try sketch.add(.unary(function), sketch.value([2, 3, 3, 5], in: range))
        }
    }

    static let binary: [GradientCase] = {
        let shapes: [(a: [Int], b: [Int])] = [
            ([2, 3, 3, 3], [2, 3, 3, 3]), ([2, 3, 5], [3, 1]), ([5], [2, 3, 5]),
            ([2, 1, 4], [3, 1]), ([2, 7], [1]), ([2, 5, 3, 2], [1, 5, 1, 1]),
            ([2, 5, 1, 1], [2, 5, 3, 2]),
        ]
        let functions: [Networks.Operation.Binary] = [
            .add, .subtract, .multiply, .divide, .minimum, .maximum,
        ]
        let pairs: [GradientCase] = functions.flatMap { function in
            shapes.map { binary(function, $0.a, $0.b) }
        }
        let single: [GradientCase] = [
            GradientCase("a bias", inputShape: [2, 3, 3, 4]) { sketch in
                let x = try sketch.convolution(sketch.images, to: 5)
                return try sketch.add(.binary(.add), x, sketch.parameter([5, 1, 1]))
            },
            GradientCase("a constant minus a value") { sketch in
                try sketch.add(
                    .binary(.subtract), sketch.constant([3, 1]), sketch.value([2, 3, 5]))
            },
            GradientCase("a value divided by a constant") { sketch in
                try sketch.add(
                    .binary(.divide), sketch.value([2, 3, 5]), sketch.constant([5], in: 1...2))
            },
        ]
        return pairs + powers + single
    }()

    private static func binary(
        _ function: Networks.Operation.Binary, _ a: [Int], _ b: [Int]
    ) -> GradientCase {
        GradientCase("\(function) of \(a) and \(b)", seed: 2) { sketch in
            let range: ClosedRange<Float> = function == .divide ? 0.5...2 : -1...1
            return try sketch.add(
                .binary(function), sketch.value(a), sketch.value(b, in: range))
        }
    }

    private static let powers: [GradientCase] = {
        let exponents: [Float] = [2, 3, 0.5, -1, 1.7]
        var cases = exponents.map { power($0, of: 0.5...2) }
        // Whole exponents have slopes at negative values too.
        cases.append(power(2, of: -1...1))
        return cases
    }()

    private static func power(_ exponent: Float, of range: ClosedRange<Float>) -> GradientCase {
        GradientCase("power \(exponent) of \(range)") { sketch in
            try sketch.add(
                .binary(.power), sketch.value([2, 3, 5], in: range),
                sketch.constant([], in: exponent...exponent))
        }
    }
}
