import Accelerator
import DenseMath
import Networks
import PowerOfTwo
import Testing

@Suite("Workloads")
struct WorkloadTests {
    @Test("a built-in network has the layers and products of its shapes, weights drawn or not")
    func zoo() throws {
        let outline = try Workload(zoo: "resnet20")
        let network = try Zoo.network("resnet20")
        let drawn = try Workload(network: network)
        #expect(outline.layers.map(\.shape) == drawn.layers.map(\.shape))
        #expect(outline.layers.map(\.passesGradient) == drawn.layers.map(\.passesGradient))
        #expect(outline.notModelled == drawn.notModelled)
        let counts = try network.multiplyAccumulates()
        #expect(outline.layers.reduce(0) { $0 + $1.shape.macs } == counts.values.reduce(0, +))
        #expect(outline.layers[0].weights.rowDensity.provenance == .shapes)
        #expect(drawn.layers[0].weights.rowDensity == Sourced(1, .measured))
        #expect(outline.layers.map(\.passesGradient) == outline.layers.indices.map { $0 > 0 })
        #expect(outline.notModelled.contains { $0.hasPrefix("Relu") })
        let depthwise = try Workload(zoo: "mobilenetv2").layers.count { $0.operation == .depthwise }
        #expect(depthwise == 17)
    }

    @Test("zeros of dense weights are measured, by element and by kernel row")
    func zeros() throws {
        let network = try Network("small", input: [4, 8, 8], seed: 3) {
            Conv2d(8, kernelSize: 3, padding: 1, bias: false, name: "conv")
        }
        var values = [Float](repeating: 1, count: 8 * 4 * 9)
        for row in 0..<(8 * 4 * 3) where row % 3 == 0 {
            for t in 0..<3 { values[row * 3 + t] = 0 }
        }
        values[4] = 0
        var pruned = network
        pruned.parameters["conv.weight"] = .dense(Tensor(shape: [8, 4, 3, 3], values))
        let layer = try Workload(network: pruned).layers[0]
        #expect(layer.weights.rowDensity == Sourced(2.0 / 3, .measured))
        #expect(layer.weights.elementDensity.value == Double(8 * 4 * 6 - 1) / Double(8 * 4 * 9))
        #expect(layer.weights.rowCounts?.counts == [UInt8](repeating: 2, count: 32))
    }

    @Test("packed weights are counted as they are stored, their rows as they are rebuilt")
    func packed() throws {
        var network = try Network("small", input: [4, 8, 8], seed: 3) {
            Conv2d(8, kernelSize: 3, padding: 1, bias: false, name: "conv")
        }
        let geometry = try WeightGeometry(
            shape: [8, 4, 3, 3], unit: 3, width: 3, nibbles: 3, rowsPerSlice: 12,
            filtersPerBasis: 1, layout: .full)
        // Symbol 1 is 1, symbol 0 is 0: the first filter is zero, the others ones throughout.
        let symbols = (0..<8).flatMap { filter in
            [UInt8](repeating: filter == 0 ? 0 : 0x11, count: 18)
        }
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: .single, symbols: symbols, rowMask: nil, groupMask: nil,
            basis: .float32([Float](repeating: 1, count: 8 * 9)), scales: nil)
        network.parameters["conv.weight"] = .smartDeal(CompressedParameter(weight))
        let profile = try Workload(
            network: network, assuming: AssumedDensities(weightRows: 0.1)
        ).layers[0].weights
        #expect(profile.rowDensity == Sourced(7.0 / 8, .measured))
        #expect(profile.elementDensity == Sourced(7.0 / 8, .measured))
        #expect(profile.coefficients.provenance == .measured)
        let counts = profile.coefficients.value
        #expect(counts.rows == 96 && counts.nonzeroRows == 84)
        #expect(counts.codes == 288 && counts.nonzeroCodes == 252)
        #expect(counts.nonzeroCoefficients == 252 && counts.basisElements == 72)
        #expect(counts.width == 3 && counts.scales == 0)
    }

    @Test("assumed densities that cannot be are an error that lists them")
    func densities() {
        let error = #expect(throws: AcceleratorError.self) {
            try Workload(
                zoo: "lenet5",
                assuming: AssumedDensities(
                    weightRows: 0.2, coefficients: 0.3, activations: 1.5, boothDigits: 5))
        }
        #expect(error?.problems.count == 3)
    }

    @Test("a report says which numbers were assumed")
    func provenance() throws {
        let workload = try Workload(
            zoo: "lenet5", assuming: AssumedDensities(weightRows: 0.5, activationRows: 0.8))
        let lines = try AcceleratorConfig.preset("smartdeal").cost(of: workload).assumptions
        #expect(lines.contains { $0.hasPrefix("weight rows that are not zero: assumed, 0.5") })
        #expect(lines.contains { $0.hasPrefix("activation rows that are not zero: assumed, 0.8") })
        #expect(lines.contains { $0.hasPrefix("activations that are not zero: from shapes, 1.0") })
    }

    @Test("the busiest line of the busiest slice counts, tile by tile")
    func busiest() {
        // Two tiles of two filters; lines take channels in turn.
        let counts = RowCounts(
            filters: 4, channels: 3, counts: [3, 0, 1, 0, 2, 0, 1, 1, 1, 0, 0, 0])
        #expect(counts.total == 9)
        let config = try? AcceleratorConfig(
            yaml: AcceleratorConfig.presetText("smartdeal"),
            overriding: [("array.m", "2"), ("array.c", "2"), ("synchronous_digits", "2")])
        let shape = LayerShape(
            channels: 3, filters: 4, kernel: (3, 3), padding: (2, 2), input: (8, 8),
            output: (8, 8))
        var layer = Peers.layer("conv", shape, AssumedDensities(weightRows: 0.25))
        layer.weights.rowCounts = counts
        let report = try? config?.cost(of: Workload(name: "one", layers: [layer]))
        // Busiest lines have 3 + 1 and 1 + 1 rows; 8 rows of outputs, 3 columns, 2 digits.
        #expect(report?.layers[0].computeCycles == Double((4 + 2) * 8 * 3 * 2))
    }
}
