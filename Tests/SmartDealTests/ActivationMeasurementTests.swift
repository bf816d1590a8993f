import Foundation
import Testing

@testable import SmartDeal

@Suite("Activations measured for the accelerator model")
struct ActivationMeasurementTests {
    @Test("the digits of every 8-bit number add up to it, and those that are not zero are counted")
    func boothDigits() {
        for number in Int8.min...Int8.max {
            let bits = (0..<8).map { Int(UInt8(bitPattern: number) >> UInt8($0) & 1) }
            var digits: [Int] = []
            for place in 0..<4 {
                let carried = place > 0 ? bits[2 * place - 1] : 0
                digits.append(carried + bits[2 * place] - 2 * bits[2 * place + 1])
            }
            let value = digits.reversed().reduce(0) { 4 * $0 + $1 }
            #expect(value == Int(number))
            let counted = ActivationCounts.boothDigits[Int(UInt8(bitPattern: number))]
            #expect(Int(counted) == digits.count { $0 != 0 }, "\(number)")
        }
    }

    @Test("what rounds to zero is zero, and a row is the last dimension")
    func counts() {
        var counts = ActivationCounts()
        // Of 127 as the largest: 0.4 is zero, 0.6 is one.
        let values: [Float] = [0, 0.4, 0, 0, 0.6, 0, 127, -127, 1, 0, 0, -0.4]
        counts.add(Tensor(shape: [1, 2, 2, 3], values), largest: 127)
        #expect(counts.rowDensity == 0.5)
        #expect(abs(counts.density - 4.0 / 12) < 1e-12)
        // 127 is 128 - 1: two digits, and so is its negative.
        #expect(abs(counts.meanDigits - (1 + 2 + 2 + 1) / 12.0) < 1e-12)
        #expect(abs(counts.digitShares.reduce(0, +) - 1) < 1e-12)
        var channels = ActivationCounts()
        channels.add(Tensor(shape: [2, 3], [0, 5, 0, 0, 0, 9]), largest: 9)
        #expect(abs(channels.rowDensity - 2.0 / 6) < 1e-12)
    }

    @Test("a layer's densities are those of the values that the reference computes")
    func reference() throws {
        let network = try TrainingTestData.network(seed: 5)
        let images = try TrainingTestData.fashion(limit: 13)
        let measurement = try ActivationMeasurement(
            network, on: images, threads: 1, progress: TaskProgress())
        var workload = try Workload(network: network)
        measurement.apply(to: &workload)
        let layer = try #require(workload.layers.first { $0.name == "conv2" })
        #expect(layer.activations.rowDensity.provenance == .measured)

        let node = try #require(network.nodes.first { $0.name == "conv2" })
        let input = try #require(node.input(0))
        var traced = network
        traced.outputs = [input]
        let batch = try images.batch(
            Array(0..<images.count), preprocessing: images.standardPreprocessing)
        let name = try #require(network.inputs.first?.name)
        let values = try #require(try traced.evaluated([name: batch])[input])
        let largest = try #require(values.floats.map(abs).max())
        let numbers = values.floats.map { ($0 / largest * 127).rounded(.toNearestOrEven) }
        let width = values.shape[3]
        let rows = stride(from: 0, to: numbers.count, by: width).map {
            numbers[$0..<$0 + width].contains { $0 != 0 }
        }
        let elements = Double(numbers.count { $0 != 0 }) / Double(numbers.count)
        #expect(elements > 0.05 && elements < 0.95)
        // Different orders of additions may move a value over the limit of rounding.
        #expect(abs(layer.activations.elementDensity.value - elements) < 2e-3)
        let rowDensity = Double(rows.count { $0 }) / Double(rows.count)
        #expect(abs(layer.activations.rowDensity.value - rowDensity) < 2e-3)
    }

    @Test("what a layer gives is counted after normalisation and activation function")
    func outputs() throws {
        let network = try TrainingTestData.network(seed: 5)
        let images = try TrainingTestData.fashion(limit: 5)
        var workload = try Workload(network: network)
        try ActivationMeasurement(network, on: images, threads: 1, progress: TaskProgress())
            .apply(to: &workload)
        let layers = Dictionary(uniqueKeysWithValues: workload.layers.map { ($0.name, $0) })
        let first = try #require(layers["conv1"]?.activations)
        let second = try #require(layers["conv2"]?.activations)
        #expect(first.outputDensity == second.elementDensity)
        let largest = try #require(second.digitShares?.indices.last)
        #expect(largest == 4)
    }

    @Test("images that the network is not for are refused")
    func mismatch() throws {
        let images = try TrainingTestData.fashion(limit: 2)
        #expect {
            try ActivationMeasurement(
                Zoo.network("lenet5@3x32x32"), on: images, threads: 1, progress: TaskProgress())
        } throws: { ($0 as? SmartDealError)?.code == .datasetMismatch }
    }
}
