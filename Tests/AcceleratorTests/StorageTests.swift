import Accelerator
import Testing

@Suite("Storage")
struct StorageTests {
    private static let lists: [(name: String, fractions: [Double], ratios: [Double])] = [
        (
            "percentage",
            [
                0.4, 0.6, 0.4, 0.4, 0.4, 0.2, 0.3, 0.1, 0.4, 0.4, 0.3, 0.3, 0.2, 0.4, 0.6, 0.8, 0.9,
                0.6, 0.9, 0.9, 0.1,
            ], [15.37, 22.61, 29.29]
        ),
        (
            "smaller",
            [
                0.3, 0.5, 0.3, 0.3, 0.3, 0.2, 0.3, 0.1, 0.3, 0.3, 0.3, 0.3, 0.2, 0.3, 0.5, 0.7, 0.7,
                0.5, 0.7, 0.7, 0.1,
            ], [11.88, 15.78, 18.77]
        ),
        ("smaller-smaller", smallerSmaller, [10.35, 13.20, 15.23]),
        (
            "smaller3",
            [
                0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.4, 0.4,
                0.4, 0.4, 0.4, 0.1,
            ], [8.59, 10.46, 11.69]
        ),
    ]

    static let smallerSmaller = [
        0.2, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.4, 0.6, 0.6, 0.4,
        0.6, 0.6, 0.1,
    ]

    /// ResNet-18 for 32x32 images with the authors' fractions of positions pruned.
    static func resNet18(_ fractions: [Double]) throws -> Workload {
        var layers: [LayerWorkload] = []
        func add(_ m: Int, _ c: Int, _ r: Int, _ u: Int, _ h: Int) {
            let pad = r - 1
            let e = (h + pad - r) / u + 1
            let shape = LayerShape(
                channels: c, filters: m, kernel: (r, r), stride: (u, u), padding: (pad, pad),
                input: (h, h), output: (e, e))
            let positions = Double(c * r)
            // ⌈p n⌉ of n positions are pruned, in the last layer none.
            let pruned = layers.count < 20 ? (fractions[layers.count] * positions - 1e-9) : 0
            let kept = (positions - pruned.rounded(.up)) / positions
            var layer = Peers.layer(
                "layer \(layers.count)", shape, AssumedDensities(weightRows: kept))
            layer.passesGradient = !layers.isEmpty
            layers.append(layer)
        }
        add(64, 3, 3, 1, 32)
        var (c, h) = (64, 32)
        for (stage, m) in [64, 128, 256, 512].enumerated() {
            for block in 0..<2 {
                let u = stage > 0 && block == 0 ? 2 : 1
                add(m, c, 3, u, h)
                add(m, m, 3, 1, h / u)
                if u == 2 { add(m, c, 1, 2, h) }
                (c, h) = (m, h / u)
            }
        }
        add(10, 512, 1, 1, 1)
        return Workload(name: "resnet18-cifar", layers: layers)
    }

    @Test("the authors' four lists for ResNet-18 give their storage by each index")
    func officialLists() throws {
        for list in Self.lists {
            let workload = try Self.resNet18(list.fractions)
            for (index, expected) in zip(["element", "row", "group"], list.ratios) {
                let config = try AcceleratorConfig(
                    yaml: AcceleratorConfig.presetText("smartdeal"),
                    overriding: [("storage.index", index)])
                let storage = try config.cost(of: workload).storage
                #expect(storage.denseWeights == 11_164_352 * 4)
                let ratio = storage.denseWeights / storage.weights
                #expect(
                    (ratio * 100).rounded() / 100 == expected, "\(list.name) \(index): \(ratio)")
            }
        }
    }

    @Test("the published 10.56 is within 5 % of the mildest list by elements")
    func published() throws {
        let config = try AcceleratorConfig(
            yaml: AcceleratorConfig.presetText("smartdeal"),
            overriding: [("storage.index", "element")])
        let storage = try config.cost(of: Self.resNet18(Self.smallerSmaller)).storage
        #expect(abs(storage.denseWeights / storage.weights / 10.56 - 1) < 0.05)
    }
}
