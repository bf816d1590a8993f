internal import DenseMath
public import Networks

extension Network {
    /// The network as a plan on bytes computes it, for those that are to compute the same: batch
    /// normalisation multiplied into weights, weights dense, and where values are rounded.
    ///
    /// Named dimensions stay open, unless the network computes with its shapes; then they are 1.
    ///
    /// - Throws: ``NetworkError``, `.noActivationRanges` among them.
    public func preparedForBytes() throws -> (network: Network, rounding: ByteRounding) {
        var graph = try PlanGraph(self, inputShapes: [:])
        try graph.simplify(threads: 1)
        let bytes = try ByteValues(graph, of: self)
        var result = self
        result.nodes = graph.operators.flatMap { $0.nodes(in: graph) }
        for output in graph.outputs where output.name != output.value {
            result.nodes.append(
                Node(
                    output.name, .unary(.identity), inputs: [output.value],
                    outputs: [output.name]))
        }
        let used = Set(result.nodes.flatMap(\.inputs) + outputs)
        result.parameters = graph.parameters.filter { used.contains($0.key) }
        let computesWithShapes = nodes.contains {
            if case .shape = $0.operation { true } else { false }
        }
        if computesWithShapes {
            for index in inputs.indices {
                result.inputs[index].shape = graph.shape(inputs[index].name).map { .fixed($0) }
            }
        }
        var rounding = ByteRounding(kept: [:], read: [:])
        for item in graph.operators {
            if bytes.isWritten(item.output) {
                rounding.kept[item.output] = bytes.scale(of: item.output)
            }
            if bytes.takesBytes(item, in: graph) {
                rounding.read[item.inputs[0]] = bytes.scale(of: item.inputs[0])
            }
        }
        return (result, rounding)
    }
}

extension PlanGraph.Operator {
    /// The operations merged into it as nodes of their own.
    fileprivate func nodes(in graph: PlanGraph) -> [Node] {
        var operations: [(Operation, other: String?)] = fused.map { follower in
            switch follower {
            case .function(let function): (.unary(function), nil)
            case .add(let value): (.binary(.add), value)
            }
        }
        var inputs = inputs
        if operation == .matMul, inputs.count == 3 {
            operations.insert((.binary(.add), inputs.removeLast()), at: 0)
        }
        func value(_ index: Int) -> String {
            index == operations.count ? output : "\(output)/before \(operations.count - index)"
        }
        let first = operations.isEmpty ? outputs : [value(0)]
        return [Node(name, operation, inputs: inputs, outputs: first)]
            + operations.enumerated().map { index, follower in
                Node(
                    "\(name)/\(follower.0.name)", follower.0,
                    inputs: [value(index)] + (follower.other.map { [$0] } ?? []),
                    outputs: [value(index + 1)])
            }
    }
}
