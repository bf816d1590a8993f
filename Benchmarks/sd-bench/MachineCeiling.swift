import BenchmarkSupport
import SmartDeal

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the machine can do at most, measured by loops that do nothing else.
struct MachineCeiling {
    private(set) var limits: [MachineLimit] = []
    private var writes: [(bytes: Int, rate: Double)] = []
    private var operations = 0.0

    /// A size of memory that some cache holds, or none, and how often to go over it in one timing,
    /// so that waking the threads does not count.
    private struct Size {
        let bytes: Int
        let name: String
        let repetitions: Int
    }
    private static let sizes = [
        Size(bytes: 128 << 10, name: "128 KiB", repetitions: 2000),
        Size(bytes: 4 << 20, name: "4 MiB", repetitions: 60),
        Size(bytes: 256 << 20, name: "256 MiB", repetitions: 1),
    ]
    private static let multiplyAddRounds = 1_000_000

    /// The names of the limits, without measuring them.
    static func names(threads: Int) -> [String] {
        threadCounts(threads).flatMap { threads in
            let suffix = suffix(threads)
            return ["f32 multiply-add, \(suffix)"]
                + sizes.flatMap { size in
                    ["memory read", "memory write"].map { "\($0), \(size.name) in all, \(suffix)" }
                }
        }
    }

    init(threads: Int) throws {
        let buffer = AlignedBuffer<UInt8>(count: Self.sizes.map(\.bytes).max() ?? 0)
        for threads in Self.threadCounts(threads) {
            let suffix = Self.suffix(threads)
            let rate = try Self.multiplyAddRate(threads: threads)
            if threads == 1 { operations = rate / 2 * 1e9 }
            add("f32 multiply-add, \(suffix)", "GFLOP/s", rate)
            for size in Self.sizes {
                nonisolated(unsafe) let base = UnsafeMutableRawPointer(buffer.base)
                let share = size.bytes / threads / 1024 * 1024
                let total = Double(share * threads * size.repetitions)
                func rate(_ body: @escaping @Sendable (UnsafeMutableRawPointer) -> Void) throws
                    -> Double
                {
                    try total
                        / Self.time(threads: threads) { thread in
                            for _ in 0..<size.repetitions { body(base + thread * share) }
                        }
                }
                let read = try rate { MemoryLoops.read($0, bytes: share) }
                let write = try max(
                    rate { memset($0, 0x11, share) },
                    rate { MemoryLoops.writePastCaches($0, bytes: share) })
                add("memory read, \(size.name) in all, \(suffix)", "GB/s", read)
                add("memory write, \(size.name) in all, \(suffix)", "GB/s", write)
                if threads == 1 { writes.append((size.bytes, write)) }
            }
        }
    }

    /// How many times the arithmetic of one thread all threads get done just now: less than their
    /// number when other programs run too.
    static func parallelGain(threads: Int) throws -> Double {
        try multiplyAddRate(threads: threads) / multiplyAddRate(threads: 1)
    }

    /// In GFLOP/s.
    private static func multiplyAddRate(threads: Int) throws -> Double {
        let flops = Double(multiplyAddRounds) * MemoryLoops.multiplyAdd(rounds: 1)
        let time = try time(threads: threads) { _ in
            _ = MemoryLoops.multiplyAdd(rounds: multiplyAddRounds)
        }
        return flops * Double(threads) / time
    }

    /// The share of the limit that `contest` reaches, or nil when none is known.
    func share(of contest: Contest, _ result: TimedResult) -> Double? {
        switch contest.limit {
        case .none: return nil
        case .memoryWrite(let bytes):
            func distance(_ other: Int) -> Double {
                abs(log2(Double(other) / Double(max(bytes, 1))))
            }
            let nearest = writes.min { distance($0.bytes) < distance($1.bytes) }
            return nearest.map { result.value / $0.rate }
        case .laneOperations(let each):
            return contest.work / result.minimum * 1e9 * each / operations
        case .reference(let times): return result.value / (result.referenceValue * times)
        }
    }

    private mutating func add(_ name: String, _ unit: String, _ value: Double) {
        limits.append(MachineLimit(name: name, unit: unit, value: value))
    }

    private static func threadCounts(_ threads: Int) -> [Int] { threads > 1 ? [1, threads] : [1] }
    private static func suffix(_ threads: Int) -> String {
        threads == 1 ? "1 thread" : "\(threads) threads"
    }

    /// The least nanoseconds of `body` on all threads at once.
    private static func time(
        threads: Int, _ body: @escaping @Sendable (Int) -> Void
    ) throws -> Double {
        var plan = SamplingPlan()
        plan.seconds = 0.1
        let action = TimedAction { ParallelLoop.run(threads, threads: threads, body) }
        return try InterleavedTiming(of: [action], plan: plan).minimums[0]
    }
}
