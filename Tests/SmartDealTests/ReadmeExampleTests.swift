import Foundation
import SmartDeal
import Testing

@Suite("The README's example")
struct ReadmeExampleTests {
    @Test("training compiles and does what it says")
    func training() throws {
        let folder = try TestFolder()
        var settings = TrainingSettings()
        settings.epochs = 1
        settings.batch = 16
        let images = Fixture.folder + "/fashion_mnist_2000"
        let train = try Dataset.load(images, split: .test, limit: 64)
        let test = try Dataset.load(images, split: .test, limit: 32)
        let start = try Zoo.network("lenet5@1x28x28/10", seed: 0)
        let trainer = Trainer(start, train: train, test: test, settings: settings)
        let trained = try trainer.run()
        #expect((0...1).contains(trained.summary.test_accuracy))
        #expect(trained.network.parameterByteCount * 4 < start.parameterByteCount)
        try ONNXModel(network: trained.network, opset: 17).write(to: folder("trained.onnx"))
        let back = try ONNXModel(path: folder("trained.onnx")).network()
        #expect(back.parameterByteCount * 4 < start.parameterByteCount)
    }

    @Test("it compiles and does what it says")
    func example() throws {
        let folder = try TestFolder()
        let network = try ONNXModel(
            path: Fixture.folder + "/fashion_resnet20/fashion_resnet20.onnx"
        ).network()
        var recipe = Recipe()
        recipe.defaults = [Recipe.Setting("mode", .text("fast"))]
        let small = try network.compressed(recipe: recipe)
        let session = InferenceSession(small, threads: 2)
        let image = Tensor(zeros: [1, 1, 28, 28])
        let scores = try session.run([network.inputs[0].name: image])
        #expect(small.parameterByteCount * 5 < network.parameterByteCount)
        #expect(scores.values.map(\.shape) == [[1, 10]])
        _ = try ONNXModel(network: small, opset: 17).write(to: folder("small.onnx"))
        let back = try ONNXModel(path: folder("small.onnx")).network()
        let again = try InferenceSession(back).run([network.inputs[0].name: image])
        let output = try #require(network.outputs.first)
        #expect(again[output]?.floats.count == scores[output]?.floats.count)
        #expect(back.parameterByteCount < network.parameterByteCount / 5)

        let mine = try Network("mine", input: [3, 32, 32], seed: 1) {
            Conv2d(16, kernelSize: 3, padding: 1, bias: false)
            BatchNorm2d()
            ReLU()
            Residual {
                Conv2d(16, kernelSize: 3, padding: 1)
                ReLU()
            }
            GlobalAveragePool()
            Flatten()
            Linear(10)
        }
        let outputs = try mine.evaluated(["input": Tensor(zeros: [1, 3, 32, 32])])
        #expect(outputs["output"]?.shape == [1, 10])
    }
}
