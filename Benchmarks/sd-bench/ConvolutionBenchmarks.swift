import BenchmarkSupport
import DensePrimitives
import SmartDeal

extension Benchmark {
    /// Convolutions at kept positions, of bytes and of floats, against dense ones of the same layer.
    static func convolutionBenchmarks(threads: Int) -> [Benchmark] {
        let fine = ConvolvedLayer.drawn.flatMap { layer in
            [100, 75, 50, 35, 20, 10, 5].map { convolution(layer, percent: $0, isDrawn: true) }
        }
        let coarse = (ConvolvedLayer.resNet18 + ConvolvedLayer.resNet50).flatMap { layer in
            [100, 50, 20, 5].map { convolution(layer, percent: $0) }
        }
        let mobile = ConvolvedLayer.mobileNetV2.flatMap { layer in
            [100, 50, 20].map { convolution(layer, percent: $0) }
        }
        let floats = (ConvolvedLayer.drawn + ConvolvedLayer.resNet18).flatMap { layer in
            [100, 50, 20].map { convolution(layer, .floats, percent: $0) }
        }
        guard threads > 1 else { return fine + coarse + mobile + floats }
        let inner = ConvolvedLayer(channels: 256, filters: 256, size: 14, taps: 3)
        let parallel = (ConvolvedLayer.drawn + [inner]).flatMap { layer in
            [50, 20].map { convolution(layer, percent: $0, threads: threads) }
        }
        return fine + coarse + mobile + floats + parallel
    }

    private static func convolution(
        _ layer: ConvolvedLayer, _ arithmetic: Workload.Arithmetic = .bytes, percent: Int,
        threads: Int = 1, isDrawn: Bool = false
    ) -> Benchmark {
        Benchmark(
            group: .convolution,
            name: "convolution \(arithmetic == .bytes ? "int8" : "f32"), \(layer.name), "
                + "\(percent) % kept, warm, "
                + (threads == 1 ? "1 thread" : "\(threads) threads")
        ) {
            let candidate = try KeptLayer(layer, arithmetic, percent: percent, threads: threads)
            var references = [
                ("oneDNN f32, dense", try DenseConvolution.floats(layer, threads: threads))
            ]
            if arithmetic == .bytes {
                let bytes = try DenseConvolution.bytes(layer, threads: threads)
                references.insert((SweptLayer.reference, bytes), at: 0)
            }
            if isDrawn {
                references.append(("OpenBLAS sgemm of its size", DenseConvolution.product(layer)))
            }
            var contest = Contest(
                candidate: TimedAction { candidate.run() }, references: references,
                work: layer.operations / 1e9, unit: "GOP/s of the dense layer", limit: .roofline,
                workload: candidate.workload)
            if isDrawn, percent != 75, percent != 35, percent != 10 {
                contest.workload?.label =
                    "\(layer.taps)x\(layer.taps) \(layer.channels)->\(layer.filters), \(percent) %"
            }
            if threads == 1, arithmetic == .bytes {
                contest.sweep = .init(
                    layer: layer.name, kept: Double(percent) / 100, isDrawn: isDrawn)
            } else if threads > 1 {
                // Two virtual processors may share a core now and then.
                contest.tolerance = 1.2
            }
            return contest
        }
    }
}

/// A layer of which some positions are kept, the same number for every 32 filters.
private final class KeptLayer {
    let workload: Workload
    private let packed: PackedConvolution
    private let image: AlignedBuffer<UInt8>
    private let out: AlignedBuffer<UInt8>
    private let scratch: [AlignedBuffer<UInt8>]

    init(
        _ layer: ConvolvedLayer, _ arithmetic: Workload.Arithmetic, percent: Int, threads: Int
    ) throws {
        var random = SplitMix64(seed: 5)
        let groups = (layer.filters + WeightGeometry.groupSize - 1) / WeightGeometry.groupSize
        let count = max(1, layer.positions * percent / 100)
        let lists = (0..<groups).map { _ in
            Array((0..<layer.positions).shuffled(using: &random).prefix(count)).sorted()
        }
        let kept = percent == 100 ? nil : lists
        let bias = Array(repeating: Float(0.5), count: layer.filters)
        let elementBytes: Int
        switch arithmetic {
        case .bytes:
            elementBytes = 1
            image = AlignedBuffer(count: layer.imageBytes)
            for i in 0..<image.count { image.base[i] = .random(in: 0...255, using: &random) }
            let weights = AlignedBuffer<Int8>(count: layer.weightCount)
            for i in 0..<weights.count {
                weights.base[i] = .random(in: -127...127, using: &random)
            }
            packed = PackedConvolution(
                filters: layer.filters, channels: layer.channels, rows: layer.axis,
                columns: layer.axis, weights: weights.base, kept: kept, inputZero: 0,
                epilogue: ConvolutionEpilogue(
                    input: ByteScale(scale: 0.01, zero: 0),
                    weightScales: Array(repeating: 0.01, count: layer.filters), bias: bias,
                    range: 0...Float.infinity, output: ByteScale(scale: 0.1, zero: 0)),
                threads: threads)
        case .floats:
            elementBytes = MemoryLayout<Float>.stride
            image = AlignedBuffer(count: layer.imageBytes * elementBytes)
            let values = UnsafeMutableRawPointer(image.base).assumingMemoryBound(to: Float.self)
            for i in 0..<layer.imageBytes { values[i] = .random(in: 0...1, using: &random) }
            let weights = AlignedBuffer<Float>(count: layer.weightCount)
            for i in 0..<weights.count { weights.base[i] = .random(in: -1...1, using: &random) }
            packed = PackedConvolution(
                filters: layer.filters, channels: layer.channels, rows: layer.axis,
                columns: layer.axis, weights: weights.base, kept: kept, bias: bias,
                range: 0...Float.infinity, threads: threads)
        }
        let packed = packed
        scratch = (0..<threads).map { _ in AlignedBuffer(count: packed.scratchBytes) }
        out = AlignedBuffer(count: layer.outputBytes * elementBytes)
        workload = Workload(
            arithmetic: arithmetic,
            operations: layer.operations * Double(count) / Double(layer.positions),
            bytes: packed.byteCount + image.count + out.count, threads: threads,
            kind: arithmetic == .floats
                ? .convolutionOfFloats : layer.taps == 1 ? .pointwise : .convolution)
    }

    /// Split between threads as plans do it.
    func run() {
        let threads = scratch.count
        ThreadTeam.run(threads, threads: threads) { thread in
            let share = packed.share(of: thread, threads)
            packed.run(
                rows: share.rows, parts: share.parts, input: image.base, output: out.base,
                scratch: scratch[thread].base)
        }
    }
}
