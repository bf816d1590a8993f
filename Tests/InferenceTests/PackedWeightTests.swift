import Decomposition
import DenseMath
import Inference
import Networks
import Testing

@Suite("Plans of packed weights")
struct PackedWeightTests {
    /// A network with a weight of every kind, and the names of its weights.
    private func network() throws -> (network: Network, weights: [String]) {
        let sketch = Sketch()
        let indices = sketch.input([4], .int64)
        let table = sketch.parameter([24, 32])
        let rows = try sketch.add(.gather(axis: 0), table, indices)
        let first = sketch.parameter([32, 32])
        let a = try sketch.add(.gemm(.init(transposesB: true)), rows, first)
        let second = sketch.parameter([32, 48])
        let b = try sketch.add(.gemm(.init()), a, second, sketch.parameter([48]))
        let third = sketch.parameter([48, 32])
        let c = try sketch.add(.matMul, b, third)
        // The first again, the other way round.
        let d = try sketch.add(.gemm(.init()), c, first)
        let image = try sketch.add(
            .reshape(allowsZero: false), d, sketch.integers([1, 8, 4, 4]))
        let e = try sketch.conv(image, to: 24, as: "conv")
        let weights = [table, first, second, third, sketch.network.nodes.last?.inputs[1] ?? ""]
        return (sketch.giving(try sketch.batchNormalization(e), rows, d), weights)
    }

    @Test("packed weights give what their rebuilt form gives", arguments: [1, 2])
    func agrees(threads: Int) throws {
        let (original, weights) = try network()
        let packed = try original.compressed()
        var dense = packed
        for name in weights {
            guard case .smartDeal(let parameter)? = packed.parameters[name] else {
                Issue.record("\(name) is not packed")
                continue
            }
            dense.parameters[name] = .dense(parameter.rebuilt())
        }
        let inputs = try packed.randomInputs(seed: 3)
        let expected = try ExecutionPlan(dense, threads: threads).run(inputs)
        let found = try ExecutionPlan(packed, threads: threads).run(inputs)
        #expect(found == expected)
        try expectAgreement(packed, threads: threads)
    }

    @Test(
        "on bytes one row meets packed weights as they lie, whichever way round they are",
        arguments: [1, 2])
    func vectors(threads: Int) throws {
        let sketch = Sketch(seed: 4)
        let x = sketch.input([1, 96], as: "x")
        let first = try sketch.add(
            .gemm(.init(alpha: 0.5, transposesB: true)), x, sketch.parameter([70, 96]),
            sketch.parameter([70]), as: "first")
        let relu = try sketch.add(.unary(.relu), first, as: "relu")
        let second = try sketch.add(.matMul, relu, sketch.parameter([70, 70]), as: "second")
        let sum = try sketch.add(.binary(.add), second, relu, as: "sum")
        let last = try sketch.add(
            .gemm(.init()), sum, sketch.parameter([70, 40]), sketch.parameter([40]), as: "last")
        for prune in [0, 0.5] {
            var recipe = Recipe()
            recipe.kinds[.linear] = [.init("prune", .number(prune))]
            let packed = try sketch.giving(relu, sum, last).compressed(recipe: recipe).calibrated()
            let inputs = try packed.randomInputs(seed: 3)
            let plan = try ExecutionPlan(packed, threads: threads, precision: .int8)
            let kernels = plan.steps.map(\.kernel).filter { $0.hasPrefix("packed:") }
            #expect(kernels.count == 3, "\(plan.steps)")
            let found = try plan.run(inputs)
            for (name, tensor) in try packed.evaluated(inputs) {
                let error = try #require(found[name]?.relativeDistance(to: tensor))
                #expect(error < 0.1, "\(name) \(error)")
            }
            let streaming = try ExecutionPlan(
                packed, threads: threads, precision: .int8, rebuilding: .streaming)
            #expect(try streaming.run(inputs) == found)
            let dense = try ExecutionPlan(
                packed, threads: threads, precision: .int8, kernels: .dense)
            #expect(!dense.steps.contains { $0.kernel.hasPrefix("packed:") })
        }
    }

    @Test("streamed weights give the same bits, and stay packed", arguments: [1, 2])
    func streamed(threads: Int) throws {
        let packed = try network().network.compressed()
        let inputs = try packed.randomInputs(seed: 3)
        let once = try ExecutionPlan(packed, threads: threads)
        let streaming = try ExecutionPlan(packed, threads: threads, rebuilding: .streaming)
        let expected = try once.run(inputs)
        for _ in 0..<2 { #expect(try streaming.run(inputs) == expected) }
        #expect(streaming.steps.filter { $0.operation == "Rebuild" }.count == 6)
        #expect(Double(streaming.constantByteCount) <= 1.1 * Double(packed.parameterByteCount))
        #expect(streaming.scratchByteCount >= 4 * 48 * 32)
    }

    @Test(
        "a network in streaming mode keeps its weights in at most 1.1 times their bytes",
        arguments: ["resnet20@1x16x16", "mobilenetv2@3x32x32/10", "mlp"],
        [Precision.f32, .int8])
    func streamedNetworks(specification: String, precision: Precision) throws {
        var recipe = Recipe()
        recipe.kinds[.conv] = [.init("prune", .number(0.5))]
        var packed = try Zoo.network(specification, seed: 3).compressed(recipe: recipe)
        let input = try packed.randomInput(batch: 2, seed: 5)
        var calibration = RangeCalibration(packed)
        try calibration.observe(["input": input])
        packed.activationRanges = calibration.ranges
        func plan(_ rebuilding: Rebuilding) throws -> ExecutionPlan {
            try ExecutionPlan(
                packed, inputShapes: ["input": input.shape], precision: precision,
                rebuilding: rebuilding)
        }
        let (once, streaming) = (try plan(.once), try plan(.streaming))
        #expect(try streaming.run(["input": input]) == once.run(["input": input]))
        #expect(Double(streaming.constantByteCount) <= 1.1 * Double(packed.parameterByteCount))
        #expect(streaming.constantByteCount < once.constantByteCount)
    }

    @Test("steps name the density of their packed weights")
    func density() throws {
        let (original, weights) = try network()
        var recipe = Recipe()
        recipe.defaults = [.init("prune", .number(0.5))]
        let packed = try original.compressed(recipe: recipe)
        let plan = try ExecutionPlan(packed)
        var wanted: [Double] = []
        for index in [0, 1, 2, 3, 1, 4] {
            guard case .smartDeal(let parameter)? = packed.parameters[weights[index]] else {
                continue
            }
            wanted.append(parameter.weight.statistics().density)
        }
        let weighted = ["Gather", "Gemm", "MatMul", "Conv"]
        let found = plan.steps.filter { weighted.contains($0.operation) }.map(\.density)
        #expect(found == wanted)
        #expect(wanted.count == 6 && wanted.contains { $0 < 1 })
        #expect(plan.steps.filter { $0.operation == "Reorder" }.allSatisfy { $0.density == 1 })
    }

    @Test("a weight that two nodes use is kept once")
    func shared() throws {
        let sketch = Sketch()
        let x = sketch.input([3, 64])
        let weight = sketch.parameter([64, 64])
        let once = try sketch.add(.gemm(.init(transposesB: true)), x, weight)
        let one = try ExecutionPlan(try sketch.giving(once).compressed())
        let twice = try sketch.add(.gemm(.init(transposesB: true)), once, weight)
        let two = try ExecutionPlan(try sketch.giving(twice).compressed())
        #expect(one.steps.count == 1 && two.steps.count == 2)
        #expect(one.constantByteCount == two.constantByteCount)
    }
}
