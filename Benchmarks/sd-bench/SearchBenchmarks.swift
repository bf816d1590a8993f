import BenchmarkSupport
import SmartDeal

extension Benchmark {
    /// The joint choice of the symbols of a row, which is what `best` mode spends its time on.
    static func searchBenchmarks(_ weights: LayerWeights) -> [Benchmark] {
        let rows = 1024
        var benchmarks = [(1, 1), (2, 2), (3, 2), (3, 3)].map { nibbles, width in
            Benchmark(
                group: .search,
                name: "nearest symbols, n=\(nibbles), S=\(width), \(rows) rows, warm, 1 thread"
            ) { symbolContest(rows: rows, nibbles: nibbles, width: width) }
        }
        let count = 1 << 18
        benchmarks.append(
            Benchmark(
                group: .search, name: "nearest levels, \(count) weights, warm, 1 thread"
            ) { levelContest(count: count) })
        return benchmarks
    }

    private static func symbolContest(rows: Int, nibbles: Int, width: Int) -> Contest {
        var random = SplitMix64(seed: 3)
        let x = AlignedBuffer((0..<(rows * width)).map { _ in Float(random.nextNormal()) })
        let combinations = (0..<nibbles).reduce(1) { product, _ in product * Alphabet.capacity }
        let tables = AlignedBuffer(
            (0..<(nibbles * width * Alphabet.capacity)).map { _ in Float(random.nextNormal()) })
        let norms = AlignedBuffer<Float>(count: combinations)
        ShiftKernels.combinationNorms(
            nibbles: nibbles, width: width, symbols: Alphabet.capacity, tables: tables.base,
            into: norms.base)
        let symbols = AlignedBuffer<UInt8>(count: rows * nibbles)
        func action(_ kernels: ShiftKernels) -> TimedAction {
            TimedAction {
                kernels.nearestSymbols(
                    rows: rows, nibbles: nibbles, width: width, x: x.base, tables: tables.base,
                    norms: norms.base, symbols: symbols.base)
            }
        }
        // A combination is a subtraction and a comparison.
        return Contest(
            candidate: action(.selected), references: [("scalar kernel", action(.scalar))],
            work: Double(rows) / 1e6, unit: "M rows/s",
            limit: .laneOperations(each: 1e6 * 2 * Double(combinations)))
    }

    private static func levelContest(count: Int) -> Contest {
        var random = SplitMix64(seed: 4)
        let x = AlignedBuffer((0..<count).map { _ in Float(random.nextNormal()) })
        let midpoints = AlignedBuffer((0..<15).map { Float($0 - 7) / 3 })
        let order = AlignedBuffer((0..<16).map { UInt8($0) })
        let symbols = AlignedBuffer<UInt8>(count: count)
        func action(_ kernels: ShiftKernels) -> TimedAction {
            TimedAction {
                kernels.nearestLevels(
                    count: count, x: x.base, factor: 1, midpoints: midpoints.base,
                    order: order.base, symbols: symbols.base)
            }
        }
        return Contest(
            candidate: action(.selected), references: [("scalar kernel", action(.scalar))],
            work: Double(count) / 1e6, unit: "M weights/s")
    }
}
