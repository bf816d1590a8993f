import Networks

extension GradientCase {
    static let poolings: [GradientCase] = {
        let windows: [(String, Networks.Operation.Pooling)] = [
            ("2x2", .init(kernel: [2, 2], strides: [2, 2])),
            (
                "3x3, overlapping, padded",
                .init(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1], [1, 1]))
            ),
            (
                "3x2, uneven padding",
                .init(kernel: [3, 2], strides: [1, 2], padding: .explicit([1, 0], [2, 1]))
            ),
            ("2x2, rounded up", .init(kernel: [2, 2], strides: [2, 2], roundsUp: true)),
            ("3x3, same", .init(kernel: [3, 3], strides: [2, 2], padding: .sameUpper)),
            ("2x2, same, lower", .init(kernel: [2, 2], padding: .sameLower)),
        ]
        let shape = [2, 3, 7, 5]
        let parts: [[GradientCase]] = windows.map { name, window in
            [
                GradientCase("largest of \(name)") { sketch in
                    try sketch.add(.maxPool(window), sketch.value(shape))
                },
                GradientCase("mean of \(name)") { sketch in
                    try sketch.add(
                        .averagePool(window, countsPadding: false), sketch.value(shape))
                },
            ]
                // Windows that reach beyond the padding have no gradient when it counts.
                + (window.roundsUp
                    ? []
                    : [
                        GradientCase("mean of \(name), padding counted") { sketch in
                            try sketch.add(
                                .averagePool(window, countsPadding: true), sketch.value(shape))
                        }
                    ])
        }
        let whole: [GradientCase] = [
            GradientCase("mean of all positions") { sketch in
                try sketch.add(.globalAveragePool, sketch.value(shape))
            },
            GradientCase("largest of all positions") { sketch in
                try sketch.add(.globalMaxPool, sketch.value(shape))
            },
        ]
        return parts.flatMap { $0 } + whole
    }()

    static let reductions: [GradientCase] = {
        let axes: [[Int]?] = [[1], [-1], [2, 3], [0, 2], nil]
        let reductions: [Networks.Operation.Reduction] = [.mean, .sum]
        return reductions.flatMap { reduction -> [GradientCase] in
            axes.flatMap { axes -> [GradientCase] in
                [true, false].map { keeps -> GradientCase in
                    GradientCase("\(reduction) over \(axes ?? []), keeps \(keeps)") { sketch in
                        let x = try sketch.value([2, 3, 4, 3])
                        let reduced = try sketch.add(
                            .reduce(reduction, axes: axes, keepsDimensions: keeps), x)
                        guard axes == nil || axes == [0, 2] else { return reduced }
                        // Too few scores for two images: back to the shape of x.
                        return try sketch.add(
                            .binary(.multiply), x,
                            sketch.add(
                                .reshape(allowsZero: false), reduced,
                                sketch.integers(axes == nil ? [1, 1, 1, 1] : [1, 3, 1, 3])))
                    }
                }
            }
        }
    }()

    /// A movement of one value, which is then multiplied, so that each element has a slope of its
    /// own.
    private static func movement(
        _ name: String, _ shape: [Int], _ operation: Networks.Operation,
        integers: [[Int64]] = []
    ) -> GradientCase {
        GradientCase(name) { sketch in
            let x = try sketch.value(shape)
            let result = sketch.newName("moved")
            try sketch.add(
                operation, [x] + integers.map { sketch.integers($0) }, outputs: [result])
            return try sketch.add(
                .binary(.multiply), result, sketch.parameter(sketch.shape(result)))
        }
    }

    static let movements: [GradientCase] = [
        movement("reshape", [2, 3, 4], .reshape(allowsZero: false), integers: [[0, 2, -1]]),
        movement("flatten", [2, 3, 4, 1], .flatten(axis: 1)),
        movement("flatten before the last dimension", [2, 3, 4], .flatten(axis: -1)),
        movement("squeeze", [2, 1, 3, 1], .squeeze(axes: [1])),
        movement("squeeze all", [2, 1, 3, 1], .squeeze(axes: nil)),
        movement("unsqueeze", [2, 3], .unsqueeze(axes: [1, -1])),
        movement("transpose", [2, 3, 4, 5], .transpose(permutation: [0, 2, 3, 1])),
        movement(
            "transpose to channels first", [2, 3, 4, 5], .transpose(permutation: [0, 3, 1, 2])),
        movement("transpose of a matrix", [2, 5], .transpose(permutation: nil)),
        movement("slice", [2, 5, 7], .slice, integers: [[1, 2], [4, 7], [1, 2]]),
        movement(
            "slice with steps", [2, 5, 7], .slice,
            integers: [[-1, 0], [-6, 7], [1, 2], [-2, 3]]),
        movement("pad", [2, 3, 4], .pad(.constant), integers: [[0, 1, 2, 0, 0, 1]]),
        movement(
            "pad, cut at an end", [2, 3, 4], .pad(.constant), integers: [[0, 1, -1, 0, 0, 2]]),
        GradientCase("pad of some axes with a value") { sketch in
            let x = try sketch.value([2, 3, 4, 3])
            let pads = sketch.integers([1, 0, 0, 2])
            let axes = sketch.integers([2, 3])
            let y = try sketch.add(
                .pad(.constant), x, pads, sketch.constant([], in: 0.5...0.5), axes)
            return try sketch.convolution(y, to: 2)
        },
        GradientCase("gather, some twice") { sketch in
            let x = try sketch.value([2, 5, 3])
            let y = try sketch.add(.gather(axis: 1), x, sketch.integers([3, 0, 3, -1]))
            return try sketch.add(.binary(.multiply), y, sketch.parameter([2, 4, 3]))
        },
        GradientCase("gather of rows of a weight") { sketch in
            let rows = try sketch.add(
                .gather(axis: 0), sketch.parameter([5, 3]),
                sketch.integers([1, 4, 1, 2], shape: [2, 2]))
            return try sketch.add(.binary(.multiply), sketch.value([2, 2, 3]), rows)
        },
        GradientCase("gather of one") { sketch in
            try sketch.add(
                .gather(axis: 1), sketch.value([2, 5, 3]), sketch.integers([2], shape: []))
        },
        GradientCase("expand") { sketch in
            let x = try sketch.value([2, 1, 3])
            let y = try sketch.add(.expand, x, sketch.integers([2, 4, 1]))
            return try sketch.add(.binary(.multiply), y, sketch.parameter([2, 4, 3]))
        },
        GradientCase("expand to more dimensions") { sketch in
            let x = try sketch.value([3, 1])
            let y = try sketch.add(.expand, x, sketch.integers([2, 3, 4]))
            return try sketch.add(.binary(.multiply), y, sketch.parameter([2, 3, 4]))
        },
        GradientCase("cast to floats") { sketch in
            try sketch.add(.cast(.float32), sketch.value([2, 3, 5]))
        },
        GradientCase("concat of channels, one of them twice") { sketch in
            let (a, b) = (try sketch.value([2, 3, 2, 3]), try sketch.value([2, 1, 2, 3]))
            return try sketch.convolution(sketch.add(.concat(axis: 1), a, b, a), to: 2)
        },
        GradientCase("concat of the last dimension") { sketch in
            try sketch.add(.concat(axis: -1), sketch.value([2, 3, 2]), sketch.value([2, 3, 5]))
        },
        GradientCase("split into parts that are all used") { sketch in
            let x = try sketch.value([2, 7, 3])
            try sketch.add(.split(axis: 1, sizes: [2, 3, 2]), [x], outputs: ["a", "b", "c"])
            let sum = try sketch.add(.binary(.multiply), "a", "c")
            return try sketch.add(.concat(axis: 1), sum, "b")
        },
        GradientCase("split into parts that are not all used") { sketch in
            let x = try sketch.value([2, 7, 3])
            try sketch.add(.split(axis: 1, sizes: [2, 3, 2]), [x], outputs: ["a", "", "c"])
            return try sketch.add(.binary(.multiply), "a", "c")
        },
        GradientCase("split into equal parts") { sketch in
            let x = try sketch.value([2, 3, 4])
            try sketch.add(.split(axis: -1, sizes: nil), [x], outputs: ["a", "b"])
            return try sketch.add(.binary(.divide), "a", sketch.add(.unary(.exp), "b"))
        },
    ]
}
