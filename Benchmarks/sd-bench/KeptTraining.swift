import BenchmarkSupport
import DensePrimitives
import SmartDeal

/// A convolution in training that computes kept rows only.
final class KeptTraining {
    enum Pass: String {
        case forward = "training forward"
        case weightGradient = "weight gradient"
    }

    static let batch = 32
    static let channels = 64
    static let size = 16
    static let name = "3x3 \(channels)->\(channels), \(size)x\(size), \(batch) images"
    static let weightShape = [channels, channels, 3, 3]
    static let planeCount = batch * channels * size * size
    /// Of the dense pass, two a product.
    static let operations = Double(2 * planeCount * channels * 9)

    private let convolution: KeptConvolution
    private let x = AlignedBuffer<Float>(count: planeCount)
    private let y = AlignedBuffer<Float>(count: planeCount)
    private let weights: AlignedBuffer<Float>
    private let gradient: AlignedBuffer<Float>
    private let scratch: AlignedBuffer<UInt8>

    init(percent: Int) {
        var random = SplitMix64(seed: 6)
        let positions = Self.channels * 3
        let groups = (0..<Self.channels / WeightGeometry.groupSize).map { _ in
            Array((0..<positions).shuffled(using: &random).prefix(positions * percent / 100))
                .sorted()
        }
        convolution = KeptConvolution(
            batch: Self.batch, inputShape: [Self.channels, Self.size, Self.size],
            weightShape: Self.weightShape, strides: [1, 1], dilations: [1, 1],
            paddingBegin: [1, 1], paddingEnd: [1, 1],
            kept: percent == 100 ? nil : KeptPositions(unit: 3, groups: groups), threads: 1)
        let count = Self.weightShape.reduce(1, *)
        weights = AlignedBuffer((0..<count).map { _ in Float(random.nextNormal()) })
        gradient = AlignedBuffer(count: count)
        scratch = AlignedBuffer(count: convolution.scratchByteCount)
        for i in 0..<Self.planeCount {
            x.base[i] = Float.random(in: -1...1, using: &random)
            y.base[i] = Float.random(in: -1...1, using: &random)
        }
    }

    /// Two sets of images, and weights or their gradient.
    var byteCount: Int { x.byteCount + y.byteCount + weights.byteCount }

    func run(_ pass: Pass) {
        switch pass {
        case .forward:
            convolution.forward(
                x: x.base, weights: weights.base, bias: nil, y: y.base, scratch: scratch.base)
        case .weightGradient:
            convolution.backwardWeights(
                x: x.base, dy: y.base, dw: gradient.base, dBias: nil, scratch: scratch.base)
        }
    }
}

/// The same by oneDNN, in the layouts that it likes best.
enum DenseTraining {
    static func action(_ pass: KeptTraining.Pass) throws -> TimedAction {
        OneDNN.setThreads(1)
        let images = [
            KeptTraining.batch, KeptTraining.channels, KeptTraining.size, KeptTraining.size,
        ]
        let sizes = KeptTraining.weightShape
        let forward = try Primitive.convolution(
            source: Layout(any: images), weights: Layout(any: sizes), bias: nil,
            target: Layout(any: images), strides: [1, 1], dilations: [1, 1],
            padding: ([1, 1], [1, 1]), posts: [])
        let source = try forward.sourceLayout(images)
        let target = try forward.targetLayout(images)
        guard pass == .weightGradient else {
            return try BoundAction(
                forward,
                [
                    (.source, source), (.weights, forward.weightsLayout(sizes)),
                    (.target, target),
                ]
            ).timed(threads: 1)
        }
        let window = PrimitiveWindow(
            kernel: [3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1])
        let backward = try Primitive.convolutionBackwardWeights(
            source: source, weightsGradient: Layout(any: sizes), biasGradient: nil,
            gradient: target, window, forward: forward)
        return try BoundAction(
            backward,
            [
                (.source, source), (.targetGradient, target),
                (.weightsGradient, backward.weightsGradientLayout(sizes)),
            ]
        ).timed(threads: 1)
    }
}
