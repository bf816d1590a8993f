import DenseMath
import Inference
import Networks
import Testing

/// Plans reuse the memory of values; these networks need theirs for longer than it seems.
@Suite("Values that are still needed are not overwritten")
struct OverwritingTests {
    /// A value in the layout that convolutions prefer.
    private func blocked(_ sketch: Sketch, channels: Int = 16) throws -> String {
        let x = sketch.input([1, 3, 6, 6])
        return try sketch.conv(x, to: channels)
    }

    @Test("the residual is read again after the addition", arguments: [16, 17])
    func residualReadAgain(channels: Int) throws {
        let sketch = Sketch()
        let x = try sketch.add(.unary(.relu), blocked(sketch, channels: channels))
        let y = try sketch.conv(sketch.conv(x, to: channels), to: channels)
        let sum = try sketch.add(.binary(.add), y, x)
        let again = try sketch.add(.binary(.multiply), sum, x)
        try expectAgreement(sketch.giving(again))
    }

    @Test("the residual is what the convolution reads", arguments: [3, 16, 17], [1, 3])
    func residualIsSource(channels: Int, kernel: Int) throws {
        let sketch = Sketch()
        let x = try blocked(sketch, channels: channels)
        let y = try sketch.conv(x, to: channels, kernel: kernel)
        try expectAgreement(sketch.giving(try sketch.add(.binary(.add), y, x)))
    }

    @Test("the residual is what a matrix product reads")
    func residualIsFactor() throws {
        let sketch = Sketch()
        let x = sketch.input([5, 24])
        let product = try sketch.add(.matMul, x, sketch.parameter([24, 24]))
        let a = try sketch.add(.binary(.add), x, product)
        let square = sketch.input([2, 6, 6])
        let b = try sketch.add(
            .binary(.add), sketch.add(.matMul, square, square), square)
        let view = try sketch.add(.reshape(allowsZero: false), a, sketch.integers([5, 24]))
        let c = try sketch.add(
            .binary(.add), sketch.add(.matMul, a, sketch.parameter([24, 24])), view)
        try expectAgreement(sketch.giving(b, c))
    }

    @Test("an input of the network is the residual")
    func residualIsInput() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 3, 6, 6])
        let y = try sketch.conv(sketch.conv(x, to: 8), to: 3)
        try expectAgreement(sketch.giving(try sketch.add(.binary(.add), x, y)))
    }

    @Test("a value is added to itself")
    func addedToItself() throws {
        let sketch = Sketch()
        let x = try blocked(sketch)
        let y = try sketch.conv(x, to: 16)
        let twice = try sketch.add(.binary(.add), y, y)
        try expectAgreement(sketch.giving(try sketch.add(.binary(.add), twice, twice)))
    }

    @Test("a function is computed of a value that is read later", arguments: [true, false])
    func functionInPlace(isBlocked: Bool) throws {
        let sketch = Sketch()
        let x = isBlocked ? try blocked(sketch) : sketch.input([1, 3, 6, 6])
        let y = try sketch.add(.unary(.tanh), x)
        let z = try sketch.add(.binary(.subtract), y, x)
        try expectAgreement(sketch.giving(try sketch.add(.binary(.multiply), z, y)))
    }

    @Test("another shape of a value is read after a function of the value")
    func viewReadLater() throws {
        let sketch = Sketch()
        let x = sketch.input([2, 12])
        let y = try sketch.add(.unary(.tanh), x)
        let view = try sketch.add(.reshape(allowsZero: false), y, sketch.integers([2, 3, 4]))
        let function = try sketch.add(.unary(.exp), y)
        let other = try sketch.add(.unary(.negate), view)
        let both = try sketch.add(
            .binary(.add), sketch.add(.flatten(axis: 1), other), function)
        try expectAgreement(sketch.giving(both))
    }

    @Test("an output is read by later nodes")
    func outputReadLater() throws {
        let sketch = Sketch()
        let x = try blocked(sketch)
        let y = try sketch.add(.unary(.relu), x)
        let z = try sketch.add(.binary(.add), sketch.conv(y, to: 16), y)
        try expectAgreement(sketch.giving(x, y, z))
    }

    @Test("outputs stay while later ones are brought into order")
    func manyOutputs() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 16, 6, 6])
        let plain = try sketch.add(.unary(.exp), x)
        var outputs = [plain]
        for _ in 0..<5 { outputs.append(try sketch.conv(x, to: 16)) }
        try expectAgreement(sketch.giving(outputs))
        try expectAgreement(sketch.giving(outputs.reversed()))
    }

    @Test("an output is an input, a parameter or a copy of one of them")
    func trivialOutputs() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 3, 4, 4])
        let parameter = sketch.parameter([2, 3])
        let copy = try sketch.add(.unary(.identity), x)
        let view = try sketch.add(.flatten(axis: 1), x)
        let constant = try sketch.add(.unary(.identity), parameter)
        let y = try sketch.add(.unary(.relu), x)
        try expectAgreement(sketch.giving(x, parameter, copy, view, constant, y))
    }

    @Test("two outputs are one value")
    func sameOutputTwice() throws {
        let sketch = Sketch()
        let x = try blocked(sketch)
        let copy = try sketch.add(.unary(.identity), x)
        let y = try sketch.add(.unary(.relu), copy)
        let other = try sketch.add(.unary(.identity), y)
        try expectAgreement(sketch.giving(x, copy, y, other))
    }

    @Test("one square weight is used in both orientations")
    func squareWeight() throws {
        let sketch = Sketch()
        let x = sketch.input([3, 24])
        let weight = sketch.parameter([24, 24])
        let a = try sketch.add(.gemm(.init(transposesB: true)), x, weight)
        let b = try sketch.add(.gemm(.init()), x, weight)
        let c = try sketch.add(.matMul, x, weight)
        try expectAgreement(sketch.giving(a, b, c))
    }

    @Test("values may have the names that a plan would give its own")
    func confusingNames() throws {
        let sketch = Sketch()
        let x = try blocked(sketch)
        let other = try sketch.add(.unary(.tanh), x, as: "mean pooled")
        let mean = try sketch.add(
            .reduce(.mean, axes: [2, 3], keepsDimensions: false), x, as: "mean")
        let later = try sketch.add(.unary(.exp), other)
        try expectAgreement(sketch.giving(mean, later))
    }

    @Test("outputs of a node that nobody uses may be left out", arguments: 0..<3)
    func outputsLeftOut(kept: Int) throws {
        let sketch = Sketch()
        let x = sketch.input([2, 7])
        let outputs = (0..<3).map { $0 == kept ? "part" : "" }
        try sketch.add(.split(axis: 1, sizes: [2, 4, 1]), [x], outputs: outputs)
        try expectAgreement(sketch.giving(try sketch.add(.unary(.relu), "part")))
    }
}
