import BenchmarkSupport
import SmartDeal

extension Benchmark {
    static let multipliedLayers: [Layer] = [.linear(4096, 4096), .linear(4096, 11008)]
    static let multipliedForms: [SymbolForm] = [.fast, .best, .fastHalfPruned, .bestHalfPruned]

    /// So many bytes of weights are gone through that no cache holds them till their next turn.
    private static let poolBytes = 270 << 20

    /// Products of packed weights with one vector, weights from memory.
    static func matvecBenchmarks() -> [Benchmark] {
        multipliedLayers.flatMap { layer in
            multipliedForms.map { form in
                Benchmark(
                    group: .matvec, name: "\(title(layer, form)), weights from memory, 1 thread"
                ) { try matvecContest(layer, form) }
            }
        }
    }

    /// What stands beside the speed: bits a weight in memory, and the error of W x against the
    /// original weights that were not pruned, of one group of Gaussian weights and Gaussian x.
    static func matvecCounts(_ layer: Layer, _ form: SymbolForm) -> [ExactCounts] {
        let one = Layer(
            name: layer.name, shape: [WeightGeometry.groupSize] + layer.shape.dropFirst())
        func panels() throws -> PanelWeight {
            try matvecPanels(LayerWeights().weight(one, form))
        }
        return [
            ExactCounts(name: "thousandths of a bit a weight, \(title(layer, form))") {
                let panels = try panels()
                return panels.byteCount * 8000 / panels.geometry.weightCount
            },
            ExactCounts(name: "error of W x in thousandths, \(title(layer, form))") {
                let tensor = SeededWeights.gaussian.tensor(one)
                var weights = [Float](repeating: 0, count: tensor.weightCount)
                weights.withUnsafeMutableBufferPointer { tensor.read(0..<one.shape[0], $0) }
                let rebuilt = try LayerWeights().weight(one, form).rebuilt()
                for i in weights.indices where rebuilt[i] == 0 { weights[i] = 0 }
                let panels = try panels()
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

    private static func title(_ layer: Layer, _ form: SymbolForm) -> String {
        "matvec \(form.title), \(layer.name)"
    }

    private static func matvecPanels(_ weight: SmartDealWeight) throws -> PanelWeight {
        guard let panels = PanelWeight(weight) else {
            throw BenchmarkFileError("the weight has no form as panels")
        }
        return panels
    }

    private static func vector(_ count: Int, seed: UInt64 = 2) -> [Float] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in Float(random.nextNormal()) }
    }

    /// Copies of the layer one below the other, so that one run is as many products.
    private static func matvecContest(_ layer: Layer, _ form: SymbolForm) throws -> Contest {
        let (outputs, inputs) = (layer.shape[0], layer.shape[1])
        let bytes = try LayerWeights().weight(layer, form).byteCount
        let copies = poolBytes / bytes + 1
        let panels = try matvecPanels(LayerWeights.weight(layer, form, copies: copies))
        let x = AlignedBuffer(vector(inputs))
        let y = AlignedBuffer<Float>(count: outputs * copies)
        let denseCopies = poolBytes / (outputs * inputs * 4) + 1
        let dense = AlignedBuffer<Float>(count: outputs * inputs * denseCopies)
        return Contest(
            candidate: TimedAction {
                panels.multiply(x.base, into: y.base, on: .selected, threads: 1)
            },
            references: [
                (
                    "OpenBLAS sgemv",
                    TimedAction {
                        for copy in 0..<copies {
                            BLASLibrary.multiply(
                                m: outputs, k: inputs,
                                dense.base + copy % denseCopies * outputs * inputs, x.base,
                                into: y.base)
                        }
                    }
                )
            ],
            work: Double(outputs * inputs * copies) / 1e9, unit: "G weights/s")
    }
}
