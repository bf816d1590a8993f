import Decomposition
import DenseMath
import Inference
import Networks
import Testing

@Suite("Plans of floats at kept positions")
struct SparsePlanTests {
    private func sparseSteps(_ plan: ExecutionPlan) -> [ExecutionPlan.Step] {
        plan.steps.filter { $0.kernel.hasPrefix("kept positions:") }
    }

    @Test(
        "at kept positions only a convolution gives what plain loops give",
        arguments: [
            (stride: 1, kernel: 3, dilation: 1), (2, 3, 1), (1, 1, 1), (2, 7, 1), (1, 3, 2),
        ], [1, 2])
    func agrees(shape: (stride: Int, kernel: Int, dilation: Int), threads: Int) throws {
        for function in [nil, Operation.Unary.relu, .clip(minimum: -1, maximum: 6)] {
            let sketch = Sketch(seed: 17)
            let x = sketch.input([2, 40, 14, 13], as: "x")
            let first = try sketch.conv(
                x, to: 70, kernel: shape.kernel, stride: shape.stride, dilation: shape.dilation,
                bias: function != nil, as: "first")
            let value = try function.map { try sketch.add(.unary($0), first) } ?? first
            let second = try sketch.conv(value, to: 70, bias: true)
            let sum = try sketch.add(.binary(.add), second, value)
            let last = try function.map { try sketch.add(.unary($0), sum) } ?? sum
            let network = sketch.giving(last, value).pruned()
            let plan = try expectAgreement(network, threads: threads)
            let name = function.map { "+\($0.name)" } ?? ""
            #expect(sparseSteps(plan).map(\.operation) == ["Conv\(name)", "Conv+Add\(name)"])
            let dense = try ExecutionPlan(network, kernels: .dense)
            #expect(sparseSteps(dense).isEmpty)
        }
    }

    @Test("a residual that is read again stays what it is")
    func residual() throws {
        let sketch = Sketch(seed: 3)
        let x = sketch.input([1, 40, 9, 9])
        let first = try sketch.conv(x, to: 40)
        let sum = try sketch.add(.binary(.add), sketch.conv(first, to: 40), first)
        let last = try sketch.add(.binary(.multiply), sum, first)
        try expectAgreement(sketch.giving(last).pruned())
    }

    @Test(
        "so does a product of any number of rows, wherever its weights have their channels",
        arguments: [1, 2, 13, 40], [1, 2])
    func products(rows: Int, threads: Int) throws {
        for function in [nil, Operation.Unary.relu, .gelu(approximately: false)] {
            let sketch = Sketch(seed: 18)
            let x = sketch.input([rows, 70], as: "x")
            let first = try sketch.add(
                .gemm(.init(transposesB: true)), x, sketch.parameter([100, 70]),
                sketch.parameter([100]))
            let value = try function.map { try sketch.add(.unary($0), first) } ?? first
            let second = try sketch.add(.matMul, value, sketch.parameter([100, 40]))
            let plan = try expectAgreement(sketch.giving(second).pruned(), threads: threads)
            let merged = function == .relu ? "+Relu" : ""
            #expect(sparseSteps(plan).map(\.operation) == ["Gemm\(merged)", "MatMul"])
        }
    }

    @Test(
        "groups of channels are computed at kept positions where that leaves less to multiply",
        arguments: [(filters: 80, groups: 2, isSparse: true), (64, 64, false)])
    func groups(shape: (filters: Int, groups: Int, isSparse: Bool)) throws {
        let sketch = Sketch(seed: 19)
        let x = sketch.input([1, 64, 9, 8], as: "x")
        let last = try sketch.conv(x, to: shape.filters, groups: shape.groups, bias: true)
        let network = sketch.giving(last).pruned()
        let plan = try expectAgreement(network)
        #expect(sparseSteps(plan).isEmpty == !shape.isSparse)
        let forced = try ExecutionPlan(network, kernels: .sparse)
        #expect(sparseSteps(forced).count == 1)
        let inputs = try network.randomInputs(seed: 5)
        let expected = try #require(network.evaluated(inputs)[last])
        let found = try #require(forced.run(inputs)[last])
        #expect(found.relativeDistance(to: expected) < 1e-5)
    }

    @Test("other steps work on images with channels last, and single channels stay with oneDNN")
    func neighbours() throws {
        let sketch = Sketch(seed: 4)
        let x = sketch.input([2, 3, 33, 30])
        let first = try sketch.conv(x, to: 24, kernel: 7, stride: 2, bias: true)
        let pooled = try sketch.add(
            .maxPool(
                .init(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1], [1, 1]))),
            sketch.add(.unary(.relu), first))
        let wide = try sketch.conv(pooled, to: 64, kernel: 1)
        let each = try sketch.conv(
            sketch.add(.unary(.hardSwish), wide), to: 64, groups: 64, as: "each")
        let narrow = try sketch.conv(each, to: 40, kernel: 1)
        let mean = try sketch.add(.globalAveragePool, narrow)
        let flat = try sketch.add(.flatten(axis: 1), mean)
        let last = try sketch.add(
            .gemm(.init(transposesB: true)), flat, sketch.parameter([10, 40]))
        let plan = try expectAgreement(sketch.giving(last).pruned())
        #expect(!sparseSteps(plan).isEmpty && !sparseSteps(plan).contains { $0.name == "each" })
        // The image on its way in, and what is pooled to one pixel.
        #expect(plan.steps.filter { $0.operation == "Reorder" }.count <= 2, "\(plan.steps)")
    }

    @Test("where nothing is dropped, oneDNN computes, unless told otherwise")
    func unpruned() throws {
        let network = try Zoo.network("resnet20@1x16x14", seed: 3)
        #expect(sparseSteps(try ExecutionPlan(network)).isEmpty)
        let forced = try ExecutionPlan(network, kernels: .sparse)
        let weighted = forced.operations.filter { $0.hasPrefix("Conv") || $0.hasPrefix("Gemm") }
        #expect(sparseSteps(forced).count == weighted.count)
        let inputs = try network.randomInputs(seed: 5)
        let expected = try network.evaluated(inputs)
        for (name, found) in try forced.run(inputs) {
            let wanted = try #require(expected[name])
            #expect(found.relativeDistance(to: wanted) < 1e-4)
        }
    }

    @Test("streamed weights give the same bits", arguments: [1, 2])
    func streamed(threads: Int) throws {
        var recipe = Recipe()
        recipe.kinds[.conv] = [.init("prune", .number(0.6))]
        let packed = try Zoo.network("resnet20@1x16x16", seed: 3).compressed(recipe: recipe)
        let inputs = try packed.randomInputs(seed: 3)
        let once = try ExecutionPlan(packed, threads: threads)
        let streaming = try ExecutionPlan(packed, threads: threads, rebuilding: .streaming)
        #expect(!sparseSteps(once).isEmpty)
        #expect(sparseSteps(streaming).count == sparseSteps(once).count)
        let expected = try once.run(inputs)
        for _ in 0..<2 { #expect(try streaming.run(inputs) == expected) }
    }
}
