import BenchmarkSupport
import SmartDeal

/// What stands beside the speed of products with vectors.
enum MatvecCounts {
    private static let layers: [Layer] = [.linear(4096, 4096), .linear(4096, 11008)]
    private static let forms: [SymbolForm] = [
        .fast, .best, .fastHalfPruned, .bestHalfPruned, .fastMostlyPruned, .bestMostlyPruned,
    ]

    static func all() -> [ExactCounts] {
        layers.flatMap { layer in forms.flatMap { counts(layer, $0) } }
    }

    /// Bits a weight in memory, and the error of W x against the original weights that were not
    /// pruned, of one group of Gaussian weights and Gaussian x.
    private static func counts(_ layer: Layer, _ form: SymbolForm) -> [ExactCounts] {
        let one = Layer(
            name: layer.name, shape: [WeightGeometry.groupSize] + layer.shape.dropFirst())
        let title = Benchmark.matvecTitle(layer, form)
        let compressed = LayerWeights()
        return [
            ExactCounts(name: "thousandths of a bit a weight, \(title)") {
                let panels = try panels(compressed.weight(one, form))
                return panels.byteCount * 8000 / panels.geometry.weightCount
            },
            ExactCounts(name: "error of W x in thousandths, \(title)") {
                let tensor = SeededWeights.gaussian.tensor(one)
                var weights = [Float](repeating: 0, count: tensor.weightCount)
                weights.withUnsafeMutableBufferPointer { tensor.read(0..<one.shape[0], $0) }
                let rebuilt = try compressed.weight(one, form).rebuilt()
                for i in weights.indices where rebuilt[i] == 0 { weights[i] = 0 }
                let panels = try panels(compressed.weight(one, form))
                var (error, norm) = (0.0, 0.0)
                for seed in 2..<18 {
                    let x = vector(layer.shape[1], seed: UInt64(seed))
                    let found = panels.multiplied(by: x)
                    for filter in 0..<one.shape[0] {
                        var exact = 0.0
                        for i in 0..<x.count {
                            exact += Double(weights[filter * x.count + i]) * Double(x[i])
                        }
                        let difference = Double(found[filter]) - exact
                        error += difference * difference
                        norm += exact * exact
                    }
                }
                return Int(((error / norm).squareRoot() * 1000).rounded())
            },
        ]
    }

    static func panels(_ weight: SmartDealWeight) throws -> PanelWeight {
        guard let panels = PanelWeight(weight) else {
            throw BenchmarkFileError("the weight has no form as panels")
        }
        return panels
    }

    /// A vector of normal numbers.
    static func vector(_ count: Int, seed: UInt64 = 2) -> [Float] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in Float(random.nextNormal()) }
    }
}
