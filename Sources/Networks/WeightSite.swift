/// A weight that a network's operations use, found wherever it is: the kernel of a `Conv`, the
/// constant operand of a `Gemm` or `MatMul`, the table of a `Gather`.
public struct WeightSite: Sendable, Equatable {
    /// The parameter's name.
    public let name: String
    /// The shape as compression sees it, `[outputs, inputs / groups, kernel...]`.
    public let shape: [Int]
    /// Whether the network's tensor is the transpose of that.
    public let isTransposed: Bool
    /// Whether its rows are looked up and not multiplied.
    public let isTable: Bool
    /// The nodes that use it, in order.
    public internal(set) var nodes: [String]
}

extension Network {
    /// The weights that can be compressed, each once however often it is used, in the order of
    /// their first use.
    ///
    /// A parameter counts wherever it reaches such an operand directly or through `Identity`,
    /// `Cast` to float or the `Transpose` of a matrix.
    public var weightSites: [WeightSite] {
        weightSites(
            ofParameters: parameters.filter { $0.value.kind == .float32 }.mapValues(\.shape))
    }

    /// The same for parameters of which only the shapes are known.
    package func weightSites(ofParameters shapes: [String: [Int]]) -> [WeightSite] {
        var origins: [String: Origin] = [:]
        for (name, shape) in shapes {
            origins[name] = Origin(name: name, shape: shape, isTransposed: false)
        }
        var sites: [WeightSite] = []
        var index: [String: Int] = [:]
        for node in nodes {
            if let origin = node.input(0).flatMap({ origins[$0] }), let output = node.outputs.first
            {
                origins[output] = origin.after(node.operation)
            }
            guard let use = WeightUse(node, origins: origins) else { continue }
            if let known = index[use.origin.name] {
                sites[known].nodes.append(node.name)
                continue
            }
            let isTransposed = use.wantsTranspose != use.origin.isTransposed
            let shape = use.origin.shape
            index[use.origin.name] = sites.count
            sites.append(
                WeightSite(
                    name: use.origin.name, shape: isTransposed ? shape.reversed() : shape,
                    isTransposed: isTransposed, isTable: use.isTable, nodes: [node.name]))
        }
        return sites
    }
}

/// The parameter that a value is, perhaps transposed.
private struct Origin {
    let name: String
    /// The parameter's own shape.
    let shape: [Int]
    var isTransposed: Bool

    func after(_ operation: Operation) -> Origin? {
        switch operation {
        case .unary(.identity), .cast(.float32): return self
        case .transpose(let permutation)
        where shape.count == 2 && (permutation ?? [1, 0]) == [1, 0]:
            var result = self
            result.isTransposed.toggle()
            return result
        default: return nil
        }
    }
}

/// A parameter as a node's weight.
private struct WeightUse {
    let origin: Origin
    /// Whether the operand is `[inputs, outputs]`.
    var wantsTranspose = false
    var isTable = false

    init?(_ node: Node, origins: [String: Origin]) {
        func origin(_ index: Int) -> Origin? {
            node.input(index).flatMap { origins[$0] }
        }
        switch node.operation {
        case .conv:
            guard let weight = origin(1), weight.shape.count >= 3 else { return nil }
            self.origin = weight
        case .gemm(let gemm):
            guard let weight = origin(1), weight.shape.count == 2 else { return nil }
            self.origin = weight
            wantsTranspose = !gemm.transposesB
        case .matMul:
            if let weight = origin(1), weight.shape.count == 2 {
                self.origin = weight
                wantsTranspose = true
            } else if let weight = origin(0), weight.shape.count == 2 {
                self.origin = weight
            } else {
                return nil
            }
        case .gather(axis: 0):
            guard let weight = origin(0), weight.shape.count == 2 else { return nil }
            self.origin = weight
            isTable = true
        default: return nil
        }
    }
}
