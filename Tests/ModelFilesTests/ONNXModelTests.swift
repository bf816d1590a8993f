import Foundation
import ModelFiles
import Networks
import Testing

@testable import ModelFiles

/// Files of `Tests/Fixtures`.
enum ONNXFixtures {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures").path
    static let resnet = folder + "/fashion_resnet20/fashion_resnet20.onnx"
    static let small = [
        "cnn_torchscript_11", "cnn_torchscript_13", "cnn_torchscript_17", "cnn_dynamo_18",
        "encoder_torchscript_17", "encoder_dynamo_18",
    ]

    static func path(_ name: String) -> String { "\(folder)/onnx/\(name).onnx" }
    static var all: [String] { small.map { path($0) } + [resnet] }
}

@Suite("ONNX models")
struct ONNXModelTests {
    @Test("a file is read and written back byte for byte", arguments: ONNXFixtures.all)
    func roundTrip(path: String) throws {
        let folder = try TestFolder()
        try ONNXModel(path: path).write(to: folder("copy.onnx"))
        let original = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(try folder.read("copy.onnx") == original)
    }

    @Test("every operator of PyTorch's exporters is known", arguments: ONNXFixtures.all)
    func operators(path: String) throws {
        let network = try ONNXModel(path: path).network()
        let foreign = network.nodes.filter {
            if case .foreign = $0.operation { true } else { false }
        }
        #expect(foreign.map(\.operation.name) == [])
        #expect(!network.nodes.isEmpty)
        #expect(network.outputs.count == 1)
    }

    @Test("the weights of the trained network are found with their shapes")
    func weightSites() throws {
        let network = try ONNXModel(path: ONNXFixtures.resnet).network()
        let sites = network.weightSites
        #expect(sites.count == 22, "\(sites.map(\.name))")
        #expect(sites.first?.shape == [16, 1, 3, 3])
        #expect(sites.last?.shape == [10, 64])
        #expect(sites.filter { $0.shape == [16, 16, 3, 3] }.count == 6)
        #expect(sites.filter { $0.shape == [32, 32, 3, 3] }.count == 5)
        #expect(sites.filter { $0.shape == [64, 64, 3, 3] }.count == 5)
        #expect(network.inputs.map(\.shape.count) == [4])
    }

    @Test("all exporters and opsets give the same weights of the same network")
    func sameWeights() throws {
        func shapes(_ name: String) throws -> [[Int]] {
            try ONNXModel(path: ONNXFixtures.path(name)).network().weightSites.map(\.shape)
        }
        let cnn = [[8, 3, 3, 3], [8, 1, 3, 3], [8, 8, 1, 1], [5, 8]]
        for name in ONNXFixtures.small.prefix(4) { #expect(try shapes(name) == cnn, "\(name)") }
        let encoder = [[11, 8], [24, 8], [8, 8], [16, 8], [8, 16]]
        for name in ONNXFixtures.small.suffix(2) { #expect(try shapes(name) == encoder, "\(name)") }
    }

    @Test("a dimension that the file names is a named one")
    func namedDimensions() throws {
        let network = try ONNXModel(path: ONNXFixtures.path("encoder_torchscript_17")).network()
        #expect(
            network.inputs == [.init("input", .int64, [.named("batch"), .named("words")])])
    }

    @Test("the content tells an ONNX file from others")
    func content() throws {
        func looks(_ bytes: [UInt8]) -> Bool {
            bytes.withUnsafeBytes { ONNXModel.looksLikeONNX($0) }
        }
        for path in ONNXFixtures.all {
            let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            #expect(looks(bytes), "\(path)")
            #expect(looks(Array(bytes.prefix(256))), "\(path)")
        }
        #expect(!looks([]))
        #expect(!looks(file("{}")))
        #expect(!looks(file(#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)))
        #expect(!looks(Array(#"{"metadata":{},"weight_map":{}}"#.utf8)))
        #expect(!looks([8] + [UInt8](repeating: 0, count: 40)))
        #expect(!looks(Array("\u{89}PNG\r\n\u{1A}\n".utf8)))
    }
}
