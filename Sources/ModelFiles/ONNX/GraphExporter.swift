internal import DenseMath
import Foundation
public import Networks
internal import ONNXSchema

extension ONNXModel {
    /// The file of a network.
    ///
    /// Operators that `opset` does not have are written as older ones that compute the same.
    ///
    /// - Parameters:
    ///   - opset: the version of ONNX's own operator set, 11 to 21.
    ///   - path: where it is to be written, for errors.
    /// - Throws: ``ModelFileError`` `.unsupportedOpset`; `.invalidGraph`; `.cannotExport` for
    ///   operations that are foreign or that the opset cannot express.
    public init(network: Network, opset: Int = 17, path: String = "model.onnx") throws {
        var exporter = try GraphExporter(network, opset: opset, path: path)
        self.init(try exporter.model(), path: path)
    }
}

/// Makes an ONNX graph of a network.
struct GraphExporter {
    let network: Network
    let opset: Int
    let path: String
    private var graph = Onnx_GraphProto()
    private var names: Set<String>
    /// Parameters that are written as booleans, because operators ask for them.
    private let booleans: Set<String>
    /// What is rounded to bytes, when that is asked for.
    private let rounding: ByteRounding?
    /// What was made once for several nodes, by a text that says what it is.
    private var shared: [String: String] = [:]

    init(
        _ network: Network, opset: Int, path: String, rounding: ByteRounding? = nil
    ) throws {
        guard 11...21 ~= opset else {
            throw ModelFileError(
                code: .unsupportedOpset, message: "opset \(opset) was asked for, expected 11 to 21",
                path: path)
        }
        do {
            try network.check()
        } catch let error as NetworkError {
            throw ModelFileError(
                code: .invalidGraph, message: printable(error.description), path: path)
        }
        self.network = network
        self.opset = opset
        self.path = path
        self.rounding = rounding
        names = Set(network.inputs.map(\.name)).union(network.parameters.keys)
        names.formUnion(network.nodes.lazy.flatMap(\.outputs))
        booleans = Set(network.nodes.lazy.flatMap { $0.booleanInputs })
    }

    mutating func model() throws -> Onnx_ModelProto {
        var packed: [PackedSubgraphs.Weight] = []
        graph.name = network.name
        graph.input = network.inputs.map { input in
            Onnx_ValueInfoProto(
                input.name, input.elementType,
                input.shape.map { dimension in
                    .with {
                        switch dimension {
                        case .fixed(let size): $0.dimValue = Int64(size)
                        case .named(let name): $0.dimParam = name
                        }
                    }
                })
        }
        let outputs = OutputTypes(network)
        graph.output = network.outputs.map { name in
            Onnx_ValueInfoProto(name, outputs.elementType(name), outputs.shape(name))
        }
        for name in network.parameters.keys.sorted() {
            switch network.parameters[name] {
            case .dense(let tensor): add(tensor, name: name)
            case .smartDeal(let parameter):
                packed.append(
                    PackedSubgraphs.Weight(name: name, parameter: parameter, elementType: .f32))
            case nil: break
            }
        }
        for node in network.nodes {
            if let rounding { try addRounded(node, rounding) } else { try add(node) }
        }
        if rounding != nil {
            // Weights that are bytes are not read as they are.
            let read = Set(graph.node.lazy.flatMap(\.input)).union(network.outputs)
            graph.initializer.removeAll { !read.contains($0.name) }
        }

        var model = Onnx_ModelProto()
        model.irVersion = Self.irVersion(opset: opset)
        model.producerName = "SmartDeal"
        model.opsetImport = [.with { $0.version = Int64(opset) }]
        model.graph = graph
        model.metadataProps = try metadata()
        try PackedSubgraphs.add(packed, to: &model, path: path)
        return model
    }

    /// The version of the format that came with an opset: what the oldest runtimes that know the
    /// opset read.
    private static func irVersion(opset: Int) -> Int64 {
        switch opset {
        case ...11: 6
        case ...14: 7
        case ...18: 8
        case ...20: 9
        default: 10
        }
    }

    private func metadata() throws -> [Onnx_StringStringEntryProto] {
        var entries = network.metadata
        if let preprocessing = network.preprocessing {
            entries[ONNXModel.preprocessingKey] = try ONNXModel.text(of: preprocessing)
        }
        if let ranges = network.activationRanges {
            entries[ONNXModel.rangesKey] = try ONNXModel.text(of: ranges)
        }
        return entries.sorted { $0.key < $1.key }.map { entry in
            .with {
                $0.key = entry.key
                $0.value = entry.value
            }
        }
    }

    // MARK: Parts

    private mutating func add(_ tensor: Tensor, name: String) {
        graph.initializer.append(
            Onnx_TensorProto(tensor, name: name, isBoolean: booleans.contains(name)))
    }

    /// Adds a node; its attributes by name, those that are nil left out.
    mutating func add(
        _ type: String, _ name: String, _ inputs: [String], _ outputs: [String],
        _ attributes: KeyValuePairs<String, AttributeValue?>...
    ) {
        var node = Onnx_NodeProto()
        node.opType = type
        node.name = name
        node.input = inputs
        node.output = outputs
        node.attribute = attributes.joined().compactMap { key, value in
            value.map { Onnx_AttributeProto(key, $0) }
        }
        graph.node.append(node)
    }

    /// A name for a value that the network does not have, made from one that it has.
    mutating func newName(_ base: String, _ suffix: String) -> String {
        var name = "\(base)/\(suffix)"
        while !names.insert(name).inserted { name += "_" }
        return name
    }

    /// The name of what `make` adds, which is done once for each `key`.
    mutating func once(_ key: String, _ make: (inout GraphExporter) -> String) -> String {
        if let known = shared[key] { return known }
        let name = make(&self)
        shared[key] = name
        return name
    }

    /// Adds an initializer under a new name and returns that.
    mutating func addInitializer(
        _ tensor: Onnx_TensorProto, _ base: String, _ suffix: String
    ) -> String {
        var tensor = tensor
        tensor.name = newName(base, suffix)
        graph.initializer.append(tensor)
        return tensor.name
    }

    /// Adds a constant that the network does not have and returns its name.
    mutating func newConstant(_ tensor: Tensor, _ base: String, _ suffix: String) -> String {
        let name = newName(base, suffix)
        add(tensor, name: name)
        return name
    }

    func refusal(_ node: Node, _ message: String) -> ModelFileError {
        ModelFileError(
            code: .cannotExport,
            message: "node '\(printable(node.name))' (\(node.operation.name)): \(message)",
            path: path)
    }
}

/// The value of an attribute.
enum AttributeValue {
    case integer(Int)
    case integers([Int])
    case float(Float)
    case text(String)
    case tensor(Onnx_TensorProto)
}

extension Onnx_AttributeProto {
    init(_ name: String, _ value: AttributeValue) {
        self.init()
        self.name = name
        switch value {
        case .integer(let value):
            i = Int64(value)
            type = .int
        case .integers(let values):
            ints = values.map { Int64($0) }
            type = .ints
        case .float(let value):
            f = value
            type = .float
        case .text(let value):
            s = Data(value.utf8)
            type = .string
        case .tensor(let value):
            t = value
            type = .tensor
        }
    }
}

extension Onnx_ValueInfoProto {
    init(
        _ name: String, _ element: ScalarType, _ shape: [Onnx_TensorShapeProto.Dimension]?
    ) {
        self.init()
        self.name = name
        type.tensorType.elemType = element.onnxElement.rawValue
        if let shape { type.tensorType.shape.dim = shape }
        if shape?.isEmpty ?? false { type.tensorType.shape = Onnx_TensorShapeProto() }
    }
}

extension Onnx_TensorProto {
    /// A tensor with its little-endian bytes; integers as 64 bits or as booleans.
    init(_ tensor: Tensor, name: String, isBoolean: Bool = false) {
        self.init()
        self.name = name
        dims = tensor.shape.map { Int64($0) }
        switch tensor.kind {
        case .float32:
            dataType = ONNXElement.float.rawValue
            #if _endian(little)
                rawData = tensor.withBytes { Data($0) }
            #else
                rawData = tensor.withFloats { Data(WeightConversion.bytes(from: $0, as: .f32)) }
            #endif
        case .int64 where isBoolean:
            dataType = ONNXElement.bool.rawValue
            rawData = tensor.withIntegers { Data($0.map { $0 == 0 ? 0 : 1 }) }
        case .int64:
            dataType = ONNXElement.int64.rawValue
            rawData = tensor.withIntegers { values in
                values.map(\.littleEndian).withUnsafeBytes { Data($0) }
            }
        }
    }
}

extension ScalarType {
    var onnxElement: ONNXElement {
        switch self {
        case .float32: .float
        case .int64: .int64
        case .int32: .int32
        case .uint8: .uint8
        case .int8: .int8
        case .bool: .bool
        }
    }
}

extension Node {
    /// Inputs that ONNX wants as booleans.
    fileprivate var booleanInputs: ArraySlice<String> {
        switch operation {
        case .where: inputs.prefix(1)
        case .unary(.not), .binary(.and), .binary(.or): inputs[...]
        default: []
        }
    }
}

extension ModelFileError.Code {
    /// A network has an operation that an ONNX file of the asked opset cannot express.
    public static let cannotExport = Self(rawValue: "cannot-export")
}
