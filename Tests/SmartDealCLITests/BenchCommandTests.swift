import Foundation
import SmartDeal
import Testing

@Suite("The tool's commands bench and export")
struct BenchCommandTests {
    private let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    private func run(_ arguments: String...) throws -> Tool.Result {
        try Tool.start(arguments, in: folder.path).wait()
    }

    /// The JSON of a benchmark of few runs.
    private func bench(_ arguments: String...) throws -> [String: Any] {
        let all = ["bench"] + arguments + ["--repeat", "3", "--json"]
        let result = try Tool.start(all, in: folder.path).wait()
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        return try result.json()
    }

    private func densities(_ report: [String: Any]) throws -> [String: Double] {
        let steps = try #require(report["steps"] as? [[String: Any]])
        return Dictionary(
            steps.compactMap { step in
                guard let name = step["name"] as? String, let density = step["density"] as? Double
                else { return nil }
                return (name, density)
            }, uniquingKeysWith: min)
    }

    @Test("JSON has the keys that scripts rely on, and for every step")
    func keys() throws {
        let report = try bench("lenet5", "--threads", "1")
        #expect(
            Set(report.keys).isSuperset(of: [
                "min_ms", "median_ms", "batch", "threads", "isa", "precision",
                "dense_equivalent_gops", "steps",
            ]))
        #expect(report["batch"] as? Int == 1 && report["threads"] as? Int == 1)
        #expect(report["precision"] as? String == "f32")
        let steps = try #require(report["steps"] as? [[String: Any]])
        #expect(steps.count >= 7)
        for step in steps {
            #expect(Set(step.keys) == ["name", "operation", "kernel", "ms", "density"])
        }
        let median = try #require(report["median_ms"] as? Double)
        let rate = try #require(report["dense_equivalent_gops"] as? Double)
        let counts = try Zoo.network("lenet5").multiplyAccumulates()
        #expect(abs(rate * median * 1e6 / Double(2 * counts.values.reduce(0, +)) - 1) < 1e-9)
    }

    @Test("a built-in network takes an input, classes, a batch and a share to prune")
    func builtIn() throws {
        let plain = try bench("lenet5@3x20x24/7", "--batch", "3")
        #expect(plain["batch"] as? Int == 3)
        let pruned = try bench("lenet5@3x20x24/7", "--prune", "0.5", "--seed", "4")
        #expect(try #require(try densities(plain)["fc1"]) > 0.9)
        #expect(try #require(try densities(pruned)["fc1"]) < 0.6)
    }

    @Test("the text has each step, a sum for each operation, and the totals")
    func text() throws {
        let result = try run("bench", "lenet5", "--repeat", "2", "--threads", "1")
        #expect(result.status == 0 && result.errors == "")
        let lines = result.output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 120 })
        #expect(lines.contains { $0.hasPrefix("conv1 ") })
        #expect(lines.contains { $0.hasPrefix("Gemm+Relu      2 ") })
        #expect(result.output.contains("least") && result.output.contains("batch 1, 1 thread, "))
    }

    @Test("a model that is fixed to a batch is measured with it, and refuses another")
    func fixedBatch() throws {
        var network = try Zoo.network("lenet5")
        network.inputs[0].shape[0] = .fixed(4)
        try folder.write(network, to: "four.onnx")
        #expect(try bench("four.onnx")["batch"] as? Int == 4)
        #expect(try bench("four.onnx", "--batch", "4")["batch"] as? Int == 4)
        try folder.expectFailure(
            ["bench", "four.onnx", "--batch", "2"],
            saying: ["invalid-input", "a batch of 2", "[4, 1, 28, 28]"])
    }

    @Test("dimensions that the model leaves open are given by --shape")
    func shapes() throws {
        // Its exporter has fixed the 6 words in places.
        let model = fixtures + "/onnx/encoder_torchscript_17.onnx"
        #expect(try bench(model, "--shape", "2x6")["batch"] as? Int == 2)
        #expect(try bench(model, "--shape", "input=3x6")["batch"] as? Int == 3)
        try folder.expectFailure(
            ["bench", model, "--shape", "word=1x6"],
            saying: ["no input is named 'word'; there are 'input'"])
        try folder.expectFailure(
            ["bench", model, "--shape", "1x6x2"], saying: ["'input'", "found [1, 6, 2]"])
        for shape in ["1xx2", "1x-6", "x", "1x6x"] {
            let result = try run("bench", model, "--shape=" + shape)
            #expect(result.status == 64, "\(shape): \(result.errors)")
            #expect(result.errors.contains("is not like 1x3x224x224"))
        }
    }

    @Test("a built-in network on bytes has steps of bytes, and weights of a byte each")
    func bytes() throws {
        let reports = try ["f32", "int8"].map { precision in
            try run("bench", "lenet5", "--precision", precision, "--repeat", "3", "--json").json()
        }
        #expect(reports[1]["precision"] as? String == "int8")
        let weights = try reports.map { try #require($0["weight_bytes"] as? Int) }
        #expect(weights[1] * 2 < weights[0])
    }

    @Test("streaming keeps the weights of the bundled network in at most 1.1 times their file")
    func streaming() throws {
        let model = fixtures + "/fashion_resnet20/fashion_resnet20.onnx"
        #expect(
            try run("compress", model, "-o", "small.onnx", "--mode", "fast", "--quiet").status == 0)
        let report = try bench("small.onnx", "--rebuild", "streaming", "--quiet")
        let weights = try #require(report["weight_bytes"] as? Int)
        let scratch = try #require(report["scratch_bytes"] as? Int)
        let file = try folder.read("small.onnx").count
        #expect(Double(weights) <= 1.1 * Double(file))
        #expect(scratch >= 64 * 64 * 9 * 4)
        #expect(report["rebuild"] as? String == "streaming")
    }

    @Test("a network that there is not is answered with near names")
    func unknownNetwork() throws {
        for name in ["resnet81", "resnet81@3x32x32/10"] {
            try folder.expectFailure(
                ["bench", name],
                saying: ["unknown-network", "'resnet81'", "did you mean 'resnet18'"])
        }
        try folder.expectFailure(
            ["bench", "resnet20@3x32"], saying: ["unknown-network", "CxHxW"])
        try folder.expectFailure(
            ["export", "resnet81", "-o", "out.onnx"], saying: ["did you mean 'resnet18'"])
    }

    @Test(
        "wrong usage is status 64 with a hint, and writes nothing",
        arguments: [
            (["bench", "lenet5", "--precision", "int4"], "int8"),
            (["run", "m", "-o", "y", "--precision", "f16"], "int8"),
            (["bench", "lenet5", "--batch", "0"], "--batch"),
            (["bench", "lenet5", "--repeat", "0"], "--repeat"),
            (["bench", "lenet5", "--prune", "1"], "--prune"),
            (["bench", "lenet5", "--prune", "nan"], "--prune"),
            (["bench", "lenet5", "--batch", "2", "--shape", "1x1x28x28"], "--shape"),
            (["bench"], "<model>"),
            (["export", "lenet5"], "--output"),
            (["export", "lenet5", "-o", "out.onnx", "--opset", "10"], "11...21"),
            (["export", "lenet5", "-o", "out.onnx", "--opset", "22"], "11...21"),
            (["bench", fixtures + "/onnx/cnn_torchscript_17.onnx", "--prune", "0.5"], "built-in"),
        ])
    func usage(arguments: [String], words: String) throws {
        let result = try Tool.start(arguments, in: folder.path).wait()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.output == "")
        #expect(try folder.names() == [])
    }

    @Test("every opset that is exported computes the same numbers")
    func exportedOpsets() throws {
        let input = Tensor(shape: [1, 1, 28, 28], (0..<784).map { sin(0.37 * Float($0)) })
        try folder.write(input, to: "x.npy")
        let network = try Zoo.network("lenet5", seed: 3)
        let name = try #require(network.inputs.first?.name)
        let output = try #require(network.outputs.first)
        let expected = try #require(network.evaluated([name: input])[output]).floats
        for opset in 11...21 {
            let exported = try run(
                "export", "lenet5", "-o", "\(opset).onnx", "--opset", "\(opset)", "--seed", "3",
                "--json")
            #expect(exported.status == 0 && exported.errors == "", "\(exported.errors)")
            let object = try exported.json()
            #expect(object["opset"] as? Int == opset)
            #expect(try object["output_bytes"] as? Int == folder.read("\(opset).onnx").count)
            let result = try run("run", "\(opset).onnx", "--input", "x.npy", "--output", "y.npy")
            #expect(result.status == 0, "\(result.errors)")
            let found = try folder.tensor("y.npy").floats
            #expect(found.count == expected.count)
            for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5, "opset \(opset)") }
        }
    }

    @Test("an exported file is told with its size; one that cannot be written is an error")
    func exportText() throws {
        let result = try run("export", "mlp@1x4x4/3", "-o", "mlp.onnx")
        #expect(result.status == 0 && result.errors == "")
        #expect(result.output.hasPrefix("mlp.onnx: ") && result.output.contains("opset 17"))
        try folder.expectFailure(
            ["export", "mlp", "-o", "missing/mlp.onnx"], saying: ["missing/mlp.onnx"])
    }

    @Test("info names the library that runs networks")
    func info() throws {
        let name = try #require(run("info", "--json").json()["inference_library"] as? String)
        #expect(name.wholeMatch(of: /oneDNN \d+\.\d+\.\d+/) != nil, "\(name)")
        #expect(try run("info").output.contains(name))
    }
}
