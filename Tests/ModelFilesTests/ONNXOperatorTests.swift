import DenseMath
import Foundation
import Networks
import ONNXSchema
import Testing

@testable import ModelFiles

@Suite("ONNX operators")
struct ONNXOperatorTests {
    private typealias Build = ONNXBuilder

    private func network(_ proto: Onnx_ModelProto) throws -> Network {
        try ONNXModel(proto, path: "m.onnx").network()
    }

    private func attribute(_ name: String, _ value: AttributeValue) -> Onnx_AttributeProto {
        .init(name, value)
    }

    private let x = Tensor(shape: [2, 3], [-2, -1, 0, 1, 2, 3])

    /// y of a model for the same x, computed by plain loops.
    private func result(_ network: Network) throws -> Tensor {
        try #require(try network.evaluated(["x": x])["y"])
    }

    private func expectClose(
        _ a: [Float], _ b: [Float], within bound: Float, _ comment: Comment,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(a.count == b.count, comment, sourceLocation: sourceLocation)
        let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= bound, comment, sourceLocation: sourceLocation)
    }

    // MARK: Whole networks

    private func inputs(_ name: String) -> [String: Tensor] {
        let image = (0..<2 * 3 * 16 * 16).map { Float(sin(0.37 * Double($0))) }
        return [
            "input": name.hasPrefix("cnn")
                ? Tensor(shape: [2, 3, 16, 16], image)
                : Tensor(shape: [2, 6], integers: (0..<12).map { $0 % 11 })
        ]
    }

    private func output(_ network: Network, _ name: String) throws -> [Float] {
        let inputs = inputs(name)
        let given = try #require(inputs["input"])
        let outputs = try network.evaluated([network.inputs[0].name: given])
        return try #require(outputs[network.outputs[0]]).floats
    }

    @Test("PyTorch's files compute what PyTorch computes", arguments: ONNXFixtures.small)
    func pytorch(name: String) throws {
        let json = try Data(
            contentsOf: URL(fileURLWithPath: ONNXFixtures.folder + "/onnx/expected.json"))
        let expected = try JSONDecoder().decode([String: [Float]].self, from: json)
        let network = try ONNXModel(path: ONNXFixtures.path(name)).network()
        let key = name.hasPrefix("cnn") ? "cnn" : "encoder"
        expectClose(
            try output(network, name), try #require(expected[key]), within: 2e-5, "\(name)")
    }

    @Test(
        "a network written for any opset computes the same when read again",
        arguments: ["cnn_dynamo_18", "encoder_dynamo_18"], 11...21)
    func export(name: String, opset: Int) throws {
        let network = try ONNXModel(path: ONNXFixtures.path(name)).network()
        let model = try ONNXModel(network: network, opset: opset)
        #expect(model.proto.opsetImport.map(\.version) == [Int64(opset)])
        let back = try model.network()
        #expect(back.inputs == network.inputs)
        #expect(back.outputs == network.outputs)
        expectClose(
            try output(back, name), try output(network, name), within: 1e-5, "opset \(opset)")
        let shape = model.proto.graph.output[0].type.tensorType.shape
        #expect(shape.dim.map(\.dimParam) == [network.inputs[0].shape[0].description, ""])
        #expect(shape.dim[1].dimValue == (name.hasPrefix("cnn") ? 5 : 8))
    }

    // MARK: Older forms

    @Test("softmax before opset 13 goes over all dimensions from its axis on")
    func oldSoftmax() throws {
        let old = try network(
            Build.model(
                opset: 11, [Build.node("Softmax", ["x"], [attribute("axis", .integer(0))])]))
        let values = try result(old).floats
        let powers = x.floats.map { exp($0) }
        let sum = powers.reduce(0, +)
        expectClose(values, powers.map { $0 / sum }, within: 1e-6, "axis 0")
        let new = try network(
            Build.model(
                opset: 13, [Build.node("Softmax", ["x"], [attribute("axis", .integer(0))])]))
        expectClose(
            try result(new).floats,
            (0..<6).map { powers[$0] / (powers[$0 % 3] + powers[$0 % 3 + 3]) },
            within: 1e-6, "one dimension")
    }

    @Test("axes and bounds are attributes, whichever way the file gives them")
    func axes() throws {
        let axes = Build.integers("a", [1])
        let old = try network(
            Build.model(
                opset: 11,
                [
                    Build.node("ReduceSum", ["x"], to: ["s"], [attribute("axes", .integers([1]))]),
                    Build.node("Squeeze", ["s"], [attribute("axes", .integers([1]))]),
                ]))
        let new = try network(
            Build.model(
                opset: 13,
                [
                    Build.node("ReduceSum", ["x", "a"], to: ["s"]),
                    Build.node("Squeeze", ["s", "a"]),
                ], [axes]))
        #expect(old.nodes.map(\.operation) == new.nodes.map(\.operation))
        #expect(new.parameters.isEmpty)
        #expect(try result(new).floats == [-3, 6])
        let constant = Build.node(
            "Constant", [], to: ["low"],
            [
                .with {
                    $0.name = "value_float"; $0.f = -1
                }
            ])
        let clip = try network(
            Build.model([constant, Build.node("Clip", ["x", "low"])]))
        #expect(clip.nodes.map(\.operation) == [.unary(.clip(minimum: -1, maximum: .infinity))])
    }

    @Test("operators of any number of inputs become chains, dropout nothing")
    func chains() throws {
        let made = try network(
            Build.model([
                Build.node("Sum", ["x", "x", "x"], to: ["s"]), Build.node("Dropout", ["s"]),
            ]))
        #expect(
            made.nodes.map(\.operation)
                == [.binary(.add), .binary(.add), .unary(.identity)])
        #expect(try result(made).floats == x.floats.map { 3 * $0 })
    }

    @Test("what is not computed here is foreign, and its weights stay")
    func foreign() throws {
        let weight = Build.tensor("w", [3, 3], raw: [UInt8](repeating: 0, count: 36))
        let text = Onnx_TensorProto.with {
            $0.name = "t"
            $0.dataType = 8
            $0.dims = [1]
            $0.stringData = [Data("a".utf8)]
        }
        let cases: [(Onnx_NodeProto, String)] = [
            (Build.node("Resize", ["h", "", "w"]), "Resize"),
            (Build.node("Relu", ["h"], domain: "mine"), "mine.Relu"),
            (Build.node("Mystery", ["h", "t"]), "Mystery"),
            (Build.node("Clip", ["h", "h"]), "Clip"),
            (Build.node("Pad", ["h", "p"], [attribute("mode", .text("wrap"))]), "Pad"),
            (
                Build.node(
                    "BatchNormalization", ["h", "w", "w", "w", "w"],
                    [attribute("training_mode", .integer(1))]), "BatchNormalization"
            ),
            (
                Build.node(
                    "If", ["h"],
                    [
                        .with {
                            $0.name = "then_branch"; $0.g = .init()
                        }
                    ]), "If"
            ),
        ]
        for (node, name) in cases {
            let made = try network(
                Build.model(
                    [Build.node("MatMul", ["x", "w"], to: ["h"]), node],
                    [weight, text, Build.integers("p", [0, 0, 0, 0])]))
            #expect(made.nodes.last?.operation.name == name)
            guard case .foreign? = made.nodes.last?.operation else {
                Issue.record("\(name) is not foreign")
                continue
            }
            #expect(made.weightSites.map(\.name) == ["w"])
            expectError(.cannotExport, saying: name) { try ONNXModel(network: made) }
        }
    }

    @Test("a node that contradicts its operator is refused by name")
    func invalid() {
        let cases: [(Onnx_NodeProto, String)] = [
            (Build.node("Relu", []), "inputs"), (Build.node("Relu", ["x", "x"]), "inputs"),
            (Build.node("MatMul", ["", "x"]), "left out"),
            (Build.node("Relu", ["x"], to: []), "output"),
            (Build.node("MaxPool", ["x"]), "kernel_shape"),
            (
                Build.node(
                    "MaxPool", ["x"],
                    [
                        attribute("kernel_shape", .integers([2])),
                        attribute("strides", .integers([0])),
                    ]), "strides"
            ),
            (Build.node("Flatten", ["x"], [attribute("axis", .integer(1 << 40))]), "32 bits"),
            (Build.node("Flatten", ["x"], [attribute("axis", .float(1))]), "no integer"),
            (Build.node("Concat", ["x"]), "axis"),
        ]
        for (node, word) in cases {
            expectError(.invalidNode, saying: node.opType + "_0", word) {
                try network(Build.model([node]))
            }
        }
    }

    // MARK: Elements

    @Test("every element type reads the same from raw bytes and from its own field")
    func elementTypes() throws {
        let model = ONNXModel(Build.model([]), path: "m.onnx")
        func raw<T: FixedWidthInteger>(_ values: [T]) -> [UInt8] {
            values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        }
        let small: [Int32] = [1, 0, 100]
        func typed(_ type: Int32, _ body: (inout Onnx_TensorProto) -> Void) -> Onnx_TensorProto {
            var tensor = Onnx_TensorProto.with {
                $0.dataType = type
                $0.dims = [3]
            }
            body(&tensor)
            return tensor
        }
        let doubles: [Double] = [1, 0, 100]
        let halves: [UInt16] = [0x3C00, 0, 0x5640]
        let brains: [UInt16] = [0x3F80, 0, 0x42C8]
        let cases: [(Int32, [UInt8], (inout Onnx_TensorProto) -> Void)] = [
            (1, raw(doubles.map { Float($0).bitPattern }), { $0.floatData = [1, 0, 100] }),
            (2, raw(small.map { UInt8($0) }), { $0.int32Data = small }),
            (3, raw(small.map { Int8($0) }), { $0.int32Data = small }),
            (4, raw(small.map { UInt16($0) }), { $0.int32Data = small }),
            (5, raw(small.map { Int16($0) }), { $0.int32Data = small }),
            (6, raw(small), { $0.int32Data = small }),
            (7, raw(small.map { Int64($0) }), { $0.int64Data = small.map { Int64($0) } }),
            (10, raw(halves), { $0.int32Data = halves.map { Int32($0) } }),
            (11, raw(doubles.map(\.bitPattern)), { $0.doubleData = doubles }),
            (12, raw(small.map { UInt32($0) }), { $0.uint64Data = small.map { UInt64($0) } }),
            (13, raw(small.map { UInt64($0) }), { $0.uint64Data = small.map { UInt64($0) } }),
            (16, raw(brains), { $0.int32Data = brains.map { Int32($0) } }),
        ]
        for (type, bytes, fill) in cases {
            let one = try model.tensor(Build.tensor("w", type: type, [3], raw: bytes))
            #expect(try model.tensor(typed(type, fill)) == one, "type \(type)")
            #expect(
                one.kind == .float32 ? one.floats == [1, 0, 100] : one.integers == [1, 0, 100],
                "type \(type)")
        }
        let flags = try model.tensor(Build.tensor("w", type: 9, [3], raw: [1, 0, 7]))
        #expect(flags.integers == [1, 0, 1])
        expectError(.elementOverflow, saying: "'w'") {
            try model.tensor(Build.tensor("w", type: 13, [1], raw: raw([UInt64.max])))
        }
        for type: Int32 in [0, 8, 14, 15, 17, 22, 99] {
            expectError(.unknownElementType, saying: "'w'") {
                try model.tensor(Build.tensor("w", type: type, [1], raw: [0]))
            }
        }
    }

    @Test("data of other files can be taken in")
    func embedding() throws {
        let model = try ONNXModel(path: ONNXFixtures.path("cnn_dynamo_18"))
        #expect(model.proto.graph.initializer.contains { $0.dataLocation == .external })
        let folder = try TestFolder()
        try model.embeddingExternalData().write(to: folder("whole.onnx"))
        let copy = try ONNXModel(path: folder("whole.onnx"))
        let (one, other) = (try model.network(), try copy.network())
        #expect(one.nodes == other.nodes)
        #expect(one.parameters.mapValues(\.tensor) == other.parameters.mapValues(\.tensor))
    }

    @Test("preprocessing and metadata survive writing and reading")
    func metadata() throws {
        var made = try network(Build.model([Build.node("Relu", ["x"])]))
        made.preprocessing = Preprocessing(
            name: "p", mean: [0.5], standardDeviation: [0.25], classNames: ["a", "b"])
        made.metadata = ["author": "somebody"]
        let back = try ONNXModel(network: made).network()
        #expect(back.preprocessing == made.preprocessing)
        #expect(back.metadata == made.metadata)
    }
}
