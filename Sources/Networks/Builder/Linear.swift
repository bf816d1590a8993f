/// A matrix product and a bias; the inputs are as many as it is given, which is flat.
///
/// Weights and biases are uniform as PyTorch's.
public struct Linear: Layer {
    private let outputs: Int
    private let bias: Bool
    private let name: String?

    public init(_ outputs: Int, bias: Bool = true, name: String? = nil) {
        self.outputs = outputs
        self.bias = bias
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) throws {
        let node = draft.takeName(name)
        let shape = draft.value.shape
        guard shape.count == 1 else {
            throw NetworkError(
                .shapeMismatch, "it takes a flat value, found \(shape); put Flatten before it",
                node: node)
        }
        guard outputs >= 1 else {
            throw NetworkError(.invalidNode, "it has \(outputs) outputs", node: node)
        }
        let initialization = Initialization.torchUniform(fanIn: shape[0])
        var parameters = [
            try draft.parameter("weight", of: node, [outputs, shape[0]], initialization)
        ]
        var variance =
            Double(shape[0]) * initialization.meanSquare * draft.value.moments.meanSquare
        if bias {
            parameters.append(try draft.parameter("bias", of: node, [outputs], initialization))
            variance += initialization.meanSquare
        }
        draft.apply(
            .gemm(.init(transposesB: true)), node, parameters, shape: [outputs],
            moments: .init(mean: 0, variance: variance))
    }
}

/// All elements of an input in one row.
public struct Flatten: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        let node = draft.takeName(name)
        draft.apply(
            .flatten(axis: 1), node, shape: [draft.value.shape.reduce(1, *)],
            moments: draft.value.moments)
    }
}

/// Nothing, outside of training; it takes a place among the layers as PyTorch's does.
public struct Dropout: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        _ = draft.takeName(name)
    }
}
