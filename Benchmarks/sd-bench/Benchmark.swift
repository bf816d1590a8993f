import BenchmarkSupport
import SmartDeal

/// One thing to time, and what to time beside it.
struct Benchmark {
    let group: BenchmarkGroup
    /// A sentence with all parameters.
    let name: String
    /// Makes the data, when its turn has come.
    let prepare: () throws -> Contest
}

/// A candidate and its references, ready to run on the same work.
struct Contest {
    let candidate: TimedAction
    let references: [(name: String, action: TimedAction)]
    /// What one run does, in `unit` times seconds.
    let work: Double
    let unit: String
    /// What limits the candidate, where that is known.
    var limit: Limit = .none
    /// How much worse than recorded its ratio may be.
    var tolerance = 0.5

    /// The same for one reference. How fast memory is written depends on who shares the cache: on
    /// one machine a ratio to it was 8 and, minutes later, 18. It is shown, and gates only what
    /// has become several times slower; the scalar kernel and sgemm gate the rest.
    func tolerance(against reference: String) -> Double {
        reference.hasPrefix("memory") ? 4 : tolerance
    }

    enum Limit {
        case none
        /// Writing so many bytes again and again, to whichever cache holds them.
        case memoryWrite(bytes: Int)
        /// Additions and comparisons of floats, so many for each unit of `work`.
        case laneOperations(each: Double)
        /// So many times the throughput of the first reference.
        case reference(times: Double)
    }
}

/// The groups, in the order in which they run.
enum BenchmarkGroup: String, CaseIterable {
    case limits = "machine limits"
    case nibbles
    case rebuild
    case matvec
    case search
    case convolution
    case decomposition
    case scaling
    case counts = "exact counts"
}

extension Benchmark {
    /// All timed benchmarks, in the order in which they run.
    static func all(threads: Int) -> [Benchmark] {
        let weights = LayerWeights()
        return nibbleBenchmarks() + rebuildBenchmarks(weights) + matvecBenchmarks()
            + searchBenchmarks(weights) + convolutionBenchmarks() + decompositionBenchmarks()
            + scalingBenchmarks(threads: threads)
    }
}
