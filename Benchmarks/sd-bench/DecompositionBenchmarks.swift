import BenchmarkSupport
import SmartDeal

extension Benchmark {
    static let decomposedLayer = Layer.conv3x3(128, 128)
    static let scaledLayer = Layer.conv3x3(256, 256)

    /// Compression of a layer: `reference` beside a plain implementation of the same iteration,
    /// `fast` and `best` beside `reference`.
    static func decompositionBenchmarks() -> [Benchmark] {
        SeededWeights.allCases.flatMap { distribution in
            [Mode.reference, .fast, .best].map { mode in
                Benchmark(
                    group: .decomposition,
                    name: "compress, mode \(mode.rawValue), \(decomposedLayer.name), "
                        + "\(distribution.rawValue) weights, 1 thread"
                ) { try modeContest(mode, distribution.tensor(decomposedLayer)) }
            }
        }
    }

    /// Compression on several threads beside one.
    static func scalingBenchmarks(threads: Int) -> [Benchmark] {
        guard threads > 1 else { return [] }
        return [Mode.reference, .fast, .best].map { mode in
            Benchmark(
                group: .scaling,
                name: "compress, mode \(mode.rawValue), \(scaledLayer.name), Gaussian weights, "
                    + "\(threads) threads"
            ) {
                let tensor = SeededWeights.gaussian.tensor(scaledLayer)
                return Contest(
                    candidate: try compress(tensor, mode, threads: threads),
                    references: [("1 thread", try compress(tensor, mode, threads: 1))],
                    work: Double(tensor.weightCount) / 1e6, unit: "M weights/s",
                    limit: .reference(times: Double(threads)),
                    // Virtual processors may share a core now and then: only a loop that has
                    // become serial and slower shall fail here.
                    tolerance: 1.2)
            }
        }
    }

    private static func modeContest(_ mode: Mode, _ tensor: WeightTensor) throws -> Contest {
        let reference =
            mode == .reference
            ? ("plain Swift, Double", try plain(tensor))
            : ("mode reference", try compress(tensor, .reference, threads: 1))
        return Contest(
            candidate: try compress(tensor, mode, threads: 1), references: [reference],
            work: Double(tensor.weightCount) / 1e6, unit: "M weights/s")
    }

    private static func compress(
        _ tensor: WeightTensor, _ mode: Mode, threads: Int
    ) throws -> TimedAction {
        var options = LayerOptions()
        options.mode = mode
        let compressor = try WeightCompressor(options: options, threads: threads)
        return TimedAction { _ = try compressor.compress(tensor) }
    }

    /// The authors' iteration on all slices, and the error of what it rebuilds; nothing is packed.
    private static func plain(_ tensor: WeightTensor) throws -> TimedAction {
        var options = LayerOptions()
        options.mode = .reference
        let geometry = try WeightCompressor(options: options).compress(tensor).weight.geometry
        let weights = AlignedBuffer<Float>(count: tensor.weightCount)
        tensor.read(
            0..<geometry.filterCount,
            UnsafeMutableBufferPointer(start: weights.base, count: weights.count))
        let sliceLength = geometry.rowsPerSlice * geometry.width
        let error = AlignedBuffer<Double>(count: 1)
        return TimedAction {
            error.base[0] = 0
            // The slices of this layer fill its filters, so that they follow one another.
            for first in stride(from: 0, to: weights.count, by: sliceLength) {
                let slice = (0..<sliceLength).map { Double(weights.base[first + $0]) }
                let fit = PlainFit(slice, width: geometry.width)
                for (value, rebuilt) in zip(slice, fit.rebuilt) {
                    error.base[0] += (value - rebuilt) * (value - rebuilt)
                }
            }
        }
    }
}
