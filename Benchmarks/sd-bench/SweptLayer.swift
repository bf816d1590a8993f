import BenchmarkSupport

/// A layer at several shares kept, beside oneDNN's convolution of all of it.
struct SweptLayer {
    static let reference = "oneDNN int8, dense"

    let name: String
    /// Whether it has a curve in the chart.
    let isDrawn: Bool
    /// Shares kept, GOP/s of the dense layer, and the time divided by oneDNN's.
    private(set) var points: [(kept: Double, rate: Double, ratio: Double)] = []
    /// The most GOP/s that oneDNN did beside any of them.
    private(set) var referenceRate = 0.0

    /// Those that some results are of, in their order.
    static func all(in rows: [ResultTables.Row]) -> [SweptLayer] {
        var layers: [SweptLayer] = []
        for row in rows where row.result.reference == reference {
            guard let place = row.sweep else { continue }
            let known = layers.firstIndex { $0.name == place.layer }
            if known == nil {
                layers.append(SweptLayer(name: place.layer, isDrawn: place.isDrawn))
            }
            let index = known ?? layers.count - 1
            layers[index].points.append((place.kept, row.result.value, row.result.ratio))
            layers[index].referenceRate = max(
                layers[index].referenceRate, row.result.referenceValue)
        }
        return layers
    }

    private init(name: String, isDrawn: Bool) {
        self.name = name
        self.isDrawn = isDrawn
    }
}
