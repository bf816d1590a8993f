import Foundation
import ModelFiles
import Networks
import PowerOfTwo
import Testing

@testable import Training

/// Steps of Fixtures/training/sd_step.safetensors, which Interop/sd_step_like_pytorch.py computed
/// with PyTorch's autograd in double precision.
@Suite("Steps as PyTorch makes them")
struct PyTorchStepTests {
    struct Layer: Decodable, Sendable, CustomStringConvertible {
        let name: String
        let shape: [Int]
        let unit: Int
        let width: Int
        let nibbles: Int
        let rowsPerSlice: Int
        let filtersPerBasis: Int
        let alphabet: String
        let integers: Bool
        let masked: Bool
        let transposed: Bool
        let coefficients: String
        let switchBar: Int
        let dCThreshold: Float
        let nesterov: Bool
        let rate: Float
        let scaleExponent: Int

        var description: String { name }
    }

    private static let file = try? Checkpoint(
        path: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Fixtures/training/sd_step.safetensors").path)
    static let layers: [Layer] =
        (try? JSONDecoder().decode(
            [Layer].self, from: Data((file?.metadata["layers"] ?? "").utf8))) ?? []

    private func array<Element>(_ name: String, as type: Element.Type) throws -> [Element] {
        let file = try #require(Self.file)
        let tensor = try #require(file.tensors.first { $0.name == name }, "\(name)")
        return file.withBytes(of: tensor) { bytes in
            (0..<tensor.elementCount).map {
                bytes.loadUnaligned(
                    fromByteOffset: $0 * MemoryLayout<Element>.stride, as: Element.self)
            }
        }
    }

    private func weight(_ layer: Layer) throws -> SmartDealWeight {
        let geometry = try WeightGeometry(
            shape: layer.shape, unit: layer.unit, width: layer.width, nibbles: layer.nibbles,
            rowsPerSlice: layer.rowsPerSlice, filtersPerBasis: layer.filtersPerBasis,
            layout: .kept)
        let alphabet = try #require(Alphabet.named.first { $0.name == layer.alphabet })
        let keep = try array("\(layer.name).group_mask", as: UInt8.self)
        let groupMask = (0..<geometry.groupCount).flatMap { group in
            var mask = BitMask(count: geometry.positionCount)
            for i in 0..<geometry.positionCount {
                mask[i] = keep[group * geometry.positionCount + i] != 0
            }
            return mask.bytes
        }
        var byteCount = 0
        for group in 0..<geometry.groupCount {
            let bytes = groupMask[(group * geometry.groupMaskStride)...]
                .prefix(geometry.groupMaskStride)
            let layout = RowLayout(
                geometry, mask: BitMask(count: geometry.positionCount, bytes: bytes))
            byteCount +=
                geometry.filters(ofGroup: group).count
                * layout.rowsOfSlice.reduce(0) { $0 + geometry.symbolBytes(rows: $1) }
        }
        let basis: Basis =
            layer.integers
            ? .int8(try array("\(layer.name).basis", as: Int8.self))
            : .float32(try array("\(layer.name).basis", as: Float.self))
        let empty = try SmartDealWeight(
            geometry: geometry, alphabet: alphabet,
            symbols: Array(repeating: 0, count: byteCount), rowMask: nil,
            groupMask: layer.masked ? groupMask : nil, basis: basis,
            scales: FilterScales(
                halves: array("\(layer.name).scales", as: UInt16.self),
                exponent: layer.scaleExponent))
        let rows = StoredRows(empty)
        return try empty.repacked(
            rows,
            planes: planes(array("\(layer.name).symbols", as: UInt8.self), rows, layer.nibbles),
            basis: (0..<basis.count).map { basis[$0] })
    }

    /// Planes of slices from `[rows, count]`.
    private func planes<Element>(
        _ values: [Element], _ rows: StoredRows, _ count: Int
    ) -> [Element] {
        zip(rows.starts, rows.starts.dropFirst()).flatMap { start, end in
            (0..<count).flatMap { j in (start..<end).map { values[$0 * count + j] } }
        }
    }

    private func expectClose(_ found: [Float], _ expected: [Float], _ what: String) {
        #expect(found.count == expected.count, "\(what)")
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let error = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= 1e-5 * largest, "\(what): off by \(error) of \(largest)")
    }

    /// The gradient of half the squared distance of x W^T or conv(x, W) from the target, row-major
    /// in the shape of the layer.
    private func gradient(
        _ layer: Layer, _ weight: [Float], _ x: [Float], _ target: [Float]
    ) -> [Float] {
        let (outputs, inputs) = (layer.shape[0], layer.shape[1])
        let isImage = layer.shape.count == 4
        let kernel = isImage ? layer.shape[2] : 1
        let (height, width) = isImage ? (5, 4) : (1, 1)
        let images = x.count / (inputs * height * width)
        var gradient = [Double](repeating: 0, count: weight.count)
        /// Calls with the indexes of each weight of an output and what it multiplies.
        func forEach(_ n: Int, _ o: Int, _ y: Int, _ z: Int, _ body: (Int, Int) -> Void) {
            for i in 0..<inputs {
                for u in 0..<kernel {
                    for v in 0..<kernel {
                        let (row, column) = (y + u - kernel / 2, z + v - kernel / 2)
                        guard (0..<height).contains(row), (0..<width).contains(column)
                        else { continue }
                        body(
                            ((o * inputs + i) * kernel + u) * kernel + v,
                            ((n * inputs + i) * height + row) * width + column)
                    }
                }
            }
        }
        for n in 0..<images {
            for o in 0..<outputs {
                for y in 0..<height {
                    for z in 0..<width {
                        var error = -Double(target[((n * outputs + o) * height + y) * width + z])
                        forEach(n, o, y, z) { error += Double(weight[$0]) * Double(x[$1]) }
                        forEach(n, o, y, z) { gradient[$0] += error * Double(x[$1]) }
                    }
                }
            }
        }
        return gradient.map { Float($0) }
    }

    private func transposed(_ values: [Float], rows: Int) -> [Float] {
        let columns = values.count / rows
        return (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
    }

    @Test("the fixture has layers")
    func fixture() { #expect(Self.layers.count == 4) }

    @Test("value, gradients, momentum, counters and codes of every step", arguments: layers)
    func steps(layer: Layer) throws {
        var options = SmartDealTraining()
        options.coefficients =
            layer.coefficients == "requantise"
            ? .requantise
            : .bucketSwitch(switchBar: layer.switchBar, dCThreshold: layer.dCThreshold)
        options.coefficientUpdate.isNesterov = layer.nesterov
        let weight = try weight(layer)
        let variable = try SmartDealVariable(
            name: layer.name, CompressedParameter(weight, isTransposed: layer.transposed), options)
        let n = layer.nibbles
        func expected(_ part: String) throws -> [Float] {
            try array("\(layer.name).\(part)", as: Float.self)
        }
        expectClose(variable.value(), try expected("value"), "value")
        for step in 0..<3 {
            let value = variable.value()
            var gradient = gradient(
                layer,
                layer.transposed ? transposed(value, rows: layer.shape[1]) : value,
                try expected("x\(step)"), try expected("target\(step)"))
            if layer.transposed { gradient = transposed(gradient, rows: layer.shape[0]) }
            expectClose(gradient, try expected("gradient\(step)"), "gradient \(step)")
            variable.update(gradient, rate: layer.rate, index: step)
            #expect(
                variable.symbols
                    == planes(
                        try array("\(layer.name).symbols\(step)", as: UInt8.self), variable.rows, n),
                "symbols \(step)")
            if !variable.counters.isEmpty {
                let counters = try array("\(layer.name).counters\(step)", as: Int8.self)
                #expect(
                    variable.counters == planes(counters, variable.rows, weight.rank),
                    "counters \(step)")
            }
            expectClose(
                variable.momentum,
                planes(try expected("coefficient_momentum\(step)"), variable.rows, weight.rank),
                "momentum of coefficients \(step)")
            expectClose(variable.basis, try expected("basis\(step)"), "basis \(step)")
            expectClose(
                variable.basisMoments[0], try expected("basis_momentum\(step)"),
                "momentum of the basis \(step)")
            expectClose(variable.value(), try expected("value\(step)"), "value \(step)")
        }
    }
}
