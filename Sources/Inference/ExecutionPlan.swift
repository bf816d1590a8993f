internal import DensePrimitives
public import DenseMath
public import Networks

/// A network prepared for running with inputs of certain shapes.
///
/// Batch normalisation is multiplied into weights, bias, activation and residual additions are
/// merged into the operation before them, activations share one block of memory in which those
/// not needed at the same time overlap. Packed weights are rebuilt once, when the plan is made, or
/// with ``Rebuilding/streaming`` before every use.
///
/// With ``Precision/int8`` what convolutions and products read and give are bytes, by the ranges
/// that the network has of its values; weights are bytes with a scale for each output channel.
///
/// Not to be used by two threads at once: the memory of its activations is its own.
public final class ExecutionPlan {
    /// What one step of a plan does.
    public struct Step: Sendable, Equatable {
        /// The node that it computes, merged ones included.
        public let name: String
        /// The ONNX operator, or `Reorder` for a change of layout.
        public let operation: String
        /// The implementation, such as oneDNN's `jit:avx512_core`; `reference` for plain loops.
        public let kernel: String
        /// The share of weights that are not zero.
        public let density: Double
    }

    typealias Action = () throws -> Void

    /// The steps in the order in which they run.
    public let steps: [Step]
    /// Bytes of the block that activations share.
    public let activationByteCount: Int
    /// Bytes of weights and other constants, as the plan keeps them: in the layouts that its steps
    /// take them in, or packed.
    public let constantByteCount: Int
    /// Bytes that steps need only while they run: their own, and of weights that they rebuild.
    public let scratchByteCount: Int
    /// Threads that running uses.
    public let threads: Int
    /// The arithmetic.
    public let precision: Precision

    private let actions: [Action]
    private let inputs: [(name: String, place: PlacedValue)]
    private let outputs: [(name: String, place: PlacedValue)]
    /// What the addresses in ``actions`` lead to: weights, activations, scratch.
    private let memory: [PlanMemory]

    /// Prepares a network.
    ///
    /// - Parameters:
    ///   - inputShapes: shapes of inputs by name. One that is missing has the network's shape with
    ///     named dimensions set to 1.
    ///   - threads: threads that running uses.
    ///   - precision: the arithmetic.
    ///   - kernels: whose run where there is a choice.
    ///   - rebuilding: when weights in SmartDeal form are rebuilt.
    /// - Throws: ``NetworkError`` for operators that cannot be run, shapes that do not fit,
    ///   `.noActivationRanges` when bytes are asked for and the ranges of values are not known, and
    ///   `.tooLarge` for a plan that needs more memory than the machine has.
    public convenience init(
        _ network: Network, inputShapes: [String: [Int]] = [:], threads: Int = 1,
        precision: Precision = .f32, kernels: KernelChoice = .automatic,
        rebuilding: Rebuilding = .once
    ) throws {
        var graph = try PlanGraph(network, inputShapes: inputShapes)
        try graph.simplify(threads: threads)
        let bytes = try precision == .int8 ? ByteValues(graph, of: network) : nil
        try self.init(
            graph, bytes: bytes, kernels: kernels, rebuilding: rebuilding,
            inputs: network.inputs, threads: threads)
    }

    /// Prepares operators that are merged already.
    init(
        _ graph: PlanGraph, bytes: ByteValues?, kernels: KernelChoice = .automatic,
        rebuilding: Rebuilding = .once, inputs networkInputs: [Network.Input], threads: Int
    ) throws {
        precondition(threads > 0, "a plan needs at least one thread")
        OneDNN.setThreads(threads)
        var builder = try PlanBuilder(
            graph, bytes: bytes, kernels: kernels, rebuilding: rebuilding,
            inputs: networkInputs, threads: threads, stream: OneDNNStream())
        outputs = zip(graph.outputs.map(\.name), try builder.finalPlaces()).map { ($0, $1) }
        inputs = networkInputs.compactMap { input in
            builder.placeOfInput(input.name).map { (input.name, $0) }
        }
        let moving = builder.buffers
        let layout = Arena(moving)
        let scratchBytes = builder.drafts.map(\.scratchBytes).max() ?? 0
        constantByteCount =
            builder.constants.reduce(0) { $0 + $1.byteCount } + builder.packedByteCount
            + builder.packedSources.values.reduce(0, +)
        scratchByteCount = scratchBytes + builder.rebuiltByteCount
        try PlanMemory.check(layout.byteCount + scratchByteCount + constantByteCount)
        let arena = try PlanMemory(byteCount: layout.byteCount)
        let scratch = try PlanMemory(byteCount: scratchBytes)
        for buffer in moving {
            buffer.address = layout.offsets[ObjectIdentifier(buffer)].map { arena.start + $0 }
        }
        actions = try builder.drafts.map { try $0.bind(scratch.start) }
        steps = builder.drafts.map(\.step)
        memory = builder.constants + [arena, scratch]
        activationByteCount = layout.byteCount
        self.threads = threads
        precision = bytes == nil ? .f32 : .int8
    }

    /// Runs the network: inputs by name to outputs by name.
    ///
    /// - Throws: ``NetworkError`` `.invalidInput` for an input that is missing, unknown, or of
    ///   another shape or kind than the plan was made for.
    public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        try load(inputs)
        for action in actions { try action() }
        return results()
    }

    /// Runs the network and gives the seconds that each step took.
    public func timedRun(_ inputs: [String: Tensor]) throws -> [Double] {
        try load(inputs)
        let clock = ContinuousClock()
        return try actions.map { action in
            let time = try clock.measure(action)
            return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        }
    }

    private func load(_ values: [String: Tensor]) throws {
        OneDNN.setThreads(threads)
        for name in values.keys where !inputs.contains(where: { $0.name == name }) {
            let names = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            throw NetworkError(.invalidInput, "no input is named '\(name)'; there are \(names)")
        }
        for (name, place) in inputs {
            guard let tensor = values[name] else {
                throw NetworkError(.invalidInput, "input '\(name)' \(place.shape) is missing")
            }
            guard tensor.shape == place.shape, tensor.kind == place.elementType.kind else {
                throw NetworkError(
                    .invalidInput,
                    "input '\(name)' is \(tensor.kind.rawValue) \(tensor.shape), expected "
                        + "\(place.elementType.rawValue) \(place.shape)")
            }
            guard let address = place.buffer.address else { continue }
            tensor.withBytes { bytes in
                if let start = bytes.baseAddress {
                    address.copyMemory(from: start, byteCount: bytes.count)
                }
            }
        }
    }

    private func results() -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (name, place) in outputs {
            guard let address = place.buffer.address else { continue }
            result[name] = Tensor(place.elementType.kind, uninitialized: place.shape) { bytes in
                bytes.copyMemory(
                    from: UnsafeRawBufferPointer(start: address, count: bytes.count))
            }
        }
        return result
    }
}
