import DenseMath
import Networks
import Testing

@testable import Training

@Suite("Gradients")
struct GradientTests {
    @Test("gradients of layers are the slopes of their definition", arguments: GradientCase.layers)
    func layers(_ operation: GradientCase) throws { try operation.check() }

    @Test("gradients of functions of one value are their slopes", arguments: GradientCase.unary)
    func unary(_ operation: GradientCase) throws { try operation.check() }

    @Test("gradients of functions of two values are their slopes", arguments: GradientCase.binary)
    func binary(_ operation: GradientCase) throws { try operation.check() }

    @Test(
        "gradients of poolings are the slopes of their definition", arguments: GradientCase.poolings
    )
    func poolings(_ operation: GradientCase) throws { try operation.check() }

    @Test("gradients of reductions are their slopes", arguments: GradientCase.reductions)
    func reductions(_ operation: GradientCase) throws { try operation.check() }

    @Test("gradients go back to where elements came from", arguments: GradientCase.movements)
    func movements(_ operation: GradientCase) throws { try operation.check() }

    @Test("gradients of all uses add up", arguments: GradientCase.graphs)
    func graphs(_ operation: GradientCase) throws { try operation.check() }

    @Test(
        "gradients of whole networks are slopes of the loss",
        arguments: [
            ("lenet5@1x20x20", 3), ("mlp@1x7x5", 5), ("resnet20@3x8x8", 8), ("vgg11@3x32x32/5", 2),
            ("resnet18@3x16x16/7", 4),
        ])
    func networks(specification: String, batch: Int) throws {
        let network = try Zoo.network(specification, seed: 3)
        let shape = try #require(network.inferred()[network.inputs[0].name]).shape
        var checker = GradientChecker(seed: 4)
        // A smaller step crosses fewer of the many corners; sums of many floats are less exact.
        checker.step = 1e-6
        checker.tolerance = 2e-3
        try checker.checkDirections(
            network, inputShape: [batch] + shape.dropFirst(), groups: 12, specification)
    }
}
