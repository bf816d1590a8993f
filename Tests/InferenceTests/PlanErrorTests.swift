import DenseMath
import Foundation
import Inference
import Networks
import Testing

@Suite("What cannot be run, and what is at the edge of it")
struct PlanErrorTests {
    private func simple() throws -> Network {
        let sketch = Sketch()
        let x = sketch.input([1, 3, 4, 4], as: "x")
        return sketch.giving(try sketch.conv(x, to: 2, as: "y"))
    }

    /// The error that `body` throws.
    private func error(
        _ code: NetworkError.Code, _ location: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) throws -> NetworkError {
        let error = try #require(
            #expect(throws: NetworkError.self, sourceLocation: location) { try body() },
            sourceLocation: location)
        #expect(error.code == code, "\(error)", sourceLocation: location)
        return error
    }

    @Test("inputs that are missing, unknown or of another shape or kind are refused by name")
    func inputs() throws {
        let network = try simple()
        let plan = try ExecutionPlan(network)
        let session = InferenceSession(network)
        let good = Tensor(zeros: [1, 3, 4, 4])
        for run in [plan.run, session.run] {
            #expect(try error(.invalidInput) { _ = try run([:]) }.message.contains("'x'"))
            #expect(
                try error(.invalidInput) { _ = try run(["x": good, "z": good]) }.message
                    .contains("'z'"))
            let shape = try error(.invalidInput) {
                _ = try run(["x": Tensor(zeros: [1, 3, 4, 5])])
            }.message
            #expect(shape.contains("'x'") && shape.contains("[1, 3, 4, 5]"))
            let kind = try error(.invalidInput) {
                _ = try run(["x": Tensor(.int64, zeros: [1, 3, 4, 4])])
            }.message
            #expect(kind.contains("'x'") && kind.contains("int64"))
            // An error leaves the plan as it was.
            #expect(try run(["x": good])["y"]?.shape == [1, 2, 4, 4])
        }
        _ = try error(.invalidInput) {
            _ = try ExecutionPlan(network, inputShapes: ["unknown": [1]])
        }
    }

    @Test("a foreign operator is refused by its node and its name")
    func foreign() throws {
        var network = try simple()
        network.nodes.append(
            Node(
                "tail", .foreign(.init(domain: "ai.other", type: "Magic")), inputs: ["y"],
                outputs: ["z"]))
        network.outputs = ["z"]
        let error = try error(.unsupportedOperator) { _ = try ExecutionPlan(network) }
        #expect(error.node == "tail" && error.message.contains("Magic"))
    }

    @Test("a named batch dimension may be any, also none", arguments: [0, 1, 32])
    func batches(batch: Int) throws {
        let sketch = Sketch()
        let x = sketch.input([1, 3, 6, 6], as: "x")
        let y = try sketch.batchNormalization(sketch.conv(x, to: 8))
        let pooled = try sketch.add(
            .globalAveragePool, sketch.add(.binary(.add), y, sketch.conv(y, to: 8)))
        let flat = try sketch.add(.flatten(axis: 1), pooled)
        let scores = try sketch.add(
            .gemm(.init(transposesB: true)), flat, sketch.parameter([5, 8]),
            sketch.parameter([5]))
        var network = sketch.giving(try sketch.add(.softmax(axis: 1), scores, as: "y"), flat)
        network.inputs[0].shape[0] = .named("batch")
        let session = InferenceSession(network)
        let input = Tensor(random: [batch, 3, 6, 6], seed: 3)
        let expected = try network.evaluated(["x": input])
        let found = try session.run(["x": input])
        #expect(found["y"]?.shape == [batch, 5])
        for (name, tensor) in expected {
            #expect(try #require(found[name]).relativeDistance(to: tensor) < 1e-4)
        }
        #expect(try session.plan(for: ["x": input.shape]) === session.plan(for: ["x": input.shape]))
    }

    @Test("an image without pixels is refused, not computed")
    func emptyImage() throws {
        var network = try simple()
        network.inputs[0].shape[2] = .named("height")
        _ = try error(.shapeMismatch) {
            _ = try ExecutionPlan(network, inputShapes: ["x": [1, 3, 0, 4]])
        }
    }

    @Test("values without elements between others give what the plain loops give")
    func emptyValues() throws {
        let sketch = Sketch()
        let x = sketch.input([3, 0])
        let product = try sketch.add(.matMul, x, sketch.parameter([0, 4]))
        let sum = try sketch.add(.binary(.add), product, sketch.parameter([4]))
        let gemm = try sketch.add(
            .gemm(.init()), x, sketch.parameter([0, 4]), sketch.parameter([4]))
        let relu = try sketch.add(.unary(.relu), x)
        let image = sketch.input([1, 0, 4, 4])
        let conv = try sketch.add(
            .conv(.init(kernel: [3, 3])), image, sketch.parameter([2, 0, 3, 3]),
            sketch.parameter([2]))
        let other = sketch.input([3, 2])
        let joined = try sketch.add(.concat(axis: 1), x, other)
        let alone = try sketch.add(.concat(axis: 1), x, x)
        let plain = try sketch.add(
            .reduce(.sum, axes: [1], keepsDimensions: false), x)
        try expectAgreement(
            sketch.giving(sum, gemm, relu, conv, joined, alone, plain))
    }

    @Test("values of more dimensions than oneDNN has are computed", arguments: [12, 13, 20])
    func manyDimensions(rank: Int) throws {
        let sketch = Sketch()
        let shape = [2, 3] + Array(repeating: 1, count: rank - 3) + [2]
        let x = sketch.input(shape)
        let y = try sketch.add(.unary(.relu), x)
        let sum = try sketch.add(.binary(.add), y, x)
        let wide = try sketch.add(
            .binary(.multiply), sum, sketch.parameter(shape.map { $0 == 3 ? 3 : 1 }))
        let turned = try sketch.add(.transpose(permutation: nil), wide)
        let normal = try sketch.batchNormalization(wide)
        let joined = try sketch.add(.concat(axis: 1), normal, wide)
        let softmax = try sketch.add(.softmax(axis: 1), joined)
        let mean = try sketch.add(.reduce(.mean, axes: [0, 1], keepsDimensions: true), softmax)
        let flat = try sketch.add(.flatten(axis: 2), softmax)
        let product = try sketch.add(.matMul, sum, sketch.parameter([2, 4]))
        let function = try sketch.add(
            .unary(.tanh), sketch.add(.binary(.add), product, sketch.parameter([4])))
        try expectAgreement(sketch.giving(turned, mean, flat, function))
    }

    @Test("convolutions and poolings of more dimensions than oneDNN has are computed")
    func manySpatialDimensions() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 2, 3, 3, 3, 3])
        let y = try sketch.add(.unary(.relu), sketch.conv(x, to: 2, kernel: 1, bias: true))
        let z = try sketch.add(.maxPool(.init(kernel: [2, 2, 2, 2])), y)
        let mean = try sketch.add(.globalAveragePool, z)
        try expectAgreement(sketch.giving(try sketch.add(.binary(.add), y, x), z, mean))
    }

    @Test("a network without nodes gives its inputs and parameters")
    func withoutNodes() throws {
        let sketch = Sketch()
        let x = sketch.input([2, 3])
        let indices = sketch.input([4], .int64)
        let plan = try expectAgreement(
            sketch.giving(x, indices, sketch.parameter([5]), sketch.integers([1, 2])))
        #expect(plan.steps.isEmpty)
        #expect(try expectAgreement(Network(name: "nothing")).activationByteCount == 0)
    }

    @Test("absurd shapes are refused before any memory is asked for")
    func absurdShapes() throws {
        for shape in [[1 << 40], [1 << 20, 1 << 20], [1 << 62, 4]] {
            var network = Network(name: "absurd")
            network.inputs = [.init("x", .float32, shape.map { .fixed($0) })]
            network.nodes = [Node("n", .unary(.relu), inputs: ["x"], outputs: ["y"])]
            network.outputs = ["y"]
            _ = try error(.tooLarge) { _ = try ExecutionPlan(network) }
        }
    }

    @Test("a plan that needs more memory than the machine has is refused")
    func memory() throws {
        let bytes = ProcessInfo.processInfo.physicalMemory
        // Each the largest that a value may be; all are there at once.
        let size = 1 << 33
        var network = Network(name: "large")
        for index in 0...Int(bytes / UInt64(4 * size)) {
            network.inputs.append(.init("x\(index)", .float32, [.fixed(size)]))
            network.nodes.append(
                Node("n\(index)", .unary(.relu), inputs: ["x\(index)"], outputs: ["y\(index)"]))
            network.outputs.append("y\(index)")
        }
        let error = try error(.tooLarge) { _ = try ExecutionPlan(network) }
        #expect(error.message.contains("bytes"))
    }

    @Test("an index that does not exist is an error of the run, and the plan can run again")
    func badIndex() throws {
        let sketch = Sketch()
        let indices = sketch.input([2], .int64, as: "i")
        let y = try sketch.add(.gather(axis: 0), sketch.parameter([4, 3]), indices, as: "y")
        let plan = try ExecutionPlan(sketch.giving(y))
        for index: Int64 in [4, -5, .max, .min] {
            let values = ["i": Tensor(shape: [2], integers: [0, index])]
            let error = try error(.invalidInput) { _ = try plan.run(values) }
            #expect(error.message.contains("\(index)") && error.node != nil)
        }
        let values = ["i": Tensor(shape: [2], integers: [3, -4])]
        #expect(try plan.run(values)["y"]?.shape == [2, 3])
    }
}
