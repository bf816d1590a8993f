import SmartDeal

/// Weights of a stated distribution that are the same on every machine.
enum SeededWeights: String, CaseIterable {
    /// Normal, as large as trained weights are.
    case gaussian = "Gaussian"
    /// Student's t with four degrees of freedom: a few weights are far larger than the rest.
    case heavyTailed = "heavy-tailed"

    /// The standard deviation of the normal numbers behind both.
    static let deviation = 0.05

    func tensor(_ layer: Layer, seed: UInt64 = 1) -> WeightTensor {
        var random = SplitMix64(seed: seed)
        let count = layer.shape.reduce(1, *)
        let weights = (0..<count).map { _ in Float(Self.deviation * next(&random)) }
        return WeightTensor(name: layer.name, shape: layer.shape, weights: weights)
    }

    private func next(_ random: inout SplitMix64) -> Double {
        let normal = random.nextNormal()
        guard self == .heavyTailed else { return normal }
        var squares = 0.0
        for _ in 0..<4 {
            let other = random.nextNormal()
            squares += other * other
        }
        return normal / (squares / 4).squareRoot()
    }
}

/// The shape of a layer that real networks have.
struct Layer: Hashable {
    let name: String
    /// `[filters, ...]`.
    let shape: [Int]

    static func conv3x3(_ inputs: Int, _ outputs: Int) -> Layer {
        Layer(name: "conv 3x3 \(inputs)->\(outputs)", shape: [outputs, inputs, 3, 3])
    }

    static func linear(_ outputs: Int, _ inputs: Int) -> Layer {
        Layer(name: "linear \(outputs)x\(inputs)", shape: [outputs, inputs])
    }
}
