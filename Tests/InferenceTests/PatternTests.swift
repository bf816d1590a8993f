import DenseMath
import Networks
import Testing

@testable import Inference

@Suite("Functions written as several operators")
struct PatternTests {
    private func names(_ network: Network) throws -> [String] {
        var graph = try PlanGraph(network, inputShapes: [:])
        try graph.simplify(threads: 1)
        return graph.operators.map(\.operation.name)
    }

    /// x (1 + erf(x / root)) half, the factors in one of three orders.
    private func gelu(
        _ sketch: Sketch, _ x: String, order: Int = 0, root: Float = Float(2).squareRoot(),
        one: Float = 1, half: Float = 0.5, rank: Int = 0
    ) throws -> String {
        let ones = Array(repeating: 1, count: rank)
        let scaled = try sketch.add(.binary(.divide), x, sketch.constant(root, ones))
        let sum = try sketch.add(
            .binary(.add), sketch.add(.unary(.erf), scaled), sketch.constant(one, ones))
        let factor = sketch.constant(half, ones)
        switch order {
        case 0:
            return try sketch.add(
                .binary(.multiply), sketch.add(.binary(.multiply), x, sum), factor)
        case 1:
            return try sketch.add(
                .binary(.multiply), x, sketch.add(.binary(.multiply), factor, sum))
        default:
            return try sketch.add(
                .binary(.multiply), sketch.add(.binary(.multiply), factor, x), sum)
        }
    }

    @Test("GELU from its error function is one step", arguments: 0..<3)
    func gelu(order: Int) throws {
        let sketch = Sketch()
        let x = sketch.input([3, 17])
        let network = sketch.giving(try gelu(sketch, x, order: order))
        #expect(try names(network) == ["Gelu"])
        try expectAgreement(network)
    }

    @Test(
        "other numbers than GELU's are computed as they are",
        arguments: [(1.5, 1, 0.5), (1.41421356, 1.1, 0.5), (1.41421356, 1, 0.4)]
            as [(Float, Float, Float)])
    func notGelu(root: Float, one: Float, half: Float) throws {
        let sketch = Sketch()
        let x = sketch.input([3, 17])
        let network = sketch.giving(
            try gelu(sketch, x, root: root, one: one, half: half))
        #expect(try !names(network).contains("Gelu"))
        try expectAgreement(network)
    }

    @Test("what is read elsewhere too is still given")
    func geluReadInside() throws {
        let sketch = Sketch()
        let x = sketch.input([3, 17])
        let y = try gelu(sketch, x)
        let inner = sketch.network.nodes.map(\.outputs[0])
        let network = sketch.giving(inner)
        #expect(inner.last == y)
        try expectAgreement(network)
    }

    @Test("numbers of more dimensions than the value give the result theirs")
    func wideNumbers() throws {
        let sketch = Sketch()
        let x = sketch.input([3, 17])
        try expectAgreement(sketch.giving(try gelu(sketch, x, rank: 4)))
    }

    @Test("x times its sigmoid is one step, either way round", arguments: [false, true])
    func silu(isFirst: Bool) throws {
        let sketch = Sketch()
        let x = sketch.input([2, 3, 5, 5])
        let y = try sketch.conv(x, to: 8)
        let gate = try sketch.add(.unary(.sigmoid), y)
        let product = try sketch.add(
            .binary(.multiply), isFirst ? gate : y, isFirst ? y : gate)
        let network = sketch.giving(product)
        // Merged into the convolution, whose result only the gate and the product read.
        #expect(try names(network) == ["Conv"])
        try expectAgreement(network)
        let withGate = sketch.giving(product, gate)
        try expectAgreement(withGate)
    }

    @Test("the sigmoid of another value is no gate of this")
    func notSilu() throws {
        let sketch = Sketch()
        let x = sketch.input([2, 8])
        let y = sketch.input([2, 8])
        let network = sketch.giving(
            try sketch.add(.binary(.multiply), x, sketch.add(.unary(.sigmoid), y)))
        #expect(try !names(network).contains("Silu"))
        try expectAgreement(network)
    }

    @Test("x times its hard sigmoid is HardSwish with its numbers only", arguments: [true, false])
    func hardSwish(isExact: Bool) throws {
        let sketch = Sketch()
        let x = sketch.input([2, 40])
        let gate = try sketch.add(
            .unary(.hardSigmoid(alpha: isExact ? 1.0 / 6 : 0.2, beta: 0.5)), x)
        let network = sketch.giving(try sketch.add(.binary(.multiply), x, gate))
        #expect(try names(network).contains("HardSwish") == isExact)
        try expectAgreement(network)
    }

    /// How a layer normalisation differs from the plainest.
    enum Normalization: CaseIterable {
        case plain, squareRootAsPower, squareAsProduct, shiftFirst
        case otherAxis, otherMean, otherCentre, withoutSquare, wideShift, wideEpsilon

        var isOne: Bool {
            switch self {
            case .plain, .squareRootAsPower, .squareAsProduct, .shiftFirst: true
            default: false
            }
        }
    }

    @Test(
        "layer normalisation from primitive operators is one step, and nothing else is",
        arguments: Normalization.allCases)
    func layerNormalization(form: Normalization) throws {
        let sketch = Sketch()
        let x = sketch.input([2, 6, 6])
        let axis = form == .otherAxis ? 1 : 2
        func mean(_ value: String, _ axis: Int) throws -> String {
            try sketch.add(.reduce(.mean, axes: [axis], keepsDimensions: true), value)
        }
        let centred = try sketch.add(
            .binary(.subtract), x, mean(x, form == .otherMean ? 1 : axis))
        let base =
            form == .otherCentre
            ? try sketch.add(.binary(.subtract), x, sketch.constant(0.1)) : centred
        let square: String
        switch form {
        case .squareAsProduct: square = try sketch.add(.binary(.multiply), base, base)
        case .withoutSquare: square = try sketch.add(.unary(.absolute), base)
        default: square = try sketch.add(.binary(.power), base, sketch.constant(2))
        }
        let epsilon = sketch.constant(1e-3, form == .wideEpsilon ? [1, 1, 1, 1] : [])
        let variance = try sketch.add(.binary(.add), mean(square, axis), epsilon)
        let root =
            form == .squareRootAsPower
            ? try sketch.add(.binary(.power), variance, sketch.constant(0.5))
            : try sketch.add(.unary(.sqrt), variance)
        let quotient = try sketch.add(.binary(.divide), centred, root)
        let product = try sketch.add(.binary(.multiply), quotient, sketch.parameter([6]))
        let shift = sketch.parameter(form == .wideShift ? [6, 1] : [6])
        let sum =
            form == .shiftFirst
            ? try sketch.add(.binary(.add), shift, product)
            : try sketch.add(.binary(.add), product, shift)
        let network = sketch.giving(sum)
        #expect(try names(network).contains("LayerNormalization") == form.isOne)
        try expectAgreement(network)
    }

    @Test("a scale of a layer normalisation that is one number a row is not taken for a row")
    func scaleOfRows() throws {
        let sketch = Sketch()
        let x = sketch.input([6, 6])
        let y = try sketch.add(
            .layerNormalization(axis: -1, epsilon: 1e-5), x, sketch.parameter([6, 1]))
        let z = try sketch.add(
            .layerNormalization(axis: -1, epsilon: 1e-5), x, sketch.parameter([1, 6]))
        try expectAgreement(sketch.giving(y, z))
    }
}
