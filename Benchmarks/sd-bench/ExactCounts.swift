import BenchmarkSupport
import SmartDeal

/// Numbers that may not change unnoticed: sizes of packed weights, and what the seeded
/// decomposition of a layer finds.
struct ExactCounts {
    let name: String
    let count: () throws -> Int

    static func all() -> [ExactCounts] {
        let weights = LayerWeights()
        var counts = [ExactCounts(name: "kernels") { ShiftKernels.names.count }]
        for form in SymbolForm.stored {
            for layer in Benchmark.rebuiltLayers {
                counts.append(
                    ExactCounts(name: "bytes of packed weights, \(form.title), \(layer.name)") {
                        try weights.weight(layer, form).byteCount
                    })
            }
        }
        counts += MatvecCounts.all()
        let layer = Benchmark.decomposedLayer
        for distribution in SeededWeights.allCases {
            let compressed = Memo {
                try WeightCompressor(options: SymbolForm.authors.options)
                    .compress(distribution.tensor(layer))
            }
            let suffix = "mode reference, \(layer.name), \(distribution.rawValue) weights, seed 1"
            counts += [
                ExactCounts(name: "non-zero coefficients, \(suffix)") {
                    try compressed.value().statistics.nonzeroCoefficients
                },
                ExactCounts(name: "non-zero rows, \(suffix)") {
                    try compressed.value().statistics.nonzeroRows
                },
                ExactCounts(name: "bytes of packed weights, \(suffix)") {
                    try compressed.value().weight.byteCount
                },
                ExactCounts(name: "bits by the authors' accounting, \(suffix)") {
                    try compressed.value().authorsBits
                },
            ]
        }
        return counts
    }
}

/// A value that is found when it is first asked for.
private final class Memo<Value> {
    private let make: () throws -> Value
    private var known: Value?

    init(_ make: @escaping () throws -> Value) { self.make = make }

    func value() throws -> Value {
        if let known { return known }
        let value = try make()
        known = value
        return value
    }
}
