import DenseMath
import Networks
import Testing

@testable import Inference

@Suite("What is merged into what")
struct RewriteTests {
    private func simplified(_ network: Network) throws -> [PlanGraph.Operator] {
        var graph = try PlanGraph(network, inputShapes: [:])
        try graph.simplify(threads: 1)
        return graph.operators
    }

    private func hasBatchNormalization(_ network: Network) throws -> Bool {
        try simplified(network).contains {
            if case .batchNormalization = $0.operation { true } else { false }
        }
    }

    @Test(
        "batch normalisation is multiplied into a convolution's weights",
        arguments: [1, 3], [false, true])
    func batchNormalizationAfterConv(groups: Int, bias: Bool) throws {
        let sketch = Sketch()
        let x = sketch.input([2, 6, 5, 5])
        let y = try sketch.conv(x, to: 9, groups: groups, bias: bias)
        let network = sketch.giving(try sketch.batchNormalization(y))
        #expect(try simplified(network).map(\.operation.name) == ["Conv"])
        try expectAgreement(network)
    }

    @Test(
        "batch normalisation is multiplied into a matrix product's weights",
        arguments: [false, true], [nil, [7], [1, 7]])
    func batchNormalizationAfterGemm(transposed: Bool, bias: [Int]?) throws {
        let sketch = Sketch()
        let x = sketch.input([3, 5])
        var operands = [x, sketch.parameter(transposed ? [7, 5] : [5, 7])]
        if let bias { operands.append(sketch.parameter(bias)) }
        try sketch.add(.gemm(.init(transposesB: transposed)), operands, outputs: ["y"])
        let network = sketch.giving(try sketch.batchNormalization("y"))
        #expect(try simplified(network).map(\.operation.name) == ["Gemm"])
        try expectAgreement(network)
    }

    @Test("batch normalisation leaves a convolution alone that others read or that is an output")
    func batchNormalizationOfWhatOthersNeed() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 4, 5, 5])
        let y = try sketch.conv(x, to: 4)
        let z = try sketch.batchNormalization(y)
        let asOutput = sketch.giving(y, z)
        #expect(try hasBatchNormalization(asOutput))
        try expectAgreement(asOutput)
        let sum = try sketch.add(.binary(.multiply), y, z)
        let readTwice = sketch.giving(sum)
        #expect(try hasBatchNormalization(readTwice))
        try expectAgreement(readTwice)
    }

    @Test("a bias of one number a row is no bias of columns, also where there are as many")
    func biasOfRows() throws {
        let sketch = Sketch()
        let x = sketch.input([6, 5])
        let y = try sketch.add(
            .gemm(.init()), x, sketch.parameter([5, 6]), sketch.parameter([6, 1]))
        try expectAgreement(sketch.giving(try sketch.batchNormalization(y)))
        let product = try sketch.add(.matMul, x, sketch.parameter([5, 6]))
        try expectAgreement(
            sketch.giving(try sketch.add(.binary(.add), product, sketch.parameter([6, 1]))))
    }

    @Test(
        "a constant added to a matrix product becomes its bias, on either side",
        arguments: [[4, 5], [2, 3, 5]], [false, true])
    func bias(shape: [Int], isFirst: Bool) throws {
        let sketch = Sketch()
        let x = sketch.input(shape)
        let product = try sketch.add(.matMul, x, sketch.parameter([5, 6]))
        let bias = sketch.parameter([6])
        let sum = try sketch.add(
            .binary(.add), isFirst ? bias : product, isFirst ? product : bias)
        let network = sketch.giving(sum)
        let operators = try simplified(network)
        #expect(operators.count == 1)
        #expect(operators.first?.inputs.count == 3)
        try expectAgreement(network)
    }

    @Test("a bias is not lost where the product is computed by plain loops")
    func biasOfVector() throws {
        let sketch = Sketch()
        let x = sketch.input([5])
        let product = try sketch.add(.matMul, x, sketch.parameter([5, 6]))
        try expectAgreement(
            sketch.giving(try sketch.add(.binary(.add), product, sketch.parameter([6]))))
    }

    static let functions: [Networks.Operation.Unary] = [
        .relu, .leakyRelu(alpha: 0.1), .elu(alpha: 0.7), .clip(minimum: 0, maximum: 0.5),
        .clip(minimum: -.infinity, maximum: 0.1), .sigmoid, .hardSigmoid(alpha: 0.3, beta: 0.4),
        .hardSwish, .silu, .tanh, .gelu(approximately: false), .gelu(approximately: true), .exp,
        .negate, .absolute,
    ]

    @Test("a function of a layer's result is merged into the layer", arguments: functions)
    func functionAfterLayer(function: Networks.Operation.Unary) throws {
        let sketch = Sketch()
        let image = sketch.input([1, 3, 6, 5])
        let row = sketch.input([4, 7])
        let y = try sketch.add(.unary(function), sketch.conv(image, to: 17))
        let product = try sketch.add(.gemm(.init()), row, sketch.parameter([7, 5]))
        let z = try sketch.add(.unary(function), product)
        let network = sketch.giving(y, z)
        #expect(try simplified(network).map(\.operation.name) == ["Conv", "Gemm"])
        try expectAgreement(network)
    }

    @Test("bounds in the wrong order give the upper one")
    func crossedBounds() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 3, 4, 4])
        let y = try sketch.add(
            .unary(.clip(minimum: 0.3, maximum: -0.2)), sketch.conv(x, to: 5))
        try expectAgreement(sketch.giving(y))
    }

    @Test("integers are not computed as floats by what is merged")
    func integers() throws {
        let sketch = Sketch()
        let a = sketch.input([2, 3], .int64)
        let b = sketch.input([2, 3], .int64)
        let c = sketch.input([3, 3], .int64)
        let difference = try sketch.add(
            .unary(.absolute), sketch.add(.binary(.subtract), a, b))
        let product = try sketch.add(.binary(.add), sketch.add(.matMul, a, c), difference)
        try expectAgreement(sketch.giving(difference, product))
    }

    @Test("an addition is merged into the later of two convolutions", arguments: [false, true])
    func laterConvolution(isFirst: Bool) throws {
        let sketch = Sketch()
        let x = sketch.input([1, 16, 5, 5])
        let a = try sketch.conv(x, to: 16)
        let b = try sketch.conv(try sketch.add(.unary(.relu), x), to: 16)
        let sum = try sketch.add(.binary(.add), isFirst ? b : a, isFirst ? a : b)
        let network = sketch.giving(try sketch.add(.unary(.relu), sum))
        let operators = try simplified(network)
        #expect(operators.map(\.operation.name) == ["Conv", "Relu", "Conv"])
        #expect(operators.first?.fused.isEmpty == true)
        guard case .add(let other)? = operators.last?.fused.first else {
            Issue.record("nothing is added")
            return
        }
        #expect(other == a)
        try expectAgreement(network)
    }

    @Test("an addition that repeats one operand is not merged into it")
    func broadcastAddition() throws {
        let sketch = Sketch()
        let x = sketch.input([2, 16, 5, 5])
        let pooled = try sketch.conv(
            try sketch.add(.globalAveragePool, x), to: 16, kernel: 1)
        let sum = try sketch.add(.binary(.add), pooled, x)
        let network = sketch.giving(sum)
        #expect(try simplified(network).allSatisfy { $0.fused.isEmpty })
        try expectAgreement(network)
    }

    @Test("what nobody reads is not computed")
    func unused() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 3, 4, 4])
        _ = try sketch.conv(x, to: 4)
        let network = sketch.giving(try sketch.add(.unary(.relu), x))
        #expect(try expectAgreement(network).operations == ["Relu"])
    }

    @Test("large products of constants are left to run, small ones are computed before")
    func productsOfConstants() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 8])
        let small = try sketch.add(
            .matMul, sketch.parameter([8, 4]), sketch.parameter([4, 6]))
        let large = try sketch.add(
            .matMul, sketch.constant(1, [1024, 1024]), sketch.constant(1, [1024, 1024]))
        let y = try sketch.add(.matMul, x, small)
        #expect(try simplified(sketch.giving(y)).count == 1)
        #expect(try simplified(sketch.giving(y, large)).count == 2)
    }
}
