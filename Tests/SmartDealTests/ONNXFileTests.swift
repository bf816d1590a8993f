import Foundation
import ONNXSchema
import SmartDeal
import Testing

@testable import ModelFiles

@Suite("ONNX files")
struct ONNXFileTests {
    private static let resNet20 = Fixture.folder + "/fashion_resnet20/fashion_resnet20.onnx"

    /// A model of all kinds of weights, an operator of a stranger's domain, and names that users
    /// see.
    private func model() -> Onnx_ModelProto {
        var random = TestRandom(seed: 11)
        func tensor(_ name: String, _ type: ElementType, _ shape: [Int]) -> Onnx_TensorProto {
            let values = random.weights(shape.reduce(1, *))
            let types: [ElementType: Onnx_TensorProto.DataType] = [
                .f32: .float, .f16: .float16, .bf16: .bfloat16,
            ]
            return .raw(
                name, types[type] ?? .float, shape, WeightConversion.bytes(from: values, as: type))
        }
        func node(
            _ type: String, _ inputs: [String], _ output: String, domain: String = ""
        ) -> Onnx_NodeProto {
            var node = Onnx_NodeProto()
            node.opType = type
            node.domain = domain
            node.name = "node of \(output)"
            node.input = inputs
            node.output = [output]
            return node
        }
        func value(_ name: String) -> Onnx_ValueInfoProto {
            var value = Onnx_ValueInfoProto()
            value.name = name
            value.type.tensorType.elemType = 1
            value.type.tensorType.shape = Onnx_TensorShapeProto()
            return value
        }
        var graph = Onnx_GraphProto()
        graph.name = "graph"
        graph.docString = "a graph for tests"
        var group = Onnx_AttributeProto()
        group.name = "group"
        group.type = .int
        group.i = 24
        var depthwise = node("Conv", ["a", "depth.weight"], "b")
        depthwise.attribute = [group]
        var strange = node("Strange", ["b", "strange.weight"], "c", domain: "com.example")
        strange.docString = "nobody knows"
        var typed = tensor("typed.weight", .f32, [30, 24])
        typed.floatData = typed.rawData.withUnsafeBytes {
            WeightConversion.floats(from: $0, as: .f32)
        }
        typed.clearRawData()
        var conv = tensor("conv.weight", .f32, [24, 4, 3, 3])
        conv.docString = "the first"
        graph.initializer = [
            conv, tensor("conv.bias", .f32, [24]), tensor("depth.weight", .f32, [24, 1, 5, 5]),
            tensor("strange.weight", .f32, [40, 40]), tensor("half", .f16, [30, 64]),
            typed, tensor("brain", .bf16, [64, 50]), tensor("table", .f32, [60, 16]),
            tensor("shared", .f32, [50, 50]), tensor("input.weight", .f32, [50, 50]),
            .raw("shape", .int64, [2], [1, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0]),
        ]
        graph.node = [
            node("Conv", ["x", "conv.weight", "conv.bias"], "a"), depthwise, strange,
            node("Gather", ["table", "indexes"], "d"), node("Reshape", ["c", "shape"], "e"),
            node("MatMul", ["e", "half"], "f"), node("MatMul", ["f", "brain"], "g"),
            node("MatMul", ["g", "shared"], "h"), node("MatMul", ["h", "shared"], "i"),
            node("MatMul", ["i", "input.weight"], "j"), node("MatMul", ["e", "typed.weight"], "k"),
        ]
        graph.input = [value("x"), value("indexes"), value("input.weight")]
        graph.output = [value("j"), value("d"), value("k")]
        var model = Onnx_ModelProto()
        model.irVersion = 7
        model.producerName = "a test"
        var opset = Onnx_OperatorSetIdProto()
        opset.version = 13
        var strangers = Onnx_OperatorSetIdProto()
        strangers.domain = "com.example"
        strangers.version = 3
        model.opsetImport = [opset, strangers]
        model.graph = graph
        model.metadataProps = [Onnx_StringStringEntryProto(key: "author", value: "ünknown")]
        return model
    }

    private func write(_ model: Onnx_ModelProto, to path: String) throws {
        _ = try ONNXModel(model, path: path).write(to: path)
    }

    @Test("weights in Constant nodes are compressed as well, and restored as initializers")
    func constants() throws {
        let folder = try TestFolder()
        var changed = model()
        let index = try #require(changed.graph.initializer.firstIndex { $0.name == "half" })
        var value = Onnx_AttributeProto()
        value.name = "value"
        value.type = .tensor
        value.t = changed.graph.initializer.remove(at: index)
        value.t.clearName()
        var node = Onnx_NodeProto()
        node.opType = "Constant"
        node.output = ["half"]
        node.attribute = [value]
        changed.graph.node.insert(node, at: 0)
        try write(changed, to: folder("in"))
        let report = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("out"))
        #expect(report.tensors.first { $0.name == "half" }?.compressed == true)
        _ = try CheckpointRestorer().restore(folder("out"), to: folder("back"))
        let back = try ONNXModel(path: folder("back")).proto.graph
        #expect(back.node == Array(changed.graph.node.dropFirst()))
        #expect(back.initializer.contains { $0.name == "half" && $0.dims == [30, 64] })
        let verified = try CheckpointVerifier().compare(folder("in"), folder("out"))
        #expect(verified.tensors.count == report.tensors.count)
    }

    @Test("weights of operators are compressed, each once; strangers' nodes and all else survive")
    func compress() throws {
        let folder = try TestFolder()
        let original = model()
        try write(original, to: folder("in"))
        let report = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("out"))
        #expect(try folder.names() == ["in", "out"])
        let names = [
            "conv.weight", "depth.weight", "half", "typed.weight", "brain", "table", "shared",
        ]
        #expect(report.tensors.filter(\.compressed).map(\.name) == names)
        #expect(report.tensors.map(\.name) == original.graph.initializer.map(\.name))
        let kinds = Dictionary(uniqueKeysWithValues: report.tensors.map { ($0.name, $0.kind) })
        #expect(kinds["depth.weight"] == "depthwise")
        #expect(kinds["table"] == "embedding")
        #expect(kinds["half"] == "linear")
        let reasons = Dictionary(uniqueKeysWithValues: report.tensors.map { ($0.name, $0.reason) })
        #expect(reasons["strange.weight"]?.contains("no weight of") == true)
        #expect(reasons["input.weight"]?.contains("input of the model") == true)
        #expect(report.output_bytes == (try fileSize(folder("out"))))
        #expect(report.input_bytes == (try fileSize(folder("in"))))

        let packed = try ONNXModel(path: folder("out")).proto
        let hidden = try PackedSubgraphs(reading: packed, path: "out")
        #expect(Set(hidden.entries.keys) == Set(names))
        let nodes = packed.graph.node.indices.filter { !hidden.hiddenNodes.contains($0) }
        #expect(nodes.map { packed.graph.node[$0] } == original.graph.node)
        let kept = packed.graph.initializer.indices.filter {
            !hidden.hiddenInitializers.contains($0)
        }.map { packed.graph.initializer[$0] }
        #expect(kept == original.graph.initializer.filter { !names.contains($0.name) })
        #expect(packed.opsetImport == original.opsetImport)
        #expect(packed.irVersion == original.irVersion)
    }

    @Test("restoring gives the file before but for the values of weights")
    func restore() throws {
        let folder = try TestFolder()
        let original = model()
        try write(original, to: folder("in"))
        for setting in ["best", "reference", "fast"] {
            var recipe = Recipe([("mode", .text(setting))])
            if setting != "fast" { recipe.defaults.append(.init("prune", .number(0.3))) }
            let report = try CheckpointCompressor(recipe).compress(folder("in"), to: folder("out"))
            let restored = try CheckpointRestorer().restore(folder("out"), to: folder("back"))
            #expect(restored.restored == report.tensors.count(where: \.compressed))
            #expect(restored.copied == report.tensors.count { !$0.compressed })
            var back = try ONNXModel(path: folder("back")).proto
            #expect(back.graph.initializer.map(\.name) == original.graph.initializer.map(\.name))
            for index in original.graph.initializer.indices {
                let (before, after) = (
                    original.graph.initializer[index], back.graph.initializer[index]
                )
                #expect(before.dims == after.dims && before.dataType == after.dataType)
                #expect(before.docString == after.docString)
            }
            back.graph.initializer = original.graph.initializer
            #expect(back == original)

            let verified = try CheckpointVerifier().compare(folder("in"), folder("out"))
            let dense = try CheckpointVerifier().compare(folder("in"), folder("back"))
            for (row, tensor) in zip(verified.tensors, report.tensors) {
                #expect(row.name == tensor.name)
                let expected = tensor.relative_error ?? 0
                let error = try #require(row.relative_error)
                #expect(abs(error - expected) <= 1e-4 + 0.02 * expected, "\(row.name)")
            }
            for (row, other) in zip(verified.tensors, dense.tensors) {
                #expect(abs((row.relative_error ?? 1) - (other.relative_error ?? 2)) < 4e-3)
            }
            let inspected = try CheckpointInspector().inspect(folder("out"))
            #expect(!inspected.estimated)
            #expect(inspected.tensors.map(\.name) == report.tensors.map(\.name))
            #expect(inspected.tensors.map(\.compressed) == report.tensors.map(\.compressed))
            #expect(inspected.tensors.map(\.kind) == report.tensors.map(\.kind))
        }
    }

    @Test("the trained network becomes small, is predicted to 2 %, and meets --bits")
    func trained() throws {
        let folder = try TestFolder()
        for bits in [nil, 3.2] as [Double?] {
            let compressor = CheckpointCompressor(
                bits == nil ? Recipe([("mode", .text("fast"))]) : Recipe([], bits: bits))
            let report = try compressor.compress(Self.resNet20, to: folder("out"))
            #expect(report.tensors.count(where: \.compressed) >= 20)
            let foretold = try compressor.predict(Self.resNet20)
            let ratio = Double(foretold.output_bytes) / Double(report.output_bytes)
            #expect(abs(ratio - 1) < 0.02, "\(foretold.output_bytes) for \(report.output_bytes)")
            if let bits { #expect(try #require(report.bits_per_weight) < bits * 1.03) }
            if bits == nil { #expect(report.ratio > 5) }
        }
        #expect(try ModelDocument(path: Self.resNet20).tensors.first?.use?.isDepthwise == false)
    }

    @Test("an interrupted compression goes on where it was and gives the same file")
    func resume() throws {
        let folder = try TestFolder()
        try write(model(), to: folder("in"))
        _ = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("whole"))
        let compressor = CheckpointCompressor(Recipe(), resume: true)
        expectError("interrupted") {
            try compressor.compress(
                folder("in"), to: folder("out"), progress: .cancelling { $0.tensor == "half" })
        }
        #expect(try folder.names() == ["in", "out.partial", "out.partial.journal", "whole"])
        _ = try compressor.compress(folder("in"), to: folder("out"))
        #expect(try folder.read("out") == folder.read("whole"))
        #expect(try folder.names() == ["in", "out", "whole"])
    }

    @Test("external data is read and moves into the file")
    func externalData() throws {
        let folder = try TestFolder()
        var original = model()
        var data: [UInt8] = []
        for index in original.graph.initializer.indices
        where original.graph.initializer[index].hasRawData {
            let bytes = original.graph.initializer[index].rawData
            original.graph.initializer[index].clearRawData()
            original.graph.initializer[index].dataLocation = .external
            original.graph.initializer[index].externalData = [
                Onnx_StringStringEntryProto(key: "location", value: "weights.bin"),
                Onnx_StringStringEntryProto(key: "offset", value: String(data.count)),
                Onnx_StringStringEntryProto(key: "length", value: String(bytes.count)),
            ]
            data += bytes
        }
        try folder.write(data, to: "weights.bin")
        try write(original, to: folder("in"))
        try write(model(), to: folder("inside"))
        let report = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("out"))
        #expect(report.input_bytes == (try fileSize(folder("in"))) + data.count)
        _ = try CheckpointCompressor(Recipe()).compress(folder("inside"), to: folder("same"))
        #expect(try folder.read("out") == folder.read("same"))
    }

    @Test("what cannot be done is told")
    func refusals() throws {
        let folder = try TestFolder()
        try write(model(), to: folder("in"))
        let compressor = CheckpointCompressor(Recipe())
        _ = try compressor.compress(folder("in"), to: folder("out"))
        expectError("already-compressed", saying: "out") {
            try compressor.compress(folder("out"), to: folder("twice"))
        }
        expectError("not-compressed", saying: "in") {
            try CheckpointRestorer().restore(folder("in"), to: folder("back"))
        }
        var old = model()
        old.opsetImport[0].version = 9
        try write(old, to: folder("old"))
        expectError("unsupported-opset", saying: "9") {
            try compressor.compress(folder("old"), to: folder("new"))
        }
        var packed = try ONNXModel(path: folder("out")).proto
        packed.graph.node.removeFirst()
        try write(packed, to: folder("damaged"))
        expectError("invalid-packed-weight", saying: "damaged") {
            try CheckpointRestorer().restore(folder("damaged"), to: folder("back"))
        }
        #expect(try folder.names() == ["damaged", "in", "old", "out"])
    }

    @Test("cut and changed files give an error or a result, never a trap")
    func hostile() throws {
        let folder = try TestFolder()
        var small = model()
        small.graph.initializer.removeAll { ["brain", "half", "shared"].contains($0.name) }
        small.graph.node.removeAll { $0.opType == "MatMul" && $0.input[1] != "typed.weight" }
        small.graph.output = [small.graph.output[1], small.graph.output[2]]
        try write(small, to: folder("in"))
        _ = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("out"))
        let bytes = try folder.read("out")
        var random = TestRandom(seed: 8)
        for round in 0..<120 {
            var changed = bytes
            if round % 4 == 0 {
                changed.removeLast(Int.random(in: 1..<bytes.count, using: &random))
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    changed[Int.random(in: 0..<changed.count, using: &random)] =
                        UInt8.random(in: 0...255, using: &random)
                }
            }
            try folder.write(changed, to: "bad")
            _ = try? CheckpointRestorer().restore(folder("bad"), to: folder("back"))
            _ = try? CheckpointInspector().inspect(folder("bad"))
        }
    }
}
