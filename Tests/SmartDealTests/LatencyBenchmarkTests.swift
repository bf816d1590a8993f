import Testing

@testable import SmartDeal

@Suite("Measuring a network")
struct LatencyBenchmarkTests {
    private func network(
        _ inputs: [Network.Input], weights: [String: [Int]] = [:],
        _ operation: Networks.Operation, uses: [String]
    ) -> Network {
        Network(
            name: "one node", inputs: inputs, outputs: ["y"],
            nodes: [Node("node", operation, inputs: uses, outputs: ["y"])],
            parameters: weights.mapValues { .dense(Tensor(zeros: $0)) })
    }

    @Test("multiply-accumulates are those counted by hand")
    func multiplyAccumulates() throws {
        // 4 channels of 3 x 3 outputs, each of 6 / 2 channels of 3 x 3 pixels.
        let conv = network(
            [.init("x", .float32, [.named("n"), 6, 5, 5])], weights: ["w": [4, 3, 3, 3]],
            .conv(.init(kernel: [3, 3], groups: 2)), uses: ["x", "w"])
        #expect(try conv.multiplyAccumulates() == [0: 4 * 9 * 27])
        #expect(try conv.multiplyAccumulates(inputShapes: ["x": [2, 6, 5, 5]]) == [0: 2 * 972])
        let gemm = network(
            [.init("x", .float32, [2, 5])], weights: ["w": [3, 5]], .gemm(.init(transposesB: true)),
            uses: ["x", "w"])
        #expect(try gemm.multiplyAccumulates() == [0: 2 * 3 * 5])
        let transposed = network(
            [.init("x", .float32, [5, 2])], weights: ["w": [5, 3]], .gemm(.init(transposesA: true)),
            uses: ["x", "w"])
        #expect(try transposed.multiplyAccumulates() == [0: 2 * 3 * 5])
        let product = network(
            [.init("x", .float32, [2, 3, 4]), .init("z", .float32, [4, 5])], .matMul,
            uses: ["x", "z"])
        #expect(try product.multiplyAccumulates() == [0: 2 * 3 * 5 * 4])
        let other = network([.init("x", .float32, [2, 3])], .unary(.relu), uses: ["x"])
        #expect(try other.multiplyAccumulates() == [:])
    }

    @Test("operations a second are two for each multiply-accumulate, over the median")
    func operationRate() throws {
        var benchmark = LatencyBenchmark()
        benchmark.repeats = 5
        benchmark.threads = 1
        benchmark.batch = 3
        let network = try Zoo.network("lenet5")
        let counts = try network.multiplyAccumulates(inputShapes: ["input": [3, 1, 28, 28]])
        let report = try benchmark.measure(network, name: "lenet5")
        let rate = 2 * Double(counts.values.reduce(0, +)) / (report.median_ms * 1e6)
        #expect(abs(report.dense_equivalent_gops / rate - 1) < 1e-9)
        #expect(report.batch == 3 && report.threads == 1 && report.repeats == 5)
        #expect(report.min_ms > 0 && report.min_ms <= report.median_ms)
        #expect(report.parameter_bytes == network.parameterByteCount)
        #expect(report.steps.contains { $0.operation.hasPrefix("Conv") && $0.density == 1 })
    }

    private func shapes(
        _ inputs: [Network.Input], batch: Int? = nil, given: [String: [Int]] = [:]
    ) throws -> ([String: [Int]], Int) {
        let random = try RandomInputs(
            for: Network(name: "n", inputs: inputs), batch: batch, given: given)
        return (random.shapes, random.batch)
    }

    @Test("the batch is for the names of first dimensions; other named dimensions are 1")
    func namedDimensions() throws {
        let inputs: [Network.Input] = [
            .init("table", .float32, [7, 4]),
            .init("words", .int64, [.named("n"), .named("length")]),
            .init("mask", .bool, [.named("n"), 1, .named("length"), .named("n")]),
        ]
        var (found, batch) = try shapes(inputs, batch: 5)
        #expect(found == ["table": [7, 4], "words": [5, 1], "mask": [5, 1, 1, 5]])
        #expect(batch == 5)
        (found, batch) = try shapes(inputs, given: ["words": [2, 9]])
        #expect(found == ["table": [7, 4], "words": [2, 9], "mask": [1, 1, 1, 1]])
        #expect(batch == 2)
    }

    @Test("a batch that the network is fixed to is measured, and no other")
    func fixedBatch() throws {
        let inputs: [Network.Input] = [.init("x", .float32, [4, 3])]
        #expect(try shapes(inputs).1 == 4)
        #expect(try shapes(inputs, batch: 4).1 == 4)
        let error = #expect(throws: NetworkError.self) { try shapes(inputs, batch: 1) }
        #expect(
            error?.message
                == "a batch of 1 is not possible: the input 'x' is fixed to float32 [4, 3]")
        #expect(throws: NetworkError.self) { try shapes([.init("x", .float32, [])], batch: 2) }
        #expect(try shapes([.init("x", .float32, [])]).1 == 1)
        #expect(try shapes([]).1 == 1)
    }

    @Test("the same seed gives the same inputs; integers are ones")
    func randomValues() throws {
        let network = Network(
            name: "n", inputs: [.init("x", .float32, [2, 3]), .init("i", .int32, [2])])
        let random = try RandomInputs(for: network)
        #expect(random.tensors(seed: 1) == random.tensors(seed: 1))
        #expect(random.tensors(seed: 1)["x"] != random.tensors(seed: 2)["x"])
        #expect(random.tensors(seed: 1)["i"]?.integers == [1, 1])
    }

    @Test("an input that is far too large is refused before there is memory for it")
    func tooLarge() throws {
        let huge = network(
            [.init("x", .float32, [.fixed(1 << 40), .fixed(1 << 40)])], .unary(.relu), uses: ["x"])
        #expect(throws: NetworkError.self) {
            try LatencyBenchmark().measure(huge, name: "huge")
        }
    }

    @Test("a measurement can be stopped")
    func stop() throws {
        let progress = TaskProgress()
        progress.cancel()
        let error = #expect(throws: SmartDealError.self) {
            try LatencyBenchmark().measure(
                Zoo.network("lenet5"), name: "lenet5", progress: progress)
        }
        #expect(error?.code == .interrupted)
    }

    @Test("no line is wider than 100 columns, and long names keep both ends")
    func tableWidth() throws {
        let long = "/encoder/layers.11/attention/output/dense/MatMul_with_a_long_name"
        let step = LatencyBenchmark.Report.Step(
            name: long, operation: "Conv+Add+Relu", kernel: "brgconv_1x1:avx512_core", ms: 123.456,
            density: 0.9995)
        let report = LatencyBenchmark.Report(
            model: "m", min_ms: 1, median_ms: 2, batch: 1, threads: 1, repeats: 1, isa: "avx512",
            precision: "f32", dense_equivalent_gops: 1, load_ms: 1, plan_ms: 1,
            rebuild: "once", parameter_bytes: 1, weight_bytes: 1, activation_bytes: 1,
            scratch_bytes: 1, resident_bytes: nil, steps: [step, step])
        let lines = report.text().split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 }, "\(lines.map(\.count))")
        #expect(lines[2].count == 100)
        #expect(lines[2].hasPrefix("/encoder/layers.\u{2026}with_a_long_name  "), "\(lines[2])")
        #expect(lines.contains { $0.hasPrefix("Conv+Add+Relu      2  246.912  100 %") })
        #expect(LatencyBenchmark.Report.shortened("conv10", to: 6) == "conv10")
        #expect(LatencyBenchmark.Report.shortened("conv10", to: 5) == "co\u{2026}10")
    }
}
