import Foundation
import ONNXSchema
import Testing

@testable import ModelFiles

@Suite("Hostile ONNX files")
struct ONNXHostileTests {
    private typealias Build = ONNXBuilder

    private func read(_ proto: Onnx_ModelProto) throws {
        _ = try ONNXModel(proto, path: "m.onnx").network()
    }

    private func read(_ bytes: [UInt8]) throws {
        // Memory that ends where the file does: the address sanitizer sees reads past the end.
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: bytes)
        _ = ONNXModel.looksLikeONNX(UnsafeRawBufferPointer(exact))
        _ = try ONNXModel(parsing: UnsafeRawBufferPointer(exact), path: "m.onnx").network()
    }

    @Test("a file cut anywhere is refused or read, never trapped on")
    func truncated() throws {
        let bytes = try [UInt8](
            Data(contentsOf: URL(fileURLWithPath: ONNXFixtures.path("cnn_torchscript_13"))))
        var refused = 0
        for count in 1..<bytes.count {
            do {
                try read(Array(bytes[..<count]))
            } catch is ModelFileError {
                refused += 1
            }
        }
        // What can be cut unseen are the fields after the graph.
        #expect(refused > bytes.count - 50, "\(refused) of \(bytes.count)")
    }

    @Test("a graph with a cycle is refused, naming a node")
    func cycle() {
        let nodes = [
            Build.node("Add", ["x", "b"], to: ["a"]), Build.node("Relu", ["a"], to: ["b"]),
            Build.node("Relu", ["b"]),
        ]
        expectError(.invalidGraph, saying: "own output", "_") { try read(Build.model(nodes)) }
        expectError(.invalidGraph, saying: "Relu_0") {
            try read(Build.model([Build.node("Relu", ["y"])]))
        }
    }

    @Test("a chain of 100,000 nodes in reverse order is sorted")
    func longChain() throws {
        let count = 100_000
        let nodes = (0..<count).reversed().map { index in
            Build.node(
                "Relu", [index == 0 ? "x" : "v\(index)"],
                to: [index == count - 1 ? "y" : "v\(index + 1)"])
        }
        let network = try ONNXModel(Build.model(nodes), path: "m.onnx").network()
        #expect(network.nodes.first?.inputs == ["x"])
        #expect(network.nodes.last?.outputs == ["y"])
    }

    @Test("an initializer that is missing or there twice is named")
    func initializers() {
        expectError(.invalidGraph, saying: "'w'", "MatMul_0") {
            try read(Build.model([Build.node("MatMul", ["x", "w"])]))
        }
        let tensor = Build.tensor("w", [1], raw: [0, 0, 0, 0])
        expectError(.duplicateName, saying: "'w'") {
            try read(Build.model([Build.node("Add", ["x", "w"])], [tensor, tensor]))
        }
    }

    @Test("shapes that the data does not fill are refused before memory is asked for")
    func shapes() {
        let cases: [([Int64], ModelFileError.Code)] = [
            ([2], .wrongTensorSize), ([1 << 40], .wrongTensorSize), ([-1], .shapeOverflow),
            ([1 << 62, 4], .shapeOverflow), ([.max], .shapeOverflow), ([.min], .shapeOverflow),
            ([1 << 62, 1 << 62, 0], .shapeOverflow), ([0, 1 << 62, 1 << 62], .shapeOverflow),
            ([Int64](repeating: 1, count: 65), .shapeOverflow),
        ]
        for (dims, code) in cases {
            let tensor = Build.tensor("w", dims, raw: [0, 0, 0, 0])
            expectError(code, saying: "'w'") {
                try read(Build.model([Build.node("Add", ["x", "w"])], [tensor]))
            }
        }
        expectError(.wrongTensorSize, saying: "0 elements") {
            var tensor = Build.integers("w", [])
            tensor.dims = [1 << 30]
            try read(Build.model([Build.node("Add", ["x", "w"])], [tensor]))
        }
    }

    @Test("2 GB claimed in a small file are refused")
    func claims() {
        // ir_version 8; the graph, a node or raw data of 2^31 - 1 bytes.
        let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x07]
        expectError(.invalidONNX) { try read([8, 8, 0x3A] + huge) }
        expectError(.invalidONNX) { try read([8, 8, 0x3A, 6, 0x0A] + huge) }
        expectError(.invalidONNX) { try read([8, 8, 0x3A, 8, 0x2A, 6, 0x4A] + huge) }
        expectError(.invalidONNX) { try read([8, 8] + [UInt8](repeating: 0xFF, count: 20)) }
    }

    @Test("a few megabytes of empty nodes are refused before they become objects")
    func manyNodes() {
        let count = ONNXModel.entryLimit + 1
        var length = 2 * count
        var bytes: [UInt8] = [8, 8, 0x3A]
        while length >= 0x80 {
            bytes.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(length))
        bytes += (0..<2 * count).map { $0 % 2 == 0 ? 0x0A : 0 }
        expectError(.invalidONNX, saying: "entries") { try read(bytes) }
    }

    @Test("graphs nested without end are refused")
    func nesting() throws {
        var graph = Onnx_GraphProto()
        for _ in 0..<200 {
            let inner = graph
            graph = .with {
                $0.node = [Build.node("If", ["x"], [.with { $0.g = inner }])]
            }
        }
        let proto = Onnx_ModelProto.with {
            $0.irVersion = 8
            $0.graph = graph
        }
        let bytes: [UInt8] = try proto.serializedBytes()
        expectError(.invalidONNX, saying: "nested") { try read(bytes) }
    }

    @Test("external data is read below the model's folder and nowhere else")
    func externalData() throws {
        let folder = try TestFolder()
        try FileManager.default.createDirectory(
            atPath: folder("model/sub"), withIntermediateDirectories: true)
        let bytes = (1...4).flatMap { value in
            withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { Array($0) }
        }
        _ = try folder.write(bytes, to: "secret")
        _ = try folder.write(bytes, to: "model/sub/data")
        try FileManager.default.createSymbolicLink(
            atPath: folder("model/link"), withDestinationPath: "../secret")
        try FileManager.default.createSymbolicLink(
            atPath: folder("model/inside"), withDestinationPath: "sub/data")
        func floats(_ dims: [Int64], _ entries: KeyValuePairs<String, String>) throws -> [Float] {
            let model = ONNXModel(Build.model([]), path: folder("model/m.onnx"))
            return try model.tensor(Build.external(dims, entries)).floats
        }
        #expect(try floats([2], ["location": "sub/data", "offset": "4"]) == [2, 3])
        #expect(try floats([4], ["location": "inside", "length": "16"]) == [1, 2, 3, 4])
        for location in [
            "../secret", "sub/../../secret", folder("secret"), "/etc/passwd", "", "link",
            "sub//data", "..", "sub/data\0x",
        ] {
            expectError(.unsafeDataPath, saying: "'w'") { try floats([4], ["location": location]) }
        }
        expectError(.unreadableFile) { try floats([4], ["location": "none"]) }
        expectError(.notAFile) { try floats([4], ["location": "sub"]) }
        expectError(.wrongFileSize) { try floats([5], ["location": "sub/data"]) }
        expectError(.wrongFileSize) {
            try floats([1], ["location": "sub/data", "offset": "\(Int.max)"])
        }
        expectError(.wrongTensorSize) {
            try floats([4], ["location": "sub/data", "length": "12"])
        }
        expectError(.invalidExternalData) {
            try floats([4], ["location": "sub/data", "offset": "-4"])
        }
        expectError(.invalidExternalData) { try floats([4], ["offset": "0"]) }
    }

    @Test("opsets out of range are refused by number")
    func opsets() {
        for opset: Int64 in [-1, 0, 10, 27, .max] {
            expectError(.unsupportedOpset, saying: "opset \(opset)", "11 to 26") {
                try read(Build.model(opset: opset, [Build.node("Relu", ["x"])]))
            }
        }
    }

    @Test("mutated files are read or refused, never trapped on", arguments: [1, 2] as [UInt64])
    func mutations(seed: UInt64) throws {
        let files = try ["cnn_torchscript_11", "cnn_dynamo_18", "encoder_dynamo_18"].map {
            try [UInt8](Data(contentsOf: URL(fileURLWithPath: ONNXFixtures.path($0))))
        }
        var random = SplitMix64(seed: seed)
        var codes: [String: Int] = [:]
        var accepted = 0
        for _ in 0..<3000 {
            var bytes = files[Int.random(in: 0..<files.count, using: &random)]
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
            do {
                try read(bytes)
                accepted += 1
            } catch let error as ModelFileError {
                codes[error.code.rawValue, default: 0] += 1
            }
        }
        print("seed \(seed): \(accepted) of 3,000 accepted", codes)
        #expect(accepted > 100, "the mutations are too coarse to get past the first checks")
        #expect(codes.count >= 5, "the mutations do not reach all checks: \(codes)")
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
        case 4: bytes.remove(at: at)
        default:  // A letter of a name becomes another: an operator, an attribute, a value.
            let letters = bytes.indices.filter { 0x61...0x7A ~= bytes[$0] }
            guard let letter = letters.randomElement(using: &random) else { return }
            bytes[letter] = UInt8.random(in: 0x61...0x7A, using: &random)
        }
    }
}
