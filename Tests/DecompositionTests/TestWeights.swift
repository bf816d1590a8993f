import Decomposition
import DenseMath
import Foundation
import ModelFiles
import Testing

/// Seeded random tensors and small helpers.
enum TestWeights {
    /// Weights of (nearly) normal distribution, times `size`.
    static func gaussian(_ shape: [Int], seed: UInt64, size: Double = 0.05) -> [Float] {
        var random = SplitMix64(seed: seed)
        return (0..<shape.reduce(1, *)).map { _ in Float(size * random.nextNormal()) }
    }

    static func relativeError(_ rebuilt: [Float], _ weights: [Float]) -> Double {
        var error = 0.0
        var norm = 0.0
        for (a, b) in zip(rebuilt, weights) {
            error += (Double(a) - Double(b)) * (Double(a) - Double(b))
            norm += Double(b) * Double(b)
        }
        return norm > 0 ? (error / norm).squareRoot() : error
    }
}

/// Options of a mode, changed by `change`.
func options(_ mode: Mode, _ change: (inout LayerOptions) -> Void = { _ in }) -> LayerOptions {
    var options = LayerOptions()
    options.mode = mode
    change(&options)
    return options
}

/// Compresses weights and checks what holds for every compressed weight: the error it reports is
/// that of the weights it rebuilds, and none is NaN.
func compress(
    _ weights: [Float], _ shape: [Int], _ options: LayerOptions, name: String = "layer.weight",
    threads: Int = 1, seed: UInt64 = 0, _ location: SourceLocation = #_sourceLocation
) throws -> (result: CompressedWeight, rebuilt: [Float]) {
    let compressor = try WeightCompressor(options: options, threads: threads, seed: seed)
    let result = try compressor.compress(
        WeightTensor(name: name, shape: shape, weights: weights))
    let rebuilt = result.weight.rebuilt()
    #expect(rebuilt.count == weights.count, sourceLocation: location)
    #expect(rebuilt.allSatisfy { $0.isFinite }, "\(shape)", sourceLocation: location)
    let error = TestWeights.relativeError(rebuilt, weights)
    #expect(
        abs(result.relativeError - error) <= 1e-4 * error + 1e-9,
        "\(shape): reported \(result.relativeError), is \(error)", sourceLocation: location)
    return (result, rebuilt)
}

/// One row of what the authors' code gives on real weights, see Fixtures/oracle/README.md.
struct OracleRow: Decodable, Sendable, CustomStringConvertible {
    let layer: String
    let shape: [Int]
    let theta: Double
    let columnScaling: Bool
    let rowSparsity: Bool
    let structuralPopulation: Double?
    /// Why there are no numbers.
    let authorsCode: String?
    let relativeError: Double?
    let slices: Int?
    let coefficients: Int?
    let nonzeroCoefficients: Int?
    let rows: Int?
    let authorsBits: Int?

    var description: String {
        "\(layer) theta \(theta) columnScaling \(columnScaling) rowSparsity \(rowSparsity) "
            + "population \(structuralPopulation ?? 0)"
    }

    /// Reference mode asked for the same.
    func options(basisBits: Int = 32) -> LayerOptions {
        var options = LayerOptions()
        options.mode = .reference
        options.threshold = theta
        options.columnScaling = columnScaling
        options.rowSparsity = rowSparsity
        options.prune = structuralPopulation
        options.basisBits = basisBits
        return options
    }
}

enum Oracle {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/oracle")

    static let rows: [OracleRow] = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let data = try? Data(contentsOf: folder.appendingPathComponent("expected.json"))
        else { return [] }
        return (try? decoder.decode([OracleRow].self, from: data)) ?? []
    }()

    static let layers: [String] = Set(rows.map(\.layer)).sorted()

    private static let checkpoint = try? Checkpoint(
        path: folder.appendingPathComponent("weights.safetensors").path)

    static func tensor(_ name: String) throws -> (shape: [Int], weights: [Float]) {
        let checkpoint = try #require(checkpoint)
        let tensor = try #require(checkpoint.tensors.first { $0.name == name })
        try #require(tensor.elementType == .f32)
        let weights = checkpoint.withBytes(of: tensor) { bytes in
            (0..<tensor.elementCount).map { index -> Float in
                let bits = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: bits))
            }
        }
        return (tensor.shape, weights)
    }
}
