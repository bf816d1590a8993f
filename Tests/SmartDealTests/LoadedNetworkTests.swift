import Foundation
import SmartDeal
import Testing

@Suite("Loading a network by name")
struct LoadedNetworkTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
    }

    @Test("a file is read and a built-in network is made")
    func both() throws {
        let made = try LoadedNetwork("mlp@1x4x4/3")
        #expect(made.fileByteCount == nil && made.name == "mlp@1x4x4/3")
        let path = folder("file.onnx")
        let bytes = try ONNXModel(network: made.network).write(to: path)
        let read = try LoadedNetwork(path)
        #expect(read.fileByteCount == bytes && read.name == path)
        #expect(read.network.inputs == made.network.inputs)
    }

    @Test(
        "a name near a built-in network's is answered with near names",
        arguments: ["resnet81", "resnet81@3x32x32/10", "renset20/10", "vgg", "lenet@1x28x28"])
    func nearNames(name: String) throws {
        let error = #expect(throws: NetworkError.self) { try LoadedNetwork(name) }
        #expect(error?.code == .unknownNetwork)
        #expect(error?.message.contains("did you mean '") == true)
    }

    @Test(
        "what is like a path is looked for as a file",
        arguments: ["models/mine", "resnet18.onnx", "./lenet5", "/lenet5", "a.b@c"])
    func paths(name: String) throws {
        let error = #expect(throws: ModelFileError.self) { try LoadedNetwork(name) }
        #expect(error?.code == .unreadableFile && error?.path == name)
    }

    @Test("a file that is no ONNX is refused, weights alone with what to do")
    func otherFiles() throws {
        try folder.write("PK\u{3}\u{4} this is a zip archive", to: "zip")
        var error = #expect(throws: ModelFileError.self) { try LoadedNetwork(path: folder("zip")) }
        #expect(error?.code == .unknownFormat)
        let writer = try SafetensorsWriter(target: folder("weights"))
        try writer.append(
            name: "w", elementType: .f32, shape: [2],
            bytes: WeightConversion.bytes(from: [1, 2], as: .f32))
        _ = try writer.finish(metadata: [:])
        error = #expect(throws: ModelFileError.self) { try LoadedNetwork(path: folder("weights")) }
        #expect(error?.code == .noGraph)
        #expect(error?.message.contains("export the model to ONNX") == true)
        error = #expect(throws: ModelFileError.self) { try LoadedNetwork(path: folder.path) }
        #expect(error?.code == .notAFile)
    }

    @Test("random weights are compressed, and pruned when asked to")
    func compressed() throws {
        var plain = try LoadedNetwork("lenet5")
        try plain.compressRandomWeights(threads: 2)
        var pruned = try LoadedNetwork("lenet5")
        try pruned.compressRandomWeights(prune: 0.5, threads: 2)
        func density(_ network: Network) throws -> Double {
            let plan = try ExecutionPlan(network)
            return try #require(plan.steps.first { $0.name == "fc1" }).density
        }
        #expect(plain.network.parameterByteCount > pruned.network.parameterByteCount)
        #expect(try density(plain.network) > 0.9)
        #expect(try density(pruned.network) < 0.6)
    }
}
