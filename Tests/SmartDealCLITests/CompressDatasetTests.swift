import Foundation
import SmartDeal
import Testing

@Suite("The tool's command compress with a data set")
struct CompressDatasetTests {
    private let folder: ToolFolder
    private let model = fixtures + "/fashion_resnet20/fashion_resnet20.onnx"
    private let images = fixtures + "/fashion_mnist_2000"

    init() throws {
        folder = try ToolFolder()
    }

    private func start(_ arguments: [String]) throws -> Tool.Result {
        try Tool.start(arguments, in: folder.path).wait()
    }

    @Test("both sides are what evaluate says of the files, and the normalisation is in the file")
    func comparison() throws {
        let options = ["--dataset", images, "--limit", "300", "--json", "--quiet"]
        let result = try start(
            ["compress", model, "-o", "small.onnx", "--mode", "fast", "--report", "page.html"]
                + options)
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        let object = try result.json()
        let comparison = try #require(object["comparison"] as? [String: Any])
        #expect(comparison["images"] as? Int == 300)
        for (key, file) in [("before", model), ("after", "small.onnx")] {
            let side = try #require(comparison[key] as? [String: Any])
            let alone = try start(["evaluate", file] + options).json()
            #expect(side["accuracy"] as? Double == alone["accuracy"] as? Double)
            #expect(side["loss"] as? Double == alone["loss"] as? Double)
            #expect(try #require(side["median_ms"] as? Double) > 0)
        }
        let after = try #require(comparison["after"] as? [String: Any])
        #expect(after["bytes"] as? Int == object["output_bytes"] as? Int)
        let same = try #require(comparison["same_class"] as? Int)
        #expect(same > 240 && same <= 300)

        let stored = try ONNXModel(path: folder.path + "/small.onnx").network().preprocessing
        #expect(stored?.name == "fashion-mnist")
        #expect(stored?.classNames?.count == 10)
        let page = try String(contentsOfFile: folder.path + "/page.html", encoding: .utf8)
        #expect(page.contains("<h2>Before and after</h2>"))
    }

    @Test("what cannot be measured is refused before any work")
    func refusals() throws {
        let checkpoint = fixtures + "/fashion_resnet20/fashion_resnet20.safetensors"
        try folder.expectFailure(
            ["compress", checkpoint, "-o", "out", "--dataset", images], saying: ["no-graph"])
        try folder.expectFailure(
            ["compress", model, "-o", "out", "--dataset", "nothing"],
            saying: ["unknown-dataset", "'nothing'"])
        let dry = try start(["compress", model, "--dry-run", "--dataset", images])
        #expect(dry.status == 64 && dry.output == "")
    }
}
