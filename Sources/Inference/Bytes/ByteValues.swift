internal import Networks
internal import PowerOfTwo

/// Which values of a plan are kept as bytes, and what the bytes stand for.
///
/// Convolutions and products take bytes wherever the range of what they read is known. Operators
/// that only choose or move elements pass bytes on to them.
struct ByteValues {
    private var scales: [String: ByteScale]
    /// The values that are written as bytes by the operators that give them.
    private var written: Set<String> = []

    init(_ graph: PlanGraph, ranges: ActivationRanges) {
        scales = ranges.values.mapValues { ByteScale($0) }
        // From the end: whether a value is worth keeping as bytes, its readers decide.
        var wanted = Set<String>()
        var neighbours = Set<String>()
        for item in graph.operators.reversed() {
            if item.isWeighted(in: graph) {
                wanted.formUnion(item.readsOfValues.filter { scales[$0] != nil })
                continue
            }
            guard item.passesBytes, wanted.contains(item.output) else { continue }
            if item.joinsBytes {
                guard let scale = scales[item.output] else { continue }
                // Neighbours in one result have one scale, which best they are given at once.
                for value in item.inputs { scales[value] = scale }
                neighbours.formUnion(item.inputs)
            } else if neighbours.contains(item.output), item.choosesBytes {
                scales[item.inputs[0]] = scales[item.output]
                neighbours.insert(item.inputs[0])
            }
            wanted.formUnion(item.readsOfValues.filter { scales[$0] != nil })
        }
        for item in graph.operators where wanted.contains(item.output) {
            let gives =
                item.passesBytes
                ? item.readsOfValues.allSatisfy(written.contains)
                : takesBytes(item, in: graph) && scales[item.output] != nil
            guard gives else { continue }
            written.insert(item.output)
            if item.passesBytes, !item.joinsBytes {
                scales[item.output] = scales[item.inputs[0]]
            }
        }
    }

    /// By the ranges that a network has of its values.
    ///
    /// - Throws: ``NetworkError`` `.noActivationRanges` when there are none, or none of a value that
    ///   is multiplied by weights.
    init(_ graph: PlanGraph, of network: Network) throws {
        guard let ranges = network.activationRanges else {
            throw NetworkError(
                .noActivationRanges,
                "bytes need the ranges of the network's values, which it does not have: measure "
                    + "them on images, as `smartdeal compress --calibrate DATASET` does")
        }
        self.init(graph, ranges: ranges)
        let weighted = graph.operators.filter { $0.isWeighted(in: graph) }
        guard weighted.isEmpty || weighted.contains(where: { takesBytes($0, in: graph) }) else {
            throw NetworkError(
                .noActivationRanges,
                "the network's ranges are of none of the values that weights are multiplied "
                    + "with, such as '\(weighted[0].inputs[0])': measure them again")
        }
    }

    /// Whether an operator multiplies bytes by weights.
    func takesBytes(_ item: PlanGraph.Operator, in graph: PlanGraph) -> Bool {
        item.isWeighted(in: graph) && scales[item.inputs[0]] != nil
    }

    /// What the bytes of a value stand for that is wanted as bytes; nil when its range is not known.
    func scale(of value: String) -> ByteScale? { scales[value] }

    /// Whether the operator that gives a value writes it as bytes.
    func isWritten(_ value: String) -> Bool { written.contains(value) }
}

extension PlanGraph {
    /// The values that operators read or give that can work on bytes.
    var byteCandidates: Set<String> {
        var values = Set<String>()
        for item in operators where item.isWeighted(in: self) || item.passesBytes {
            values.formUnion(item.readsOfValues + item.outputs)
        }
        return values.filter { info[$0]?.elementType == .float32 && parameters[$0] == nil }
    }
}

extension PlanGraph.Operator {
    /// Whether it is a convolution or product with constant weights.
    func isWeighted(in graph: PlanGraph) -> Bool {
        guard let weight = graph.constant(input(1)), outputs.count == 1,
            graph.parameters[inputs[0]] == nil, input(2).map({ graph.constant($0) != nil }) ?? true
        else { return false }
        switch operation {
        case .conv: return true
        case .gemm(let gemm): return !gemm.transposesA
        case .matMul: return weight.rank == 2 && graph.shape(inputs[0]).count >= 2
        default: return false
        }
    }

    /// Whether its results are elements of what it reads, or means of them.
    var passesBytes: Bool {
        guard outputs.count == 1, fused.isEmpty else { return false }
        switch operation {
        case .maxPool, .averagePool, .globalAveragePool, .globalMaxPool, .reduce(.mean, _, _),
            .reshape, .flatten, .squeeze, .unsqueeze, .concat:
            return true
        default: return false
        }
    }

    /// Whether it puts values side by side.
    fileprivate var joinsBytes: Bool {
        if case .concat = operation { true } else { false }
    }

    /// Whether its results are elements of what it reads.
    fileprivate var choosesBytes: Bool {
        switch operation {
        case .maxPool, .globalMaxPool, .reshape, .flatten, .squeeze, .unsqueeze: true
        default: false
        }
    }

    /// What it reads but for weights, biases, sizes and axes.
    var readsOfValues: [String] {
        let own = joinsBytes ? inputs[...] : inputs.prefix(1)
        return own + fused.compactMap { if case .add(let value) = $0 { value } else { nil } }
    }
}
