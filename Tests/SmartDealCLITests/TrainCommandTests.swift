import Foundation
import SmartDeal
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("smartdeal train") struct TrainCommandTests {
    private let folder: ToolFolder

    /// The bundled images as both splits.
    init() throws {
        folder = try ToolFolder()
        let fixture = fixtures + "/fashion_mnist_2000"
        let manager = FileManager.default
        try manager.createDirectory(
            atPath: folder.path + "/data", withIntermediateDirectories: false)
        for kind in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
            for split in ["train", "t10k"] {
                try manager.copyItem(
                    atPath: "\(fixture)/t10k-\(kind)",
                    toPath: "\(folder.path)/data/\(split)-\(kind)")
            }
        }
    }

    private func arguments(_ more: String...) -> [String] {
        [
            "train", "--network", "lenet5", "--dataset", "data", "--batch", "32", "--limit", "320",
            "--test-limit", "100", "--threads", "1", "--learning-rate", "0.05",
        ] + more
    }

    private func run(_ arguments: [String]) throws -> Tool.Result {
        try Tool.start(arguments, in: folder.path).wait()
    }

    @Test("a run leaves a log, a model that evaluates to the accuracy it tells, and a report")
    func whole() throws {
        let result = try run(
            arguments("-o", "run", "--epochs", "2", "--form", "smartdeal", "--json"))
        #expect(result.status == 0, "\(result.errors)")
        let summary = try result.json()
        let accuracy = try #require(summary["test_accuracy"] as? Double)
        let evaluation = try Tool.run(
            "evaluate", "run/model.onnx", "--dataset", "data", "--limit", "100", "--json",
            "--quiet", in: folder.path
        ).json()
        #expect(evaluation["accuracy"] as? Double == accuracy)
        let log = String(decoding: try folder.read("run/log.jsonl"), as: UTF8.self)
        #expect(log.split(separator: "\n").count == 2)
        let page = String(decoding: try folder.read("run/report.html"), as: UTF8.self)
        #expect(page.contains("<svg") && page.contains("optimizer state"))
        #expect(XMLParser(data: Data(page.utf8)).parse())
    }

    @Test("killed and resumed, a run ends with the bytes of one that was not")
    func killed() throws {
        #expect(try run(arguments("-o", "whole", "--epochs", "3", "--quiet")).status == 0)
        let start = try Tool.start(
            arguments("-o", "killed", "--epochs", "3", "--quiet"), in: folder.path)
        // The log appears after the first epoch.
        let log = folder.path + "/killed/log.jsonl"
        for _ in 0..<5000 where !FileManager.default.fileExists(atPath: log) { usleep(2000) }
        kill(start.identifier, SIGKILL)
        #expect(try start.wait().wasSignalled)
        let resumed = try run(arguments("-o", "killed", "--epochs", "3", "--quiet", "--resume"))
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try folder.read("killed/model.onnx") == folder.read("whole/model.onnx"))
    }

    @Test("SIGTERM keeps the state, says how to go on and exits with 1")
    func terminated() throws {
        let start = try Tool.start(
            arguments("-o", "run", "--epochs", "500", "--quiet"), in: folder.path)
        let log = folder.path + "/run/log.jsonl"
        for _ in 0..<5000 where !FileManager.default.fileExists(atPath: log) { usleep(2000) }
        kill(start.identifier, SIGTERM)
        let result = try start.wait()
        #expect(result.status == 1 && !result.wasSignalled)
        #expect(result.errors.contains("--resume"), "\(result.errors)")
        #expect(try folder.names().contains("run"))
    }

    @Test("a folder of an earlier run is a source to fine-tune in SmartDeal form")
    func source() throws {
        let first = try run(arguments("-o", "first", "--epochs", "2", "--form", "dense", "--json"))
        let second = try run(
            arguments(
                "-o", "second", "--epochs", "1", "--form", "smartdeal", "--source", "first",
                "--task", "finetune", "--json"))
        #expect(second.status == 0, "\(second.errors)")
        let before = try #require(try first.json()["test_accuracy"] as? Double)
        let after = try #require(try second.json()["test_accuracy"] as? Double)
        #expect(after > before - 0.2)
        #expect(try folder.read("second/log.jsonl").split(separator: 10).count == 1)
    }

    @Test("options win over the configuration file")
    func configuration() throws {
        try folder.write(
            "network: mlp\ndataset: data\nepochs: 3\nbatch: 50\nlimit: 200\ntest-limit: 50\n",
            to: "run.yaml")
        let result = try run([
            "train", "--config", "run.yaml", "-o", "run", "--epochs", "1", "--form", "dense",
            "--json", "--threads", "1",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let settings = try #require(try result.json()["settings"] as? [String: String])
        #expect(settings["epochs"] == "1")
        #expect(settings["batch"] == "50")
        #expect(settings["network"] == "mlp")
    }

    @Test(
        "wrong usage exits with 64, a wrong file or a used folder with 1; each says what is wrong")
    func mistakes() throws {
        let missing = try run(["train", "--dataset", "data", "-o", "x"])
        #expect(missing.status == 64 && missing.errors.contains("--network"))
        let epochs = try run(arguments("-o", "x", "--epochs", "0"))
        #expect(epochs.status == 64 && epochs.errors.contains("epochs must be at least 1"))
        try folder.write("epoch: 3\nshuffel: true\n", to: "bad.yaml")
        let yaml = try run(arguments("-o", "x", "--config", "bad.yaml"))
        #expect(yaml.status == 1)
        #expect(yaml.errors.contains("'epochs'") && yaml.errors.contains("'shuffle'"))
        let network = try run(["train", "--network", "lenet", "--dataset", "data", "-o", "x"])
        #expect(network.status == 1 && network.errors.contains("lenet5"))
        #expect(try folder.names() == ["bad.yaml", "data"])
    }
}
