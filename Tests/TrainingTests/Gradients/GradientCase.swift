import DenseMath
import Networks
import Testing

@testable import Training

/// A small network around an operation.
struct GradientCase: Sendable, CustomTestStringConvertible {
    let name: String
    var inputShape = [2, 1, 2, 2]
    var loss = Loss.crossEntropy(labelSmoothing: 0)
    var seed: UInt64 = 1
    /// Adds nodes and returns the value that the loss is of.
    let build: @Sendable (LearningSketch) throws -> String

    init(
        _ name: String, inputShape: [Int] = [2, 1, 2, 2],
        loss: Loss = .crossEntropy(labelSmoothing: 0), seed: UInt64 = 1,
        _ build: @escaping @Sendable (LearningSketch) throws -> String
    ) {
        self.name = name
        self.inputShape = inputShape
        self.loss = loss
        self.seed = seed
        self.build = build
    }

    var testDescription: String { name }

    /// The network, and its parameters that do not learn.
    func network() throws -> (network: Network, constants: Set<String>) {
        let sketch = LearningSketch(
            inputShape: inputShape, seed: seed &* 1_000_003 &+ .seed(name))
        let value = try build(sketch)
        return (try sketch.scoring(value), sketch.constants)
    }

    func check(_ location: SourceLocation = #_sourceLocation) throws {
        let (network, constants) = try network()
        try GradientChecker(loss: loss, constants: constants, seed: seed).check(
            network, inputShape: inputShape, name, location)
    }
}
