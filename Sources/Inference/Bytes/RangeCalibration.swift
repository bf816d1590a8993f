public import DenseMath
public import Networks

/// Finds between which numbers the values of a network lie, by running it on examples: those of its
/// values that running it on bytes rounds.
public struct RangeCalibration {
    /// How the ends of a batch's elements are found; those of all batches are averaged.
    public enum Rule: Sendable, Equatable {
        /// The smallest and the largest element.
        case extremes
        /// What this share of the elements, in percent from 50 to 100, lies above, and below.
        case percentile(Double)
    }

    private let network: Network
    private let threads: Int
    private let rule: Rule
    private var plan: ExecutionPlan?
    private var shapes: [String: [Int]] = [:]
    /// Sums of the ends, and of how many batches, by the names of values.
    private var sums: [String: (minimum: Double, maximum: Double, count: Int)] = [:]

    public init(_ network: Network, threads: Int = 1, rule: Rule = .extremes) {
        if case .percentile(let share) = rule {
            precondition((50...100).contains(share), "a percentile of \(share)")
        }
        self.network = network
        self.threads = threads
        self.rule = rule
    }

    /// Runs the network on a batch of examples, inputs by name, in floats.
    ///
    /// - Throws: ``NetworkError``, as `ExecutionPlan` does.
    public mutating func observe(_ inputs: [String: Tensor]) throws {
        let shapes = inputs.mapValues(\.shape)
        let plan = try plan(for: shapes)
        for (value, tensor) in try plan.run(inputs) {
            guard tensor.kind == .float32, let ends = tensor.withFloats({ rule.ends(of: $0) })
            else { continue }
            let sum = sums[value, default: (0, 0, 0)]
            sums[value] = (
                sum.minimum + Double(ends.minimum), sum.maximum + Double(ends.maximum),
                sum.count + 1
            )
        }
    }

    /// What was seen so far.
    public var ranges: ActivationRanges {
        ActivationRanges(
            sums.compactMapValues { sum in
                let count = Double(sum.count)
                return ActivationRanges.Range(
                    Float(sum.minimum / count), Float(sum.maximum / count))
            })
    }

    private mutating func plan(for shapes: [String: [Int]]) throws -> ExecutionPlan {
        if let plan, self.shapes == shapes { return plan }
        let made = try ExecutionPlan(recording: network, inputShapes: shapes, threads: threads)
        plan = made
        self.shapes = shapes
        return made
    }
}

extension RangeCalibration.Rule {
    /// The ends of some elements; nil when there are none or they are not all finite.
    func ends(of elements: UnsafeBufferPointer<Float>) -> ActivationRanges.Range? {
        guard var minimum = elements.first else { return nil }
        var maximum = minimum
        for element in elements {
            guard element.isFinite else { return nil }
            minimum = element < minimum ? element : minimum
            maximum = element > maximum ? element : maximum
        }
        guard case .percentile(let share) = self, minimum < maximum else {
            return ActivationRanges.Range(minimum, maximum)
        }
        // Counted in bins: sorting millions of elements would take longer than the network.
        var bins = [Int](repeating: 0, count: 8192)
        let step = Double(maximum) - Double(minimum)
        func bin(_ element: Float) -> Int {
            let share = (Double(element) - Double(minimum)) / step
            return min(bins.count - 1, Int(share * Double(bins.count)))
        }
        for element in elements { bins[bin(element)] += 1 }
        let beyond = Int(Double(elements.count) * (1 - share / 100))
        func firstBin(_ order: some Sequence<Int>) -> Int {
            var count = 0
            for index in order {
                count += bins[index]
                if count > beyond { return index }
            }
            return 0
        }
        let width = step / Double(bins.count)
        let low = Double(minimum) + Double(firstBin(bins.indices)) * width
        let high = Double(minimum) + Double(firstBin(bins.indices.reversed()) + 1) * width
        return ActivationRanges.Range(Float(low), min(maximum, Float(high)))
    }
}

extension ExecutionPlan {
    /// A plan in floats that also gives the values that a plan in bytes rounds, under their names.
    fileprivate convenience init(
        recording network: Network, inputShapes: [String: [Int]], threads: Int
    ) throws {
        var graph = try PlanGraph(network, inputShapes: inputShapes)
        try graph.simplify(threads: threads)
        graph.outputs = graph.byteCandidates.sorted().map { ($0, $0) }
        try self.init(graph, bytes: nil, inputs: network.inputs, threads: threads)
    }
}
