internal import DenseMath
internal import DensePrimitives
internal import Networks

extension PlanGraph {
    /// Merges activations and residual additions into the operators whose results they take.
    mutating func mergeFollowers() {
        let uses = useCounts()
        var merged: [Operator?] = []
        var positions: [String: Int] = [:]
        func append(_ item: Operator) {
            for value in item.outputs { positions[value] = merged.count }
            merged.append(item)
        }
        for item in operators {
            if case .unary(let function) = item.operation, let value = item.input(0),
                uses[value] == 1, let position = positions[value], var before = merged[position],
                info[value]?.elementType == .float32, function.canBeMerged,
                before.takesFollowers(3)
            {
                before.fused.append(.function(function))
                before.outputs = item.outputs
                merged[position] = before
                positions[item.output] = position
            } else if item.operation == .binary(.add), item.inputs.count == 2,
                let (position, other) = residual(item, uses, positions, merged),
                var before = merged[position]
            {
                before.fused.append(.add(other))
                before.outputs = item.outputs
                // The other operand may be computed later than the operator stood.
                merged[position] = nil
                append(before)
            } else {
                append(item)
            }
        }
        operators = merged.compactMap(\.self)
    }

    /// The operator that an addition can be merged into, and the value to add: of two the later.
    private func residual(
        _ item: Operator, _ uses: [String: Int], _ positions: [String: Int],
        _ merged: [Operator?]
    ) -> (position: Int, other: String)? {
        let target = shape(item.output)
        let pairs = [(item.inputs[0], item.inputs[1]), (item.inputs[1], item.inputs[0])]
        let candidates = pairs.compactMap { value, other -> (position: Int, other: String)? in
            guard uses[value] == 1, let position = positions[value], let before = merged[position],
                before.isWeighted, before.takesFollowers(2), info[value]?.elementType == .float32,
                shape(value) == target, shape(other) == target, parameters[other] == nil
            else { return nil }
            return (position, other)
        }
        return candidates.max { $0.position < $1.position }
    }
}

extension PlanGraph.Operator {
    /// Whether it multiplies by weights, which hides the cost of what is merged into it.
    fileprivate var isWeighted: Bool {
        switch operation {
        case .conv, .gemm, .matMul: true
        default: false
        }
    }

    /// Whether up to `count` operations can be merged into it.
    fileprivate func takesFollowers(_ count: Int) -> Bool {
        guard outputs.count == 1, fused.count < count else { return false }
        switch operation {
        case .conv, .gemm, .matMul, .batchNormalization: return true
        case .binary(let function): return function.primitive != nil
        default: return false
        }
    }
}

extension Operation.Unary {
    /// Whether oneDNN has it.
    fileprivate var canBeMerged: Bool { !primitives.isEmpty }
}
