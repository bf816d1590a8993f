import DenseMath
import Networks
import Testing

/// A network on one batch in double precision, whose parameters can be moved.
struct DoubleEvaluator {
    let network: Network
    /// Every value, with the parameters as they are in the network.
    let values: [String: DoubleTensor]
    private let info: [String: ValueInfo]

    init(_ network: Network, _ images: Tensor) throws {
        let input = try #require(network.inputs.first)
        self.network = network
        info = try network.inferred(inputShapes: [input.name: images.shape])
        var given = [input.name: DoubleTensor(images)]
        for (name, parameter) in network.parameters { given[name] = DoubleTensor(parameter.tensor) }
        values = try Self.evaluated(network, info, known: [:], changed: given)
    }

    /// The scores when some parameters have other values. Only what depends on them is computed.
    func scores(replacing changed: [String: DoubleTensor] = [:]) throws -> DoubleTensor {
        let output = try #require(network.outputs.first)
        let changed = try Self.evaluated(network, info, known: values, changed: changed)
        return try #require(changed[output] ?? values[output])
    }

    /// All values that depend on those in `changed`, and those.
    private static func evaluated(
        _ network: Network, _ info: [String: ValueInfo], known: [String: DoubleTensor],
        changed: [String: DoubleTensor]
    ) throws -> [String: DoubleTensor] {
        var changed = changed
        for node in network.nodes where node.inputs.contains(where: { changed[$0] != nil }) {
            let outputs = try node.results(of: node.inputs.map { info[$0] })
            // Integers are constants: shapes and indices, which inference has computed.
            guard outputs.contains(where: { $0.elementType.kind == .float32 }) else { continue }
            let operands = node.inputs.map { name in
                changed[name] ?? known[name] ?? info[name]?.constant.map { DoubleTensor($0) }
            }
            let integers = node.inputs.map { name -> [Int]? in
                guard let constant = info[name]?.constant, constant.kind == .int64 else {
                    return nil
                }
                return constant.integers.map { Int($0) }
            }
            let results = try DoubleOperations.results(
                node.operation, operands, integers: integers, shapes: outputs.map(\.shape))
            for (name, result) in zip(node.outputs, results) where !name.isEmpty {
                changed[name] = result
            }
        }
        return changed
    }
}
