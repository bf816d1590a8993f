import DenseMath
import Decomposition
import Networks
import PowerOfTwo
import Training

/// The parameters of a network that training changes.
struct LearningParameters {
    /// The variable of each, by name.
    let variables: [String: any Variable]
    /// Running means and variances, which forward passes move.
    let statistics: Set<String>
    private let network: Network
    /// The symbols of packed weights as they were at first, by name.
    private let firstSymbols: [String: [UInt8]]

    /// Names in an order that is always the same.
    var names: [String] { variables.keys.sorted() }

    /// - Parameter structure: packed forms whose masks dense weights keep.
    /// - Throws: ``NetworkError`` `.tooLarge`; ``TrainingError`` `.invalidOption`.
    init(
        of network: Network, _ settings: TrainingSettings,
        structure: [String: CompressedParameter] = [:]
    ) throws {
        self.network = network
        let uses = Self.uses(in: network)
        statistics = uses.statistics
        var variables: [String: any Variable] = [:]
        for name in uses.weights.union(uses.statistics) {
            guard let parameter = network.parameters[name], parameter.kind == .float32 else {
                continue
            }
            variables[name] =
                switch parameter {
                case .smartDeal(let packed):
                    try SmartDealVariable(name: name, packed, settings.smartDealTraining)
                case .dense(let tensor):
                    try DenseVariable(
                        name: name, tensor,
                        // Statistics are not moved by it; this one keeps nothing for them.
                        rule: uses.statistics.contains(name)
                            ? .sgd(SGD(momentum: 0, weightDecay: 0)) : settings.rule,
                        keptPositions: structure[name].flatMap { KeptPositions($0) })
                }
        }
        self.variables = variables
        firstSymbols = variables.compactMapValues { ($0 as? SmartDealVariable)?.currentSymbols }
    }

    /// The share of symbols that are not what they were at first, 0...1.
    var changedSymbols: Double {
        var (changed, count) = (0, 0)
        for (name, first) in firstSymbols {
            guard let now = (variables[name] as? SmartDealVariable)?.currentSymbols else {
                continue
            }
            count += first.count
            changed += zip(first, now).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        }
        return Double(changed) / Double(max(1, count))
    }

    /// The network with the parameters as they are now.
    func current() throws -> Network {
        var result = network
        for (name, variable) in variables { result.parameters[name] = try variable.parameter() }
        return result
    }

    /// The value of a variable, dense.
    static func value(of variable: any Variable, threads: Int) -> [Float] {
        let count = variable.shape.reduce(1, *)
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress { variable.write(to: start, threads: threads) }
            initialized = count
        }
    }

    /// Parameters that learn, and batch normalisations' means and variances.
    private static func uses(
        in network: Network
    ) -> (weights: Set<String>, statistics: Set<String>) {
        var weights = Set(network.weightSites.map(\.name))
        var statistics = Set<String>()
        for node in network.nodes {
            switch node.operation {
            case .conv, .gemm: weights.formUnion(node.inputs.dropFirst())
            case .layerNormalization: weights.formUnion(node.inputs.dropFirst())
            case .batchNormalization:
                weights.formUnion(node.inputs.dropFirst().prefix(2))
                statistics.formUnion(node.inputs.dropFirst(3))
            case .binary(.add), .binary(.multiply):
                // One number is a constant of the formula.
                weights.formUnion(
                    node.inputs.filter {
                        (network.parameters[$0]?.shape.reduce(1, *) ?? 0) > 1
                    })
            default: break
            }
        }
        return (weights, statistics)
    }
}
