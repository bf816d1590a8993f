public import DenseMath

extension Network {
    /// The outputs for the given inputs, computed by plain loops: the definition that fast
    /// implementations are tested against.
    ///
    /// - Throws: ``NetworkError`` as ``inferred(inputShapes:)`` does, and `.invalidInput` for an
    ///   input that is missing, unknown or of another type.
    public func evaluated(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        try check()
        var values = try given(inputs)
        for (name, parameter) in parameters {
            let tensor = parameter.tensor
            values[name] = ValueInfo(
                tensor.kind == .float32 ? .float32 : .int64, tensor.shape, constant: tensor)
        }
        for node in nodes {
            let operands = node.inputs.map { $0.isEmpty ? nil : values[$0] }
            let results = try node.results(of: operands)
            let tensors = try node.naming { try node.operation.evaluated(operands, as: results) }
            for (name, (result, tensor)) in zip(node.outputs, zip(results, tensors))
            where !name.isEmpty {
                values[name] = ValueInfo(result.elementType, result.shape, constant: tensor)
            }
        }
        var result: [String: Tensor] = [:]
        for name in outputs { result[name] = values[name]?.constant }
        return result
    }

    /// The inputs as values, checked.
    private func given(_ tensors: [String: Tensor]) throws -> [String: ValueInfo] {
        var values: [String: ValueInfo] = [:]
        for input in inputs {
            guard let tensor = tensors[input.name] else {
                throw NetworkError(.invalidInput, "the input '\(input.name)' is missing")
            }
            guard tensor.kind == input.elementType.kind else {
                throw NetworkError(
                    .invalidInput,
                    "the input '\(input.name)' takes \(input.elementType.rawValue), found "
                        + tensor.kind.rawValue)
            }
            values[input.name] = ValueInfo(
                input.elementType, try input.resolvedShape(tensor.shape), constant: tensor)
        }
        if let name = tensors.keys.sorted().first(where: { values[$0] == nil }) {
            throw NetworkError(.invalidInput, "the network has no input '\(name)'")
        }
        return values
    }
}
