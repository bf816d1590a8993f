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
    /// What it computes and moves, for the roofline.
    var workload: Workload?
    /// Its place in a sweep over how much of a layer is kept.
    var sweep: SweepPlace?
    /// Timings of each at most.
    var samples = SamplingPlan().most
    /// How much worse than recorded its ratio may be.
    var tolerance = 0.5

    /// The same for one reference. How fast memory is written depends on who shares the cache: on
    /// one machine a ratio to it was 8 and, minutes later, 18. It is shown, and gates only what
    /// has become several times slower; the scalar kernel and sgemm gate the rest.
    func tolerance(against reference: String) -> Double {
        reference.hasPrefix("memory") ? 4 : tolerance
    }

    /// A layer, and the share of it that a candidate keeps.
    struct SweepPlace {
        let layer: String
        let kept: Double
        /// Whether the layer has a curve in the chart.
        let isDrawn: Bool
    }

    enum Limit {
        case none
        /// The roofline of the machine over `workload`.
        case roofline
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
    case training
    case decomposition
    case scaling
    case counts = "exact counts"
}

extension Benchmark {
    /// All timed benchmarks, in the order in which they run.
    static func all(threads: Int) -> [Benchmark] {
        let weights = LayerWeights()
        return nibbleBenchmarks() + rebuildBenchmarks(weights) + matvecBenchmarks(threads: threads)
            + searchBenchmarks(weights) + convolutionBenchmarks(threads: threads)
            + trainingBenchmarks(weights) + decompositionBenchmarks()
            + scalingBenchmarks(threads: threads)
    }
}
