internal import DenseMath
import Foundation
public import Networks
internal import ONNXSchema

extension ONNXModel {
    /// The network in the file, with the attributes of all operators in the meaning of opset 21.
    ///
    /// An operator that this project does not compute becomes ``Operation/foreign(_:)``.
    ///
    /// - Throws: ``ModelFileError``: `.unsupportedOpset`, `.invalidNode`, `.invalidGraph` and those
    ///   of ``tensor(_:)``, naming the node, value or tensor.
    public func network() throws -> Network {
        var importer = try GraphImporter(self)
        return try importer.network()
    }
}

/// Makes a network of an ONNX graph.
struct GraphImporter {
    let model: ONNXModel
    /// The version of ONNX's own operator set.
    let opset: Int
    private let graph: Onnx_GraphProto
    /// Weights that the file holds packed, and the nodes that rebuild them.
    private let packed: PackedSubgraphs
    private let initializers: [String: Int]
    /// `domain:type` of the model's own functions.
    private let functions: Set<String>
    /// Constants by name, as far as they have been read or made.
    private var constants: [String: Tensor] = [:]
    /// `Constant` nodes by their output, until they are asked for.
    private var constantNodes: [String: NodeReader] = [:]
    /// What each Cast casts.
    private var castSources: [String: String] = [:]
    /// Values that are the same as another.
    private var aliases: [String: String] = [:]
    /// Constants of types that are no numbers here.
    private var unreadable: Set<String> = []
    private var names: Set<String> = []

    init(_ model: ONNXModel) throws {
        self.model = model
        graph = model.proto.graph
        packed = try PackedSubgraphs(reading: model.proto, path: model.path)
        functions = Set(model.proto.functions.map { "\($0.domain):\($0.name)" })
        var initializers: [String: Int] = [:]
        for (index, tensor) in graph.initializer.enumerated() {
            guard initializers.updateValue(index, forKey: tensor.name) == nil else {
                throw ModelFileError(
                    code: .duplicateName, message: "two initializers have the name",
                    path: model.path, tensor: tensor.name)
            }
        }
        self.initializers = initializers
        opset = try Self.opset(of: model)
    }

    /// The versions that this reader knows. What newer ones of them changed are element types only.
    static let opsets = 11...26

    private static func opset(of model: ONNXModel) throws -> Int {
        let own = model.proto.opsetImport.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }
        guard let version = own.first?.version else {
            // Without it only operators of others can be meant.
            if model.proto.graph.node.allSatisfy({ !$0.domain.isEmpty }) { return 21 }
            throw ModelFileError(
                code: .unsupportedOpset,
                message: "it does not say which opset its operators are of, expected "
                    + "\(opsets.lowerBound) to \(opsets.upperBound)", path: model.path)
        }
        guard let version = Int(exactly: version), opsets.contains(version) else {
            throw ModelFileError(
                code: .unsupportedOpset,
                message: "its operators are of opset \(version), expected \(opsets.lowerBound) to "
                    + "\(opsets.upperBound)", path: model.path)
        }
        return version
    }

    // MARK: The graph

    mutating func network() throws -> Network {
        var network = Network(
            name: graph.name.isEmpty ? "network" : graph.name, inputs: try inputs(),
            outputs: graph.output.map(\.name))
        let readers = try orderedNodes()
        for reader in readers {
            names.formUnion(reader.inputs)
            names.formUnion(reader.outputs)
            if reader.type == "Constant", reader.domain.isEmpty, let output = reader.outputs.first {
                constantNodes[output] = reader
            }
            if reader.type == "Cast", let source = reader.inputs.first,
                let output = reader.outputs.first
            {
                castSources[output] = source
            }
        }
        for reader in readers where reader.type != "Constant" || !reader.domain.isEmpty {
            network.nodes += try nodes(of: reader)
        }
        network.parameters = try parameters(of: network)
        (network.metadata, network.preprocessing) = try metadata()
        network.activationRanges = try network.metadata.removeValue(forKey: ONNXModel.rangesKey)
            .map { try ONNXModel.ranges(from: $0, path: model.path) }
        do {
            try network.check()
        } catch let error as NetworkError {
            throw ModelFileError(
                code: .invalidGraph,
                message: (error.node.map { "node '\(printable($0))': " } ?? "")
                    + printable(error.message), path: model.path)
        }
        return network
    }

    private func orderedNodes() throws -> [NodeReader] {
        let readers = graph.node.indices.filter { !packed.hiddenNodes.contains($0) }
            .map { NodeReader(graph.node[$0], index: $0, path: model.path) }
        switch NodeOrder.sorted(inputs: readers.map(\.inputs), outputs: readers.map(\.outputs)) {
        case .success(let order): return order.map { readers[$0] }
        case .failure(let cycle):
            throw ModelFileError(
                code: .invalidGraph,
                message: "node '\(printable(readers[cycle.node].name))' uses what is computed from "
                    + "its own output", path: model.path)
        }
    }

    private func inputs() throws -> [Network.Input] {
        try graph.input.filter { initializers[$0.name] == nil }.map { input in
            func refusal(_ message: String) -> ModelFileError {
                ModelFileError(
                    code: .invalidGraph,
                    message: "input '\(printable(input.name))': \(message)", path: model.path)
            }
            guard case .tensorType(let type)? = input.type.value else {
                throw refusal("only tensors can be given, not sequences, maps or optional values")
            }
            guard let element = ONNXElement(rawValue: type.elemType) else {
                let known = Onnx_TensorProto.DataType(rawValue: Int(type.elemType))
                throw refusal(
                    "its elements are \(known.map { "\($0)" } ?? "type \(type.elemType)"), which "
                        + "this project has no tensors of")
            }
            guard type.hasShape else { throw refusal("its shape is not given") }
            guard type.shape.dim.count <= 64 else {
                throw refusal("it has \(type.shape.dim.count) dimensions, at most are 64")
            }
            let shape = try type.shape.dim.enumerated().map { index, dimension in
                switch dimension.value {
                case .dimValue(let value) where value > 0:
                    guard value <= Int64(Int32.max) else {
                        throw refusal("its dimension \(index) is \(value), beyond 32 bits")
                    }
                    return Network.Dimension.fixed(Int(value))
                case .dimParam(let name) where !name.isEmpty: return .named(name)
                default: return .named("\(input.name)_dim_\(index)")
                }
            }
            return Network.Input(input.name, element.scalarType, shape)
        }
    }

    /// What the nodes and outputs use of initializers, constants and packed weights.
    private mutating func parameters(of network: Network) throws -> [String: Parameter] {
        var parameters: [String: Parameter] = [:]
        for name in network.nodes.lazy.flatMap(\.inputs) + network.outputs
        where parameters[name] == nil {
            if let parameter = packed.entries[name]?.parameter {
                parameters[name] = .smartDeal(parameter)
            } else if let tensor = try constant(name, followingAliases: false) {
                parameters[name] = .dense(tensor)
            }
        }
        return parameters
    }

    private func metadata() throws -> ([String: String], Preprocessing?) {
        var metadata: [String: String] = [:]
        for entry in model.proto.metadataProps
        where !PackedSubgraphs.isOwn(metadataKey: entry.key) {
            metadata[entry.key] = entry.value
        }
        guard let json = metadata.removeValue(forKey: ONNXModel.preprocessingKey) else {
            return (metadata, nil)
        }
        do {
            let value = try JSONDecoder().decode(Preprocessing.self, from: Data(json.utf8))
            return (metadata, value)
        } catch {
            throw ModelFileError(
                code: .invalidGraph,
                message: "its metadata '\(ONNXModel.preprocessingKey)' is not what it should be: "
                    + printable(String(describing: error)), path: model.path)
        }
    }

    // MARK: Nodes

    /// The nodes that compute what `reader` does.
    private mutating func nodes(of reader: NodeReader) throws -> [Node] {
        do {
            guard !reader.inputs.contains(where: { unreadable.contains($0) }) else {
                throw NotComputed()
            }
            if functions.contains("\(reader.domain):\(reader.type)") { throw NotComputed() }
            switch reader.domain {
            case "": return try standardNodes(of: reader)
            case "com.microsoft" where reader.type == "Gelu":
                return [try reader.node(.unary(.gelu(approximately: false)))]
            default: throw NotComputed()
            }
        } catch is NotComputed {
            let inputs = try reader.inputs.map { name in
                _ = try constant(name)
                return unreadable.contains(name) ? "" : name
            }
            return [Node(reader.name, reader.foreign, inputs: inputs, outputs: reader.outputs)]
        }
    }

    /// Notes that a value is the same as another.
    mutating func alias(_ name: String, of other: String) {
        aliases[name] = aliases[other] ?? other
    }

    /// A name for a value that the file does not have, made from one that it has.
    mutating func newName(_ base: String, _ suffix: String) -> String {
        var name = "\(base)/\(suffix)"
        while !names.insert(name).inserted { name += "_" }
        return name
    }

    /// Adds a constant that the file does not have.
    mutating func newConstant(_ tensor: Tensor, _ base: String, _ suffix: String) -> String {
        let name = newName(base, suffix)
        constants[name] = tensor
        return name
    }

    // MARK: Constants

    /// The shape of a constant, packed or not, that may have been cast.
    mutating func shape(ofWeight name: String) throws -> [Int]? {
        var name: String? = name
        while let current = name {
            if let tensor = try constant(current) { return tensor.shape }
            if let entry = packed.entries[aliases[current] ?? current] {
                return entry.parameter.shape
            }
            name = castSources[current]
        }
        return nil
    }

    /// The value of a name where it is an initializer or the output of a `Constant` node.
    mutating func constant(_ name: String, followingAliases: Bool = true) throws -> Tensor? {
        let name = followingAliases ? aliases[name] ?? name : name
        if let known = constants[name] { return known }
        guard !unreadable.contains(name) else { return nil }
        let tensor: Tensor
        do {
            if let index = initializers[name] {
                tensor = try model.tensor(graph.initializer[index])
            } else if let node = constantNodes[name] {
                guard let value = try model.value(ofConstant: node) else {
                    unreadable.insert(name)
                    return nil
                }
                tensor = value
            } else {
                return nil
            }
        } catch let error as ModelFileError where error.code == .unknownElementType {
            unreadable.insert(name)
            return nil
        }
        constants[name] = tensor
        return tensor
    }
}

extension ONNXModel {
    /// The value of a `Constant` node; nil when it is text or sparse.
    func value(ofConstant node: NodeReader) throws -> Tensor? {
        guard let attribute = node.proto.attribute.first(where: { $0.name.hasPrefix("value") })
        else {
            if node.attribute("sparse_value") != nil { return nil }
            throw node.invalid("it has no value")
        }
        switch attribute.name {
        case "value":
            guard attribute.hasT else { throw node.invalid("its value is no tensor") }
            return try tensor(attribute.t)
        case "value_float": return Tensor(shape: [], [attribute.f])
        case "value_floats": return Tensor(shape: [attribute.floats.count], attribute.floats)
        case "value_int": return Tensor(shape: [], integers: [attribute.i])
        case "value_ints":
            return Tensor(shape: [attribute.ints.count], integers: attribute.ints)
        default: return nil
        }
    }
}

extension ONNXElement {
    /// What a value of this type is in a network.
    var scalarType: ScalarType {
        switch self {
        case .float, .float16, .bfloat16, .double: .float32
        case .bool: .bool
        case .uint8: .uint8
        case .int8: .int8
        case .int16, .uint16, .int32: .int32
        case .int64, .uint32, .uint64: .int64
        }
    }
}

extension ModelFileError.Code {
    /// The operator set of a graph is older or newer than this reader knows.
    public static let unsupportedOpset = Self(rawValue: "unsupported-opset")
    /// A graph contradicts itself: cycles, values used that nothing gives, or given twice.
    public static let invalidGraph = Self(rawValue: "invalid-graph")
}
