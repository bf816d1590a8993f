import DenseMath
import Networks
import Training

/// The last layer with weights: what tells classes apart.
struct Classifier {
    /// The name of the weight.
    let weight: String
    /// The name of the bias, if there is one.
    let bias: String?
    private let site: WeightSite

    /// - Throws: ``TrainingError`` `.invalidInput` for a network without weights.
    init(of network: Network) throws {
        guard let site = network.weightSites.last(where: { !$0.isTable }) else {
            throw TrainingError(
                .invalidInput, "the network has no layer with weights", path: network.name)
        }
        self.site = site
        weight = site.name
        let node = network.nodes.first { $0.name == site.nodes.last }
        let direct = node?.input(2)
        let added = network.nodes.first { next in
            next.operation == .binary(.add)
                && next.inputs.contains { node?.outputs.contains($0) == true }
        }
        bias = direct ?? added?.inputs.first { network.parameters[$0] != nil }
    }

    /// Gives it new random weights, for a number of classes, as PyTorch draws those of linear
    /// layers.
    func reset(in network: inout Network, classes: Int, seed: UInt64) {
        let inputs = site.shape.dropFirst().reduce(1, *)
        let bound = 1 / Double(max(1, inputs)).squareRoot()
        func drawn(_ shape: [Int], _ name: String) -> Tensor {
            var random = SplitMix64(seed: seed ^ .seed(name))
            return Tensor(
                shape: shape,
                (0..<shape.reduce(1, *)).map { _ in Float((random.nextUnit() * 2 - 1) * bound) })
        }
        let shape = [classes] + site.shape.dropFirst()
        network.parameters[weight] = .dense(
            drawn(site.isTransposed ? shape.reversed() : shape, weight))
        if let bias, let old = network.parameters[bias]?.shape {
            let shape = old.map { $0 == site.shape[0] ? classes : $0 }
            network.parameters[bias] = .dense(drawn(shape, bias))
        }
    }
}
