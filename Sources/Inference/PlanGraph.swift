internal import DenseMath
internal import Networks

/// A network on its way to a plan: shapes known, operators being merged.
struct PlanGraph {
    /// One or several merged operations.
    struct Operator {
        var name: String
        var operation: Operation
        var inputs: [String]
        var outputs: [String]
        /// What is done to the result before it is written, in order.
        var fused: [Fused] = []

        var output: String { outputs.first ?? "" }

        func input(_ index: Int) -> String? {
            index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
        }

        /// All values that it reads, those of merged operations included.
        var reads: [String] {
            inputs.filter { !$0.isEmpty }
                + fused.compactMap { if case .add(let value) = $0 { value } else { nil } }
        }
    }

    /// An operation merged into the one before it.
    enum Fused {
        case function(Operation.Unary)
        /// Adds a value of the result's shape.
        case add(String)
    }

    var operators: [Operator]
    /// What is known of every value.
    var info: [String: ValueInfo]
    /// Constants: the network's, and those that merging made.
    var parameters: [String: Parameter]
    /// The share of non-zero coefficients of packed parameters and of what was made from them.
    var densities: [String: Double]
    /// Constants that packed parameters give.
    var sources: [String: PackedSource] = [:]
    /// The network's outputs: the name it has there, and the value.
    var outputs: [(name: String, value: String)]

    init(_ network: Network, inputShapes: [String: [Int]]) throws {
        try network.check()
        info = try network.inferred(inputShapes: inputShapes)
        parameters = network.parameters
        densities = network.parameters.compactMapValues { parameter in
            guard case .smartDeal(let packed) = parameter else { return nil }
            return packed.weight.statistics().density
        }
        outputs = network.outputs.map { ($0, $0) }
        operators = network.nodes.map {
            Operator(
                name: $0.name, operation: $0.operation, inputs: $0.inputs, outputs: $0.outputs)
        }
    }

    /// Merges what can be merged and drops what nobody needs.
    mutating func simplify(threads: Int) throws {
        dropKnownValues()
        dropCopies()
        rebuildWeights(threads: threads)
        try foldConstants()
        recognisePatterns()
        mergePadding()
        dropUnused()
        foldBatchNormalization()
        mergeBiases()
        mergeFollowers()
        dropUnused()
    }

    // MARK: What rewrites ask

    func shape(_ value: String) -> [Int] { info[value]?.shape ?? [] }

    /// A constant's elements, when they are floats.
    func constant(_ value: String?) -> Tensor? {
        guard let value, case .dense(let tensor)? = parameters[value], tensor.kind == .float32
        else { return nil }
        return tensor
    }

    /// A constant of one element.
    func scalar(_ value: String?) -> Float? {
        guard let tensor = constant(value), tensor.count == 1 else { return nil }
        return tensor.withFloats { $0[0] }
    }

    /// How often each value is read; the network's outputs count once more each.
    func useCounts() -> [String: Int] {
        var counts: [String: Int] = [:]
        for item in operators {
            for value in item.reads { counts[value, default: 0] += 1 }
        }
        for output in outputs { counts[output.value, default: 0] += 1 }
        return counts
    }

    /// Which operator gives each value.
    func producers() -> [String: Int] {
        var result: [String: Int] = [:]
        for (index, item) in operators.enumerated() {
            for value in item.outputs where !value.isEmpty { result[value] = index }
        }
        return result
    }

    /// Adds a constant under a new name made from `base`.
    mutating func addConstant(_ base: String, _ tensor: Tensor) -> String {
        var name = base
        while info[name] != nil || parameters[name] != nil { name += "'" }
        parameters[name] = .dense(tensor)
        info[name] = ValueInfo(.float32, tensor.shape)
        return name
    }

    /// Removes operators whose results nobody reads.
    mutating func dropUnused() {
        var needed = Set(outputs.map(\.value))
        var kept: [Operator] = []
        for item in operators.reversed() where item.outputs.contains(where: needed.contains) {
            needed.formUnion(item.reads)
            kept.append(item)
        }
        operators = kept.reversed()
    }
}
