import DenseMath
import Inference
import ModelFiles
import Networks
import PowerOfTwo

/// Measures how long a network takes.
public struct LatencyBenchmark: Sendable {
    /// Examples that are run at once; nil for what the network is fixed to, or else 1.
    public var batch: Int?
    /// Shapes of inputs by name. For one that is missing, named dimensions that are not the batch
    /// are 1.
    public var inputShapes: [String: [Int]] = [:]
    public var threads = ParallelLoop.availableThreads
    /// Runs that are measured; nil for as many as take about two seconds.
    public var repeats: Int?
    public var seed: UInt64 = 0
    /// The arithmetic; bytes need a network with the ranges of its values.
    public var precision = Precision.f32
    /// Whose kernels run where there is a choice.
    public var kernels = KernelChoice.automatic
    /// When weights in SmartDeal form are rebuilt.
    public var rebuilding = Rebuilding.once

    public init() {}

    /// How long a network took. Keys as the JSON output has them.
    public struct Report: Sendable, Codable, Equatable {
        /// One step of the plan.
        public struct Step: Sendable, Codable, Equatable {
            public var name: String
            public var operation: String
            public var kernel: String
            /// The median.
            public var ms: Double
            /// The share of weights that are not zero.
            public var density: Double
        }

        public var model: String
        public var min_ms: Double
        public var median_ms: Double
        public var batch: Int
        public var threads: Int
        public var repeats: Int
        public var isa: String
        public var precision: String
        /// Two for each multiply-accumulate of the dense network, zeros included, in 10^9 a second
        /// of the median.
        public var dense_equivalent_gops: Double
        /// From the file's first byte to the network, and from there to the plan.
        public var load_ms: Double
        public var plan_ms: Double
        /// When weights are rebuilt: once or streaming.
        public var rebuild: String
        /// Bytes of parameters as they are kept in the model, of the weights that the plan keeps, of
        /// the memory that its activations share, and of what steps need only while they run.
        public var parameter_bytes: Int
        public var weight_bytes: Int
        public var activation_bytes: Int
        public var scratch_bytes: Int
        /// Of the whole process, model, libraries and code included; nil where the system does not
        /// tell.
        public var resident_bytes: Int?
        public var steps: [Step]
    }

    /// Runs a network on random inputs.
    ///
    /// - Parameter loadSeconds: what loading took, for the report.
    /// - Throws: ``NetworkError``; ``SmartDealError`` `.interrupted`.
    public func measure(
        _ network: Network, name: String, loadSeconds: Double = 0,
        progress: TaskProgress = TaskProgress()
    ) throws -> Report {
        let clock = ContinuousClock()
        let random = try RandomInputs(for: network, batch: batch, given: inputShapes)
        let begin = clock.now
        let plan = try ExecutionPlan(
            network, inputShapes: random.shapes, threads: threads, precision: precision,
            kernels: kernels, rebuilding: rebuilding)
        let planSeconds = (clock.now - begin).inSeconds
        let inputs = random.tensors(seed: seed)

        func times(_ count: Int, _ phase: String) throws -> [Double] {
            progress.begin(phase, total: count)
            return try (0..<count).map { _ in
                let time = try clock.measure { _ = try plan.run(inputs) }.inSeconds
                try progress.advance(1, tensor: "")
                return time
            }
        }
        let warm = try times(3, "warming up")[2]
        let times = try times(
            repeats ?? min(1000, max(10, Int(2 / max(warm, 1e-6)))), "measuring")
        progress.begin("measuring steps", total: min(times.count, 20))
        let stepTimes = try (0..<min(times.count, 20)).map { _ in
            let times = try plan.timedRun(inputs)
            try progress.advance(1, tensor: "")
            return times
        }
        let counts = try network.multiplyAccumulates(inputShapes: random.shapes)
        // A clock may not see a run that does nothing.
        let median = max(Self.median(times), 1e-9)
        return Report(
            model: name, min_ms: (times.min() ?? 0) * 1e3, median_ms: median * 1e3,
            batch: random.batch, threads: threads, repeats: times.count,
            isa: InstructionSet.selected.rawValue, precision: plan.precision.rawValue,
            dense_equivalent_gops: 2 * Double(counts.values.reduce(0, +)) / median * 1e-9,
            load_ms: loadSeconds * 1e3, plan_ms: planSeconds * 1e3,
            rebuild: rebuilding.rawValue, parameter_bytes: network.parameterByteCount,
            weight_bytes: plan.constantByteCount, activation_bytes: plan.activationByteCount,
            scratch_bytes: plan.scratchByteCount, resident_bytes: ResidentMemory.byteCount,
            steps: plan.steps.enumerated().map { index, step in
                Report.Step(
                    name: step.name, operation: step.operation, kernel: step.kernel,
                    ms: Self.median(stepTimes.map { $0[index] }) * 1e3, density: step.density)
            })
    }

    /// Times of runs that were asked for together. Keys as the JSON output has them.
    public struct Round: Sendable, Codable, Equatable {
        public var min_ms: Double
        public var median_ms: Double
    }

    /// Makes a network ready to be run on random inputs whenever the result is called with a number
    /// of runs, at least 1.
    ///
    /// - Throws: ``NetworkError``, as the result does.
    public func rounds(of network: Network) throws -> (Int) throws -> Round {
        let random = try RandomInputs(for: network, batch: batch, given: inputShapes)
        let plan = try ExecutionPlan(
            network, inputShapes: random.shapes, threads: threads, precision: precision,
            kernels: kernels, rebuilding: rebuilding)
        let inputs = random.tensors(seed: seed)
        return { count in
            let times = try (0..<count).map { _ in
                try ContinuousClock().measure { _ = try plan.run(inputs) }.inSeconds * 1e3
            }
            return Round(min_ms: times.min() ?? 0, median_ms: Self.median(times))
        }
    }

    /// Median milliseconds for each of several networks, run by turns; of one example, unless a
    /// network is fixed to more at once.
    static func medians(
        of networks: [Network], threads: Int, seconds: Double
    ) throws -> [Double] {
        let clock = ContinuousClock()
        let random = try networks.map { try RandomInputs(for: $0) }
        let plans = try zip(networks, random).map { network, random in
            try ExecutionPlan(network, inputShapes: random.shapes, threads: threads)
        }
        let inputs = random.map { $0.tensors(seed: 0) }
        var times = plans.map { _ in [Double]() }
        let end = clock.now + .seconds(seconds)
        while clock.now < end || times[0].count < 10 {
            for (index, plan) in plans.enumerated() {
                times[index].append(try clock.measure { _ = try plan.run(inputs[index]) }.inSeconds)
            }
        }
        return times.map { median($0) * 1e3 }
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
