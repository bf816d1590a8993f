import BenchmarkSupport
import SmartDeal
import Testing

@Suite("The plain fit, the reference of the decomposition benchmarks")
struct PlainFitTests {
    @Test("it finds what reference mode finds", arguments: [1, 2, 3] as [UInt64])
    func agreement(_ seed: UInt64) throws {
        let filters = 8
        let length = 64 * 9
        var random = SplitMix64(seed: seed)
        let weights = (0..<(filters * length)).map { _ in Float(0.05 * random.nextNormal()) }
        var options = LayerOptions()
        options.mode = .reference
        options.basisBits = 32
        let compressed = try WeightCompressor(options: options).compress(
            WeightTensor(name: "w", shape: [filters, 64, 3, 3], weights: weights))
        let geometry = compressed.weight.geometry
        let sliceLength = geometry.rowsPerSlice * geometry.width

        var error = 0.0
        var norm = 0.0
        var nonzeros = 0
        for first in stride(from: 0, to: weights.count, by: sliceLength) {
            let slice = weights[first..<(first + sliceLength)].map { Double($0) }
            let fit = PlainFit(slice, width: geometry.width)
            nonzeros += fit.coefficients.count { $0 != 0 }
            for (value, rebuilt) in zip(slice, fit.rebuilt) {
                error += (value - rebuilt) * (value - rebuilt)
                norm += value * value
            }
        }
        let relative = (error / norm).squareRoot()
        #expect(abs(relative - compressed.relativeError) < 0.01 * relative)
        let expected = compressed.statistics.nonzeroCoefficients
        #expect(abs(nonzeros - expected) < expected / 100)
    }
}
