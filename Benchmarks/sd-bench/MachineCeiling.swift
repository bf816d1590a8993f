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
    private var laneRate = 0.0
    /// Of each number of threads.
    private var roofs: [Int: Roof] = [:]

    /// What a run on some threads can do at most.
    struct Roof {
        /// In GOP/s.
        fileprivate(set) var floats = 0.0
        fileprivate(set) var bytes = 0.0
        /// In GB/s, the caches and memory from the nearest to the farthest.
        fileprivate(set) var reads: [(bytes: Int, name: String, rate: Double)] = []
    }

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
                + ArithmeticLoops.Bytes.available.map { "int8 \($0.name), \(suffix)" }
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
            if threads == 1 { laneRate = rate / 2 * 1e9 }
            add("f32 multiply-add, \(suffix)", "GFLOP/s", rate)
            var roof = Roof()
            roof.floats = rate
            for bytes in ArithmeticLoops.Bytes.available {
                let rate = try Self.rate(threads: threads) { bytes.multiplyAdd(rounds: $0) }
                add("int8 \(bytes.name), \(suffix)", "GOP/s", rate)
                if bytes == .ofKernels { roof.bytes = rate }
            }
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
                let read = try max(
                    rate { MemoryLoops.read($0, bytes: share) },
                    rate { MemoryLoops.readStreams($0, bytes: share) })
                let write = try max(
                    rate { memset($0, 0x11, share) },
                    rate { MemoryLoops.writePastCaches($0, bytes: share) })
                add("memory read, \(size.name) in all, \(suffix)", "GB/s", read)
                add("memory write, \(size.name) in all, \(suffix)", "GB/s", write)
                if threads == 1 { writes.append((size.bytes, write)) }
                roof.reads.append((size.bytes, size.name, read))
            }
            roofs[threads] = roof
        }
    }

    /// How many times the arithmetic of one thread all threads get done just now: less than their
    /// number when other programs run too.
    static func parallelGain(threads: Int) throws -> Double {
        try multiplyAddRate(threads: threads) / multiplyAddRate(threads: 1)
    }

    /// In GFLOP/s.
    private static func multiplyAddRate(threads: Int) throws -> Double {
        try rate(threads: threads) { ArithmeticLoops.multiplyAdd(rounds: $0) }
    }

    /// Of a loop that returns its operations, in 10^9 a second.
    private static func rate(
        threads: Int, _ loop: @escaping @Sendable (_ rounds: Int) -> Double
    ) throws -> Double {
        let operations = loop(multiplyAddRounds)
        let time = try time(threads: threads) { _ in _ = loop(multiplyAddRounds) }
        return operations * Double(threads) / time
    }

    /// What so many threads can do at most; nil where it was not measured.
    func roof(threads: Int) -> Roof? { roofs[threads] }

    /// The most GOP/s that the processor and the memory which holds the bytes let `workload` do.
    func attainable(_ workload: Workload) -> Double? {
        guard let roof = roofs[workload.threads], let one = roofs[1] else { return nil }
        // While virtual processors share a core, loops on all of them show no more than one.
        let times = Double(workload.threads)
        let peak =
            workload.arithmetic == .bytes
            ? max(roof.bytes, times * one.bytes) : max(roof.floats, times * one.floats)
        let caches = zip(roof.reads, one.reads).dropLast().map {
            (bytes: $0.bytes, rate: max($0.rate, times * $1.rate))
        }
        let memory = roof.reads.last.map { (bytes: $0.bytes, rate: $0.rate) }
        let sizes = caches + (memory.map { [$0] } ?? [])
        let read =
            workload.isFromMemory
            ? memory : Self.nearest(sizes, to: workload.bytes) { $0.bytes }
        guard let read, peak > 0 else { return nil }
        return min(peak, read.rate * workload.intensity)
    }

    private static func nearest<Size>(
        _ sizes: [Size], to bytes: Int, _ size: (Size) -> Int
    ) -> Size? {
        func distance(_ other: Size) -> Double {
            abs(log2(Double(size(other)) / Double(max(bytes, 1))))
        }
        return sizes.min { distance($0) < distance($1) }
    }

    /// The share of the limit that `contest` reaches, or nil when none is known.
    func share(of contest: Contest, _ result: TimedResult) -> Double? {
        switch contest.limit {
        case .none: return nil
        case .roofline:
            guard let workload = contest.workload, let most = attainable(workload) else {
                return nil
            }
            return workload.operations / result.minimum / most
        case .memoryWrite(let bytes):
            return Self.nearest(writes, to: bytes) { $0.bytes }.map { result.value / $0.rate }
        case .laneOperations(let each):
            return contest.work / result.minimum * 1e9 * each / laneRate
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
