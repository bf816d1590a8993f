public import DenseMath
public import Networks

/// A network ready to be run with inputs of any shapes that it allows: a plan for each set of
/// shapes, made when they first come and kept for the four that came last.
public final class InferenceSession {
    public let network: Network
    /// Threads that running uses.
    public let threads: Int
    /// The arithmetic.
    public let precision: Precision
    /// When weights in SmartDeal form are rebuilt.
    public let rebuilding: Rebuilding
    /// The plans of the shapes that came last, the latest at the end.
    private var plans: [(shapes: [String: [Int]], plan: ExecutionPlan)] = []
    /// Every plan has weights of its own.
    private static let planLimit = 4

    /// Prepares a network; plans are made when inputs come.
    public init(
        _ network: Network, threads: Int = 1, precision: Precision = .f32,
        rebuilding: Rebuilding = .once
    ) {
        self.network = network
        self.threads = threads
        self.precision = precision
        self.rebuilding = rebuilding
    }

    /// Runs the network: inputs by name to outputs by name.
    ///
    /// - Throws: ``NetworkError``.
    public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        for input in network.inputs where inputs[input.name] == nil {
            throw NetworkError(.invalidInput, "input '\(input.name)' is missing")
        }
        return try plan(for: inputs.mapValues(\.shape)).run(inputs)
    }

    /// The plan for inputs of the given shapes; a shape that is missing is the network's, named
    /// dimensions 1.
    ///
    /// - Throws: ``NetworkError``.
    public func plan(for inputShapes: [String: [Int]]) throws -> ExecutionPlan {
        let known: ExecutionPlan?
        if let index = plans.firstIndex(where: { $0.shapes == inputShapes }) {
            known = plans.remove(at: index).plan
        } else {
            known = nil
        }
        let plan =
            try known
            ?? ExecutionPlan(
                network, inputShapes: inputShapes, threads: threads, precision: precision,
                rebuilding: rebuilding)
        plans.append((inputShapes, plan))
        if plans.count > Self.planLimit { plans.removeFirst() }
        return plan
    }
}
