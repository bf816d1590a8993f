import DenseMath
import Inference
import Networks
import Testing

@Suite("Plans on bytes")
struct BytePlanTests {
    /// A value in bytes, made a result of the network, read as bytes by one more convolution.
    private func network(
        _ sketch: Sketch, _ value: String, and others: String...
    ) throws -> Network {
        let last = try sketch.conv(value, to: 5, kernel: 1, as: "last")
        return sketch.giving([value] + others + [last])
    }

    @Test(
        "a convolution of bytes gives what plain loops give, within a step",
        arguments: [
            (channels: 3, outputs: 8, kernel: 3, stride: 1, dilation: 1, groups: 1),
            (3, 16, 7, 2, 1, 1), (16, 33, 1, 1, 1, 1), (20, 12, 3, 2, 1, 1), (8, 8, 3, 1, 2, 1),
            (12, 24, 3, 1, 1, 4), (17, 17, 3, 1, 1, 17), (32, 32, 5, 2, 1, 32),
            (64, 40, 3, 1, 1, 1), (1, 6, 5, 1, 1, 1),
        ])
    func convolution(
        shape: (
            channels: Int, outputs: Int, kernel: Int, stride: Int, dilation: Int, groups: Int
        )
    ) throws {
        for activates in [false, true] {
            let sketch = Sketch(seed: 5)
            let x = sketch.input([2, shape.channels, 13, 11], as: "x")
            let conv = try sketch.conv(
                x, to: shape.outputs, kernel: shape.kernel, stride: shape.stride,
                dilation: shape.dilation, groups: shape.groups, bias: true, as: "conv")
            let value = activates ? try sketch.add(.unary(.relu), conv, as: "relu") : conv
            let plan = try expectBytes(
                network(sketch, value), rounding: ["x": "x", value: value])
            #expect(plan.operations == [activates ? "Conv+Relu" : "Conv", "Conv"])
            #expect(plan.precision == .int8)
        }
    }

    @Test(
        "functions after a convolution work on reals, whatever the scale of the result",
        arguments: [
            Networks.Operation.Unary.clip(minimum: 0, maximum: 0.4), .hardSwish,
            .leakyRelu(alpha: 0.1), .silu, .clip(minimum: -0.3, maximum: .infinity),
        ])
    func functions(function: Networks.Operation.Unary) throws {
        let sketch = Sketch(seed: 6)
        let x = sketch.input([1, 8, 9, 9], as: "x")
        let conv = try sketch.conv(x, to: 20, bias: true)
        let value = try sketch.add(.unary(function), conv, as: "value")
        try expectBytes(network(sketch, value), rounding: ["x": "x", "value": "value"])
    }

    @Test("a residual addition works on bytes of two scales", arguments: [true, false])
    func residual(activates: Bool) throws {
        let sketch = Sketch(seed: 8)
        let x = sketch.input([2, 8, 10, 9], as: "x")
        let first = try sketch.conv(x, to: 16, bias: true, as: "first")
        let relu = try activates ? sketch.add(.unary(.relu), first, as: "relu") : first
        let second = try sketch.conv(relu, to: 16, bias: true, as: "second")
        let sum = try sketch.add(.binary(.add), second, relu, as: "sum")
        let value = try activates ? sketch.add(.unary(.relu), sum, as: "value") : sum
        let plan = try expectBytes(
            network(sketch, value), rounding: ["x": "x", relu: relu, value: value])
        #expect(
            plan.operations
                == (activates
                    ? ["Conv+Relu", "Conv+Add+Relu", "Conv"] : ["Conv", "Conv+Add", "Conv"]))
    }

    @Test(
        "at kept positions only a convolution gives what plain loops give",
        arguments: [(1, 3), (2, 3), (1, 1), (2, 7)], [1, 2])
    func sparse(shape: (stride: Int, kernel: Int), threads: Int) throws {
        for activates in [false, true] {
            let sketch = Sketch(seed: 17)
            let x = sketch.input([2, 40, 14, 13], as: "x")
            let first = try sketch.conv(
                x, to: 70, kernel: shape.kernel, stride: shape.stride, bias: true, as: "first")
            let relu = try activates ? sketch.add(.unary(.relu), first, as: "relu") : first
            let second = try sketch.conv(relu, to: 70, bias: true, as: "second")
            let sum = try sketch.add(.binary(.add), second, relu, as: "sum")
            let value =
                try activates
                ? sketch.add(.unary(.clip(minimum: 0, maximum: 1)), sum, as: "value") : sum
            let network = try network(sketch, value).pruned()
            let rounded = ["x": "x", relu: relu, value: value]
            let plan = try expectBytes(
                network, rounding: rounded, within: 2, threads: threads)
            let kernels = plan.steps.map(\.kernel).filter { $0.hasPrefix("kept positions:") }
            #expect(kernels.count == 2, "\(plan.steps)")
            let dense = try ExecutionPlan(
                network.calibrated(), precision: .int8, kernels: .dense)
            #expect(!dense.steps.contains { $0.kernel.hasPrefix("kept positions:") })
        }
    }

    @Test(
        "so does a product of several rows, wherever its weights have their channels",
        arguments: [2, 13, 40], [1, 2])
    func sparseProduct(rows: Int, threads: Int) throws {
        let sketch = Sketch(seed: 18)
        let x = sketch.input([rows, 70], as: "x")
        let first = try sketch.add(
            .gemm(.init(transposesB: true)), x, sketch.parameter([100, 70]),
            sketch.parameter([100]), as: "first")
        let relu = try sketch.add(.unary(.relu), first, as: "relu")
        let second = try sketch.add(.matMul, relu, sketch.parameter([100, 40]), as: "second")
        let gelu = try sketch.add(.unary(.gelu(approximately: false)), second, as: "gelu")
        let plan = try expectBytes(
            sketch.giving(relu, gelu).pruned(), rounding: ["x": "x", "relu": "relu"],
            threads: threads)
        let kernels = plan.steps.map(\.kernel).filter { $0.hasPrefix("kept positions:") }
        #expect(kernels.count == 2, "\(plan.steps)")
    }

    @Test("plans of bytes and of floats that are made at the same time are both right")
    func madeTogether() async throws {
        // Of one, three and six channels, and sizes that no other test has.
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for size in 0..<24 {
                tasks.addTask {
                    let sketch = Sketch(seed: UInt64(size))
                    let x = sketch.input([1, [1, 3, 6][size % 3], 17 + size, 29], as: "x")
                    let conv = try sketch.conv(x, to: 6, kernel: 5, bias: true, as: "conv")
                    let network = try network(sketch, conv)
                    if size % 2 == 0 {
                        try expectAgreement(network)
                    } else {
                        try expectBytes(network, rounding: ["x": "x", "conv": "conv"])
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    @Test("pooling and flattening pass bytes on to a product")
    func pooling() throws {
        let sketch = Sketch(seed: 9)
        let x = sketch.input([3, 4, 12, 12], as: "x")
        let conv = try sketch.conv(x, to: 10, bias: true, as: "conv")
        let maximum = try sketch.add(
            .maxPool(
                .init(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1], [1, 1]))),
            conv, as: "maximum")
        let mean = try sketch.add(
            .averagePool(.init(kernel: [3, 3], strides: [3, 3]), countsPadding: false), maximum,
            as: "mean")
        let flat = try sketch.add(.flatten(axis: 1), mean, as: "flat")
        let product = try sketch.add(
            .gemm(.init(transposesB: true)), flat, sketch.parameter([20, 40]),
            sketch.parameter([20]), as: "product")
        let relu = try sketch.add(.unary(.relu), product, as: "relu")
        let last = try sketch.add(
            .gemm(.init()), relu, sketch.parameter([20, 7]), sketch.parameter([7]), as: "last")
        let plan = try expectBytes(
            sketch.giving(maximum, mean, flat, relu, last),
            rounding: [
                "x": "x", "conv": "conv", "maximum": "conv", "mean": "conv", "flat": "conv",
                "relu": "relu",
            ])
        #expect(
            plan.operations
                == ["Conv", "MaxPool", "AveragePool", "Flatten", "Gemm+Relu", "Gemm"]
                || plan.operations == ["Conv", "MaxPool", "AveragePool", "Gemm+Relu", "Gemm"])
    }

    @Test("a global mean passes bytes on", arguments: [1, 2])
    func globalMean(threads: Int) throws {
        let sketch = Sketch(seed: 10)
        let x = sketch.input([2, 6, 9, 7], as: "x")
        let conv = try sketch.conv(x, to: 24, bias: true, as: "conv")
        let relu = try sketch.add(.unary(.relu), conv, as: "relu")
        let mean = try sketch.add(.globalAveragePool, relu, as: "mean")
        let flat = try sketch.add(.flatten(axis: 1), mean, as: "flat")
        let last = try sketch.add(
            .gemm(.init(transposesB: true)), flat, sketch.parameter([10, 24]),
            sketch.parameter([10]), as: "last")
        try expectBytes(
            sketch.giving(flat, last),
            rounding: ["x": "x", "relu": "relu", "mean": "relu", "flat": "relu"], threads: threads)
    }

    @Test("neighbours in one result have one scale")
    func concatenation() throws {
        let sketch = Sketch(seed: 12)
        let x = sketch.input([2, 6, 8, 8], as: "x")
        let one = try sketch.conv(x, to: 8, bias: true, as: "one")
        let other = try sketch.add(
            .unary(.relu), sketch.conv(x, to: 12, bias: true), as: "other")
        try sketch.add(.concat(axis: 1), [one, other], outputs: ["both"])
        let plan = try expectBytes(
            network(sketch, "both"),
            rounding: ["x": "x", "one": "both", "other": "both", "both": "both"])
        #expect(plan.steps.filter { $0.operation == "Reorder" }.count <= 3)
    }

    @Test("products of rows take bytes, whatever the dimensions before them")
    func rows() throws {
        let sketch = Sketch(seed: 13)
        let x = sketch.input([2, 5, 12], as: "x")
        let product = try sketch.add(.matMul, x, sketch.parameter([12, 33]), as: "product")
        let last = try sketch.add(.matMul, product, sketch.parameter([33, 4]), as: "last")
        try expectBytes(sketch.giving(product, last), rounding: ["x": "x", "product": "product"])
    }

    @Test("what has no form on bytes works on floats between those that have")
    func mixed() throws {
        let sketch = Sketch(seed: 14)
        let x = sketch.input([2, 5, 8, 8], as: "x")
        let conv = try sketch.conv(x, to: 8, bias: true)
        let normal = try sketch.batchNormalization(sketch.add(.unary(.tanh), conv))
        let last = try sketch.conv(normal, to: 3, as: "last")
        try expectBytes(sketch.giving(last), rounding: ["x": "x", normal: normal])
    }

    @Test("without ranges, or with those of other values, bytes are refused")
    func ranges() throws {
        var network = try Zoo.network("lenet5", seed: 1)
        let error = #expect(throws: NetworkError.self) {
            try ExecutionPlan(network, precision: .int8)
        }
        #expect(error?.code == .noActivationRanges)
        #expect(error?.message.contains("--calibrate") == true)
        network.activationRanges = .init(["unknown": try #require(.init(0, 1))])
        let other = #expect(throws: NetworkError.self) {
            try ExecutionPlan(network, precision: .int8)
        }
        #expect(other?.message.contains("'input'") == true)
    }

    @Test(
        "whole networks on bytes stay near those on floats, and make no floats in between",
        arguments: ["lenet5", "resnet20@1x16x16", "mobilenetv2@3x33x32/10", "mlp"])
    func networks(specification: String) throws {
        let network = try Zoo.network(specification, seed: 3)
        let input = try network.randomInput(batch: 4, seed: 5)
        var calibration = RangeCalibration(network)
        try calibration.observe(["input": input])
        var rounded = network
        rounded.activationRanges = calibration.ranges
        let plan = try ExecutionPlan(
            rounded, inputShapes: ["input": input.shape], precision: .int8)
        let expected = try network.evaluated(["input": input])
        for _ in 0..<2 {
            let found = try plan.run(["input": input])
            for (name, tensor) in expected {
                let error = try #require(found[name]?.relativeDistance(to: tensor))
                #expect(error < 0.1, "\(specification) \(name) \(error)")
            }
        }
        #expect(plan.steps.filter { $0.operation == "Reorder" }.count <= 2, "\(plan.steps)")
        let floats = try ExecutionPlan(network, inputShapes: ["input": input.shape])
        #expect(plan.constantByteCount * 2 < floats.constantByteCount)
    }
}
