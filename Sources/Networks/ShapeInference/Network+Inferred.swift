internal import DenseMath

extension Network {
    /// The type and shape of every value of the network, and the value itself where it is known
    /// before the network runs.
    ///
    /// Shape arithmetic is computed, and whatever else is small and depends on constants only.
    ///
    /// - Parameter inputShapes: shapes of inputs by name. One that is missing has the network's
    ///   shape with named dimensions set to 1.
    /// - Throws: ``NetworkError`` for a network that ``check()`` refuses, shapes that do not fit,
    ///   operators that cannot be computed, and values of more than 2^33 elements.
    public func inferred(inputShapes: [String: [Int]] = [:]) throws -> [String: ValueInfo] {
        try check()
        let known = Set(inputs.map(\.name))
        if let name = inputShapes.keys.sorted().first(where: { !known.contains($0) }) {
            throw NetworkError(.invalidInput, "the network has no input '\(name)'")
        }
        var values: [String: ValueInfo] = [:]
        for input in inputs {
            values[input.name] = ValueInfo(
                input.elementType, try input.resolvedShape(inputShapes[input.name]))
        }
        for (name, parameter) in parameters { values[name] = try parameter.info(name) }
        var folding = Folding()
        for node in nodes {
            let operands = node.inputs.map { $0.isEmpty ? nil : values[$0] }
            let inferred = try node.results(of: operands)
            let results = try node.naming {
                try folding.folded(node.operation, operands, inferred)
            }
            for (name, result) in zip(node.outputs, results) where !name.isEmpty {
                values[name] = result
            }
        }
        return values
    }
}

extension Network.Input {
    /// The shape it has when `shape` is asked for, or else with named dimensions set to 1.
    ///
    /// - Throws: ``NetworkError`` `.invalidInput` for a shape that it cannot have.
    package func resolvedShape(_ shape: [Int]?) throws -> [Int] {
        let result =
            shape
            ?? self.shape.map { dimension in
                if case .fixed(let size) = dimension { size } else { 1 }
            }
        let fits = zip(result, self.shape).allSatisfy { size, dimension in
            size >= 0 && (dimension == .fixed(size) || dimension.isNamed)
        }
        guard result.count == self.shape.count, fits else {
            let expected = self.shape.prefix(ValueLimit.dimensions).map(\.description)
            throw NetworkError(
                .invalidInput,
                "the input '\(name)' has the shape [\(expected.joined(separator: ", "))], found "
                    + "\(result.prefix(ValueLimit.dimensions))")
        }
        do {
            try ValueLimit.check(result)
        } catch let error as NetworkError {
            throw NetworkError(error.code, "the input '\(name)': \(error.message)")
        }
        return result
    }
}

extension Network.Dimension {
    fileprivate var isNamed: Bool {
        if case .named = self { true } else { false }
    }
}

extension Parameter {
    /// Its type, shape and value.
    fileprivate func info(_ name: String) throws -> ValueInfo {
        switch self {
        case .dense(let tensor):
            do {
                try ValueLimit.check(tensor.shape)
            } catch let error as NetworkError {
                throw NetworkError(error.code, "the parameter '\(name)': \(error.message)")
            }
            return ValueInfo(
                tensor.kind == .float32 ? .float32 : .int64, tensor.shape, constant: tensor)
        case .smartDeal(let parameter):
            return ValueInfo(.float32, parameter.shape)
        }
    }
}

extension Node {
    /// What is known of its outputs when this much is known of its inputs.
    ///
    /// - Throws: ``NetworkError`` naming this node.
    package func results(of operands: [ValueInfo?]) throws -> [ValueInfo] {
        try naming {
            let results = try operation.results(of: operands, count: outputs.count)
            guard outputs.dropFirst(results.count).allSatisfy(\.isEmpty) else {
                throw NetworkError(
                    .unsupportedOperator,
                    "its outputs after the first \(results.count) are not computed")
            }
            return results
        }
    }

    /// Runs `body`; what it throws names this node and its operator.
    func naming<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as NetworkError {
            throw NetworkError(error.code, "\(operation.name): \(error.message)", node: name)
        }
    }
}

/// Computes values that depend on constants only, as long as they are small.
private struct Folding {
    /// Larger values are left to be computed when the network runs.
    private static let largest = 1 << 16
    /// Up to this size values are always computed: the shapes that shape arithmetic is about.
    private static let small = 64
    /// What all larger values together may have: a small file must not ask for much memory.
    private var budget = 1 << 25

    mutating func folded(
        _ operation: Operation, _ operands: [ValueInfo?], _ results: [ValueInfo]
    ) throws -> [ValueInfo] {
        let used = operands.compactMap { $0 }
        guard operation.isFoldable, used.allSatisfy({ $0.constant != nil }),
            results.contains(where: { $0.constant == nil })
        else { return results }
        // An empty value may still be absurdly long along its other dimensions.
        let counts = (used + results).map { $0.shape.reduce(1) { $0 * max($1, 1) } }
        guard counts.allSatisfy({ $0 <= Self.largest }) else { return results }
        let cost = counts.reduce(0, +)
        guard cost <= Self.small || cost <= budget else { return results }
        if cost > Self.small { budget -= cost }
        let tensors = try operation.evaluated(operands, as: results)
        return zip(results, tensors).map { ValueInfo($0.elementType, $0.shape, constant: $1) }
    }
}

extension Operation {
    /// Whether its work is in proportion to the sizes of its inputs and outputs.
    fileprivate var isFoldable: Bool {
        switch self {
        case .conv, .gemm, .matMul, .maxPool, .averagePool, .foreign: false
        default: true
        }
    }
}
