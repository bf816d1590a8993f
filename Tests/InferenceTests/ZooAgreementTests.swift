import DenseMath
import Inference
import Networks
import Testing

@Suite("Plans of whole networks")
struct ZooAgreementTests {
    @Test(
        "a plan gives what the plain loops give",
        arguments: [
            "lenet5", "mlp", "resnet20@1x16x14", "mobilenetv2@3x33x32/10",
            "efficientnet-lite0@3x32x35/7",
        ], [1, 2])
    func agrees(specification: String, batch: Int) throws {
        let network = try Zoo.network(specification, seed: 3)
        let input = try network.randomInput(batch: batch, seed: 5)
        let expected = try network.evaluated(["input": input])
        let plan = try ExecutionPlan(network, inputShapes: ["input": input.shape], threads: 2)
        // Twice, because steps overwrite memory that others have left.
        for _ in 0..<2 {
            let found = try plan.run(["input": input])
            for (name, tensor) in expected {
                let error = try #require(found[name]?.relativeDistance(to: tensor))
                #expect(error < 1e-4, "\(specification) \(name) \(error)")
            }
        }
    }
}
