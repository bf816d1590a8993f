import BenchmarkSupport
import DensePrimitives
import SmartDeal

extension Benchmark {
    /// A layer of ResNet-18 at 224 pixels, square.
    private struct ConvolvedLayer {
        let channels: Int
        let filters: Int
        let size: Int
        let taps: Int
        let stride: Int

        var name: String {
            "\(taps)x\(taps) \(channels)->\(filters), \(size)x\(size)"
                + (stride > 1 ? ", stride \(stride)" : "")
        }

        var axis: PackedConvolution.Axis {
            PackedConvolution.Axis(
                inSize: size, outSize: size / stride, taps: taps, stride: stride,
                padding: taps / 2)
        }
    }

    private static let convolvedLayers = [
        ConvolvedLayer(channels: 64, filters: 64, size: 56, taps: 3, stride: 1),
        ConvolvedLayer(channels: 64, filters: 128, size: 56, taps: 3, stride: 2),
        ConvolvedLayer(channels: 64, filters: 128, size: 56, taps: 1, stride: 2),
        ConvolvedLayer(channels: 128, filters: 128, size: 28, taps: 3, stride: 1),
        ConvolvedLayer(channels: 128, filters: 256, size: 28, taps: 3, stride: 2),
        ConvolvedLayer(channels: 256, filters: 256, size: 14, taps: 3, stride: 1),
        ConvolvedLayer(channels: 256, filters: 512, size: 14, taps: 3, stride: 2),
        ConvolvedLayer(channels: 512, filters: 512, size: 7, taps: 3, stride: 1),
    ]

    /// Convolutions over group masks, u8 to u8 by int8 and of floats, against the same with
    /// everything kept and against oneDNN's, which is dense.
    static func convolutionBenchmarks() -> [Benchmark] {
        [Precision.int8, .f32].flatMap { precision in
            convolvedLayers.flatMap { layer in
                [50, 20].map { percent in
                    Benchmark(
                        group: .convolution,
                        name: "convolution \(precision.rawValue), \(layer.name), "
                            + "\(percent) % kept, warm, 1 thread"
                    ) {
                        precision == .int8
                            ? try bytes(layer, percent: percent)
                            : try floats(layer, percent: percent)
                    }
                }
            }
        }
    }

    /// oneDNN's convolution of the same sizes, ReLU merged; of floats in the layouts that it likes
    /// best.
    private static func dense(
        _ layer: ConvolvedLayer, _ precision: Precision
    ) throws -> TimedAction {
        let axis = layer.axis
        let scale = ByteScale(scale: 0.01, zero: 0)
        let sizes = [layer.filters, layer.channels, layer.taps, layer.taps]
        let sourceSizes = [1, layer.channels, axis.inSize, axis.inSize]
        let targetSizes = [1, layer.filters, axis.outSize, axis.outSize]
        let isFloat = precision == .f32
        func layout(_ sizes: [Int]) throws -> Layout {
            isFloat ? try Layout(any: sizes) : try Layout(channelsLast: sizes, .byte)
        }
        let bias = try Layout(plain: [layer.filters])
        // It is made for so many threads, and then runs on them.
        OneDNN.setThreads(1)
        let primitive = try Primitive.convolution(
            source: layout(sourceSizes),
            weights: Layout(any: sizes, isFloat ? .float : .signedByte), bias: bias,
            target: layout(targetSizes),
            strides: [axis.stride, axis.stride], dilations: [1, 1],
            padding: ([axis.padding, axis.padding], [axis.padding, axis.padding]),
            posts: [.function(.init(kind: .relu))],
            integers: isFloat
                ? nil
                : IntegerScales(
                    source: scale, target: ByteScale(scale: 0.1, zero: 0),
                    weights: Array(repeating: 0.01, count: layer.filters), along: [0]))
        let source = try primitive.sourceLayout(sourceSizes)
        let target = try primitive.targetLayout(targetSizes)
        let weights = try primitive.weightsLayout(sizes)
        let places = try [source, weights, bias, target].map {
            try PlanMemory(byteCount: $0.byteCount)
        }
        let scratch = try PlanMemory(byteCount: primitive.scratch?.byteCount ?? 0)
        let bound = try primitive.bound(
            to: [
                (.source, source, places[0].start), (.weights, weights, places[1].start),
                (.bias, bias, places[2].start), (.target, target, places[3].start),
            ], scratch: scratch.start)
        let stream = try OneDNNStream()
        return TimedAction {
            OneDNN.setThreads(1)
            // The memory has to live as long as what works on it.
            guard withExtendedLifetime((places, scratch), { bound.run(on: stream) }) else {
                throw OneDNN.Failure(what: "a convolution", status: 0)
            }
        }
    }

    private static func bytes(_ layer: ConvolvedLayer, percent: Int) throws -> Contest {
        try contest(
            layer, .int8, percent, value: { UInt8.random(in: 0...255, using: &$0) },
            weight: { Int8.random(in: -127...127, using: &$0) }
        ) { weights, kept in
            PackedConvolution(
                filters: layer.filters, channels: layer.channels, rows: layer.axis,
                columns: layer.axis, weights: weights, kept: kept, inputZero: 0,
                epilogue: ConvolutionEpilogue(
                    input: ByteScale(scale: 0.01, zero: 0),
                    weightScales: Array(repeating: 0.01, count: layer.filters),
                    bias: Array(repeating: 0.5, count: layer.filters),
                    range: 0...Float.infinity, output: ByteScale(scale: 0.1, zero: 0)))
        }
    }

    private static func floats(_ layer: ConvolvedLayer, percent: Int) throws -> Contest {
        try contest(
            layer, .f32, percent, value: { Float.random(in: 0...1, using: &$0) },
            weight: { Float.random(in: -1...1, using: &$0) }
        ) { weights, kept in
            PackedConvolution(
                filters: layer.filters, channels: layer.channels, rows: layer.axis,
                columns: layer.axis, weights: weights, kept: kept,
                bias: Array(repeating: 0.5, count: layer.filters), range: 0...Float.infinity)
        }
    }

    private static func contest<Value: BitwiseCopyable, Weight: BitwiseCopyable>(
        _ layer: ConvolvedLayer, _ precision: Precision, _ percent: Int,
        value: (inout SplitMix64) -> Value, weight: (inout SplitMix64) -> Weight,
        pack: (UnsafePointer<Weight>, [[Int]]?) -> PackedConvolution
    ) throws -> Contest {
        var random = SplitMix64(seed: 5)
        let axis = layer.axis
        let image = AlignedBuffer(
            (0..<(axis.inSize * axis.inSize * layer.channels)).map { _ in value(&random) })
        let out = AlignedBuffer<Value>(count: axis.outSize * axis.outSize * layer.filters)
        let weights = AlignedBuffer(
            (0..<(layer.filters * layer.channels * layer.taps * layer.taps)).map { _ in
                weight(&random)
            })
        let positions = layer.channels * layer.taps
        let kept = (0..<layer.filters / WeightGeometry.groupSize).map { _ in
            Array((0..<positions).shuffled(using: &random).prefix(positions * percent / 100))
                .sorted()
        }
        func action(_ kept: [[Int]]?) -> TimedAction {
            let packed = pack(weights.base, kept)
            let scratch = AlignedBuffer<UInt8>(count: packed.scratchBytes)
            return TimedAction {
                packed.run(
                    rows: 0..<axis.outSize, input: image.base, output: out.base,
                    scratch: scratch.base)
            }
        }
        let operations = 2 * weights.count * axis.outSize * axis.outSize
        return Contest(
            candidate: action(kept),
            references: [
                ("everything kept", action(nil)),
                ("oneDNN \(precision.rawValue), dense", try dense(layer, precision)),
            ],
            work: Double(operations) / 1e9, unit: "GOP/s of the dense layer",
            limit: .reference(times: 100 / Double(percent)))
    }
}
