import Testing

@testable import Training

@Suite("Optimizers") struct OptimizerTests {
    private static let rules: [String: Optimizer] = [
        "sgd": .sgd(SGD(momentum: 0, weightDecay: 0)),
        "momentum": .sgd(SGD(momentum: 0.9, weightDecay: 5e-3)),
        "nesterov": .sgd(SGD(momentum: 0.9, weightDecay: 5e-3, isNesterov: true)),
        "adamw": .adamW(AdamW(weightDecay: 0.05)),
    ]

    @Test("values move as PyTorch moves them", arguments: rules.keys.sorted())
    func asPyTorch(name: String) throws {
        let golden = try #require(try Golden.load().optimizers[name])
        let rule = try #require(Self.rules[name])
        var values = golden.start
        var moments = Array(
            repeating: [Float](repeating: 0, count: values.count), count: rule.momentCount)
        for (index, expected) in golden.values.enumerated() {
            var gradient = golden.gradients[index]
            values.withUnsafeMutableBufferPointer { values in
                gradient.withUnsafeMutableBufferPointer { gradient in
                    rule.update(
                        values, gradient, &moments,
                        UpdateStep(learningRate: index < 3 ? 0.1 : 0.05, index: index))
                }
            }
            for (value, expected) in zip(values, expected) {
                #expect(abs(value - expected) <= 2e-6 * max(1, abs(expected)), "update \(index)")
            }
        }
    }
}
