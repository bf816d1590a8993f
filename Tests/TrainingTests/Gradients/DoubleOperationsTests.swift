import DenseMath
import Foundation
import Networks
import Testing

@testable import Training

@Suite("The definition of gradients")
struct DoubleOperationsTests {
    static let cases: [GradientCase] =
        GradientCase.layers + GradientCase.unary + GradientCase.binary + GradientCase.poolings
        + GradientCase.reductions + GradientCase.movements + GradientCase.graphs

    @Test(
        "operations in double precision give what the plain loops of networks give",
        arguments: cases)
    func agrees(_ operation: GradientCase) throws {
        let (network, _) = try operation.network()
        // Statistics of a batch are what only training takes.
        guard network.statistics.isEmpty else { return }
        var generator = SplitMix64(seed: 5)
        let images = Tensor(
            shape: operation.inputShape,
            (0..<operation.inputShape.reduce(1, *)).map { _ in Float(generator.nextNormal()) })
        let expected = try #require(
            network.evaluated([network.inputs[0].name: images])[network.outputs[0]])
        let found = try DoubleEvaluator(network, images).scores()
        #expect(found.shape == expected.shape)
        let error = zip(found.values, expected.floats).reduce(0) {
            max($0, abs($1.0 - Double($1.1)))
        }
        let largest = found.values.reduce(0) { max($0, abs($1)) }
        #expect(error <= 1e-5 * largest, "off by \(error) of \(largest): \(operation.name)")
    }

    @Test("a batch that is normalised has the bias as its mean and the scale as its deviation")
    func normalization() {
        var generator = SplitMix64(seed: 6)
        let x = DoubleTensor(shape: [4, 3, 5]) { _ in 3 + 2 * generator.nextNormal() }
        let scale = DoubleTensor(shape: [3], values: [1, 0.5, -2])
        let bias = DoubleTensor(shape: [3], values: [0, 1, -1])
        let result = DoubleOperations.batchNormalization(x, scale: scale, bias: bias, epsilon: 0)
        let (mean, variance) = DoubleOperations.batchStatistics(result)
        for channel in 0..<3 {
            #expect(abs(mean[channel] - bias.values[channel]) < 1e-12)
            #expect(abs(variance[channel].squareRoot() - abs(scale.values[channel])) < 1e-12)
        }
    }

    @Test("losses are those of their formulas")
    func losses() {
        // Scores log(1), log(2), log(5): probabilities 1/8, 1/4, 5/8.
        let scores = DoubleTensor(shape: [1, 3], values: [1.0, 2, 5].map { log($0) })
        #expect(
            abs(Loss.crossEntropy(labelSmoothing: 0).value(scores, labels: [1]) - log(4)) < 1e-12)
        let smoothed = Loss.crossEntropy(labelSmoothing: 0.25).value(scores, labels: [1])
        let uniform = (log(8) + log(4) + log(1.6)) / 3
        #expect(abs(smoothed - (0.75 * log(4) + 0.25 * uniform)) < 1e-12)
        let square = DoubleTensor(shape: [2, 2], values: [1, 2, 3, 4])
        #expect(Loss.meanSquaredError.value(square, labels: [0, 1]) == 5.5)
    }
}
