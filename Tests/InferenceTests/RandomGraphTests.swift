import DenseMath
import Inference
import Networks
import Testing

@Suite("Plans of random networks")
struct RandomGraphTests {
    @Test(
        "a plan gives what the plain loops give, with one thread and with two",
        arguments: 0..<60 as Range<UInt64>)
    func agrees(seed: UInt64) throws {
        var graph = RandomGraph(seed: seed)
        let network = try graph.network()
        let nodes = network.nodes.map { "\($0.operation.name)(\($0.inputs))" }
        for threads in 1...2 {
            try expectAgreement(
                network, threads: threads, seed: seed, "seed \(seed), threads \(threads): \(nodes)")
        }
    }
}

/// Small networks of many kinds of nodes, each reading any values before it.
private struct RandomGraph {
    private let sketch: Sketch
    private var generator: SplitMix64
    /// Images `[N, C, H, W]` and matrices `[N, K]`.
    private var values: [String] = []

    init(seed: UInt64) {
        sketch = Sketch(seed: seed &+ 1000)
        generator = SplitMix64(seed: seed)
    }

    mutating func network() throws -> Network {
        let channels = pick([1, 3, 16, 17, 24])
        let size = [pick([1, 2]), channels, pick([4, 7, 8]), pick([5, 8])]
        values = [sketch.input(size)]
        if chance(3) { values.append(sketch.input(size)) }
        while sketch.network.nodes.count < 12 {
            let value = pick(values)
            let rank = sketch.shape(value).count
            values.append(try rank == 4 ? image(value) : matrix(value))
        }
        var outputs = [values[values.count - 1]]
        for value in values.dropLast() where chance(6) { outputs.append(value) }
        return sketch.giving(outputs)
    }

    private mutating func pick<Element>(_ list: [Element]) -> Element {
        list[Int.random(in: 0..<list.count, using: &generator)]
    }

    private mutating func chance(_ one: Int) -> Bool {
        Int.random(in: 0..<one, using: &generator) == 0
    }

    private mutating func function() -> Networks.Operation {
        .unary(
            pick([
                .relu, .relu, .clip(minimum: -0.5, maximum: 0.5), .silu, .sigmoid, .hardSwish,
                .tanh, .leakyRelu(alpha: 0.2), .gelu(approximately: false), .negate,
            ]))
    }

    /// A value of the same shape, perhaps this one.
    private mutating func partner(_ value: String) -> String {
        let shape = sketch.shape(value)
        return pick(values.filter { sketch.shape($0) == shape })
    }

    private mutating func binary(_ value: String) throws -> String {
        let operation = Networks.Operation.binary(
            pick([.add, .add, .multiply, .subtract, .maximum]))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0:
            let shape = sketch.shape(value).enumerated().map { $0 == 1 ? $1 : 1 }
            return try sketch.add(operation, sketch.parameter(shape), value)
        case 1: return try sketch.add(operation, value, sketch.parameter([], in: 0.5...1))
        case 2:
            let divisor = try sketch.add(.unary(.sigmoid), partner(value))
            return try sketch.add(.binary(.divide), value, divisor)
        default: return try sketch.add(operation, value, partner(value))
        }
    }

    private mutating func convolution(_ x: String) throws -> String {
        let channels = sketch.shape(x)[1]
        let groups = pick([1, 1, channels, channels % 3 == 0 ? 3 : 1])
        let outputs = groups * pick(groups == 1 ? [1, 3, 16, 17, 24, channels] : [1, 1, 2])
        guard outputs <= 64 else { return try sketch.add(.unary(.relu), x) }
        let y = try sketch.conv(
            x, to: outputs, kernel: pick([1, 3, 3]), stride: pick([1, 1, 1, 2]),
            dilation: pick([1, 1, 2]), groups: groups, bias: chance(2))
        return chance(2) ? try sketch.batchNormalization(y) : y
    }

    private mutating func image(_ x: String) throws -> String {
        let shape = sketch.shape(x)
        switch Int.random(in: 0..<16, using: &generator) {
        case 0..<4: return try convolution(x)
        case 4:
            // A residual block.
            let y = try sketch.conv(
                try sketch.add(.unary(.relu), sketch.conv(x, to: shape[1])), to: shape[1])
            return try sketch.add(.binary(.add), y, x)
        case 5: return try sketch.add(.binary(.add), sketch.conv(x, to: shape[1]), x)
        case 6: return try sketch.batchNormalization(x)
        case 7..<9: return try sketch.add(function(), x)
        case 9..<11: return try binary(x)
        case 11:
            let others = values.filter {
                let other = sketch.shape($0)
                return other.count == 4 && other[0] == shape[0] && other[2...] == shape[2...]
                    && other[1] + shape[1] <= 64
            }
            guard !others.isEmpty else { return try sketch.add(function(), x) }
            return try sketch.add(.concat(axis: 1), x, pick(others), x)
        case 12:
            guard shape[2] >= 2, shape[3] >= 2 else { return try sketch.add(function(), x) }
            let pooling = Networks.Operation.Pooling(
                kernel: [2, 2], strides: [2, 2], padding: .explicit([0, 0], [1, 1]),
                roundsUp: chance(2))
            return try sketch.add(
                pick([
                    .maxPool(pooling), .averagePool(pooling, countsPadding: true),
                    .averagePool(pooling, countsPadding: false),
                ]), x)
        case 13: return try sketch.add(.transpose(permutation: [0, 1, 3, 2]), x)
        case 14:
            return try sketch.add(
                .reduce(.mean, axes: [2, 3], keepsDimensions: false), x)
        default: return try sketch.add(.flatten(axis: 1), x)
        }
    }

    private mutating func matrix(_ x: String) throws -> String {
        let shape = sketch.shape(x)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1:
            let outputs = pick([1, 3, 17, 24, min(shape[1], 64)])
            let reach = 1 / Float(shape[1]).squareRoot()
            let transposes = chance(2)
            let weight = sketch.parameter(
                transposes ? [outputs, shape[1]] : [shape[1], outputs], in: -reach...reach)
            return try sketch.add(
                .gemm(.init(alpha: pick([1, 0.5]), beta: pick([1, 2]), transposesB: transposes)),
                x, weight, sketch.parameter([outputs]))
        case 2:
            guard shape[1] <= 64 else { return try sketch.add(.softmax(axis: 1), x) }
            let reach = 1 / Float(shape[1]).squareRoot()
            let product = try sketch.add(
                .matMul, x, sketch.parameter([shape[1], shape[1]], in: -reach...reach))
            return try sketch.add(.binary(.add), pick([x, sketch.parameter([shape[1]])]), product)
        case 3: return try sketch.add(function(), x)
        case 4: return try binary(x)
        case 5:
            return try sketch.add(
                .layerNormalization(axis: -1, epsilon: 1e-2), x,
                sketch.parameter([shape[1]]), sketch.parameter([shape[1]]))
        case 6: return try sketch.batchNormalization(x)
        default:
            return try sketch.add(
                .reshape(allowsZero: false), x, sketch.integers([0, Int64(shape[1]), 1, 1]))
        }
    }
}
