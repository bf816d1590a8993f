import Foundation
import SmartDeal
import Testing

@Suite("The tool's command evaluate")
struct EvaluateCommandTests {
    private let folder: ToolFolder
    private let model = fixtures + "/fashion_resnet20/fashion_resnet20.onnx"
    private let images = fixtures + "/fashion_mnist_2000"

    init() throws {
        folder = try ToolFolder()
    }

    private func run(_ arguments: String...) throws -> Tool.Result {
        try Tool.start(["evaluate"] + arguments, in: folder.path).wait()
    }

    private struct Expected: Decodable {
        var images: Int
        var correct: Int
        var loss: Double
    }

    @Test("2,000 images get the accuracy and loss that ONNX Runtime computes")
    func agreesWithONNXRuntime() throws {
        let json = try Data(
            contentsOf: URL(
                fileURLWithPath: fixtures + "/fashion_resnet20/expected_accuracy.json"))
        let expected = try #require(
            JSONDecoder().decode([Expected].self, from: json).first { $0.images == 2000 })
        let result = try run(model, "--dataset", images, "--json", "--quiet")
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        let object = try result.json()
        let accuracy = Double(expected.correct) / Double(expected.images)
        #expect(object["accuracy"] as? Double == accuracy)
        let loss = try #require(object["loss"] as? Double)
        #expect(abs(loss - expected.loss) < 1e-5)
        #expect(object["images"] as? Int == expected.images)
        #expect(try #require(object["seconds"] as? Double) > 0)
        #expect(try #require(object["images_per_second"] as? Double) > 0)
        #expect(object["preprocessing"] as? String == "fashion-mnist")
    }

    @Test("a limit takes the first images, and one line tells the result")
    func limit() throws {
        let result = try run(model, "--dataset", images, "--limit", "20", "--threads", "1")
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        #expect(result.output.contains(" % of 20 images of fashion-mnist (test), loss "))
        #expect(result.output.split(separator: "\n").count == 1)
    }

    @Test("a split, data set or model that is not there is named")
    func missing() throws {
        try folder.expectFailure(
            ["evaluate", model, "--dataset", images, "--split", "train"],
            saying: ["missing-split", "fashion_mnist_2000", "train"])
        try folder.expectFailure(
            ["evaluate", model, "--dataset", "nothing"],
            saying: ["unknown-dataset", "'nothing'", "fashion-mnist, cifar10, cifar100"])
        try folder.expectFailure(
            ["evaluate", "nothing.onnx", "--dataset", images], saying: ["'nothing.onnx'"])
        // Random weights have no accuracy to speak of.
        try folder.expectFailure(["evaluate", "lenet5", "--dataset", images], saying: ["'lenet5'"])
    }

    @Test("images and classes that the network is not for are told with both sides")
    func mismatch() throws {
        try folder.expectFailure(
            ["evaluate", fixtures + "/onnx/cnn_torchscript_17.onnx", "--dataset", images],
            saying: ["dataset-mismatch", "[batch, 3, 16, 16]", "[1, 28, 28]"])
        try folder.write(Zoo.network("lenet5@1x28x28/12"), to: "twelve.onnx")
        try folder.expectFailure(
            ["evaluate", "twelve.onnx", "--dataset", images],
            saying: ["dataset-mismatch", "12 classes", "10"])
    }

    @Test("on bytes a compressed model is as accurate as on floats, within 0.3 points")
    func bytes() throws {
        try folder.expectFailure(
            ["evaluate", model, "--dataset", images, "--precision", "int8"],
            saying: ["no-activation-ranges", "--calibrate"])
        let made = try Tool.start(
            ["compress", model, "-o", "small.onnx", "--mode", "fast", "--calibrate", images],
            in: folder.path
        ).wait()
        #expect(made.status == 0, "\(made.errors)")
        let accuracies = try ["f32", "int8"].map { precision -> Double in
            let result = try run(
                "small.onnx", "--dataset", images, "--precision", precision, "--json", "--quiet")
            let object = try result.json()
            #expect(object["precision"] as? String == precision)
            return try #require(object["accuracy"] as? Double)
        }
        #expect(abs(accuracies[0] - accuracies[1]) <= 0.003, "\(accuracies)")
    }

    @Test(
        "wrong usage is status 64 with a hint",
        arguments: [
            (["--limit", "0"], "--limit must be at least 1"), (["--limit", "x"], "--limit"),
            (["--split", "validation"], "train"),
            (["--precision", "f16"], "f32"),
        ])
    func usage(arguments: [String], words: String) throws {
        let all = ["evaluate", model, "--dataset", images] + arguments
        let result = try Tool.start(all, in: folder.path).wait()
        #expect(result.status == 64 && result.output == "")
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(try run(model).status == 64)
    }
}
