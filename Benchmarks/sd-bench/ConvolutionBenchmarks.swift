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

    /// Convolutions of int8 over group masks, u8 to u8, against the same with everything kept and
    /// against oneDNN's, which is dense.
    static func convolutionBenchmarks() -> [Benchmark] {
        convolvedLayers.flatMap { layer in
            [50, 20].map { percent in
                Benchmark(
                    group: .convolution,
                    name: "convolution int8, \(layer.name), \(percent) % kept, warm, 1 thread"
                ) { try contest(layer, percent: percent) }
            }
        }
    }

    /// oneDNN's convolution of the same sizes, ReLU merged.
    private static func dense(_ layer: ConvolvedLayer) throws -> TimedAction {
        let axis = layer.axis
        let scale = ByteScale(scale: 0.01, zero: 0)
        let sizes = [layer.filters, layer.channels, layer.taps, layer.taps]
        let source = try Layout(channelsLast: [1, layer.channels, axis.inSize, axis.inSize], .byte)
        let target = try Layout(
            channelsLast: [1, layer.filters, axis.outSize, axis.outSize], .byte)
        let bias = try Layout(plain: [layer.filters])
        let primitive = try Primitive.convolution(
            source: source, weights: Layout(any: sizes, .signedByte), bias: bias, target: target,
            strides: [axis.stride, axis.stride], dilations: [1, 1],
            padding: ([axis.padding, axis.padding], [axis.padding, axis.padding]),
            posts: [.function(.init(kind: .relu))],
            integers: IntegerScales(
                source: scale, target: ByteScale(scale: 0.1, zero: 0),
                weights: Array(repeating: 0.01, count: layer.filters), along: [0]))
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

    private static func contest(_ layer: ConvolvedLayer, percent: Int) throws -> Contest {
        var random = SplitMix64(seed: 5)
        let axis = layer.axis
        let image = AlignedBuffer<UInt8>(
            (0..<(axis.inSize * axis.inSize * layer.channels)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            })
        let out = AlignedBuffer<UInt8>(count: axis.outSize * axis.outSize * layer.filters)
        let weights = AlignedBuffer<Int8>(
            (0..<(layer.filters * layer.channels * layer.taps * layer.taps)).map { _ in
                Int8.random(in: -127...127, using: &random)
            })
        let positions = layer.channels * layer.taps
        let kept = (0..<layer.filters / WeightGeometry.groupSize).map { _ in
            Array((0..<positions).shuffled(using: &random).prefix(positions * percent / 100))
                .sorted()
        }
        func action(_ kept: [[Int]]?) -> TimedAction {
            let packed = PackedConvolution(
                filters: layer.filters, channels: layer.channels, rows: axis, columns: axis,
                weights: weights.base, kept: kept, inputZero: 0,
                epilogue: ConvolutionEpilogue(
                    input: ByteScale(scale: 0.01, zero: 0),
                    weightScales: Array(repeating: 0.01, count: layer.filters),
                    bias: Array(repeating: 0.5, count: layer.filters),
                    range: 0...Float.infinity, output: ByteScale(scale: 0.1, zero: 0)))
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
                ("everything kept", action(nil)), ("oneDNN int8, dense", try dense(layer)),
            ],
            work: Double(operations) / 1e9, unit: "GOP/s of the dense layer",
            limit: .reference(times: 100 / Double(percent)))
    }
}
