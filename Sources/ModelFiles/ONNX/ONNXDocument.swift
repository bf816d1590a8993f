internal import DenseMath
import Foundation
public import Networks
internal import ONNXSchema
public import PowerOfTwo

/// An ONNX model and its initializers, some of them in SmartDeal form.
public struct ONNXDocument: Sendable {
    /// The model, external data inside.
    public let model: ONNXModel
    /// The initializers of the model, those of packed weights as what they stand for.
    let tensors: [ModelDocument.Tensor]
    /// The size of the file and of the external data that it uses, in bytes.
    let byteCount: Int
    /// The file and those of its external data.
    let fileNames: [String]
    private let packed: PackedSubgraphs

    init(path: String, readsOperators: Bool) throws {
        let file = try MappedFile(path: path)
        let read = try ONNXModel(mapped: file).liftingConstantWeights()
        model = try read.embeddingExternalData()
        packed = try PackedSubgraphs(reading: model.proto, path: path)
        let uses = readsOperators ? try model.weightUses() : [:]

        var owners: [Int: PackedSubgraphs.Entry] = [:]
        for entry in packed.entries.values { owners[entry.initializers[0]] = entry }
        let inputs = Set(read.proto.graph.input.map(\.name))
        var tensors: [ModelDocument.Tensor] = []
        var byteCount = file.byteCount
        var fileNames = [WritablePlace.name(of: path)]
        for (index, proto) in read.proto.graph.initializer.enumerated() {
            if let entry = owners[index] {
                let shape = entry.parameter.shape
                var tensor = ModelDocument.Tensor(
                    name: entry.name, elementType: entry.elementType,
                    typeName: entry.elementType.rawValue, shape: shape, isPacked: true,
                    byteCount: entry.byteCount,
                    denseByteCount: shape.reduce(1, *) * entry.elementType.bitCount / 8,
                    index: index)
                tensor.use = uses[entry.name]
                tensors.append(tensor)
            }
            if packed.hiddenInitializers.contains(index) { continue }
            let type = ONNXElement(rawValue: proto.dataType)
            let size = try type == nil ? proto.rawData.count : read.checkedByteCount(of: proto)
            if proto.dataLocation == .external {
                let data = try ExternalData(proto, path: path)
                byteCount += size
                if !fileNames.contains(data.location) { fileNames.append(data.location) }
            }
            var tensor = ModelDocument.Tensor(
                name: proto.name, elementType: type?.elementType,
                typeName: type?.elementType.rawValue ?? proto.typeName,
                shape: proto.dims.map { Int($0) }, isPacked: false, byteCount: size,
                denseByteCount: size, index: index)
            tensor.use = uses[proto.name]
            if inputs.contains(proto.name) {
                tensor.obstacle = "an input of the model can replace it"
            } else if tensor.use == nil {
                tensor.obstacle =
                    tensor.shape.count < 2
                    ? "bias or statistics" : "no weight of a Conv, Gemm, MatMul or Gather"
            }
            tensors.append(tensor)
        }
        self.tensors = tensors
        self.byteCount = byteCount
        self.fileNames = fileNames
    }

    var metadata: [String: String] {
        Dictionary(
            model.proto.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { a, _ in a })
    }

    /// Calls `body` with the bytes of an initializer, as raw data has them.
    func withBytes<R>(of index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let proto = model.proto.graph.initializer[index]
        return try proto.hasRawData
            ? proto.rawData.withUnsafeBytes(body) : proto.typedBytes.withUnsafeBytes(body)
    }

    func parameter(of name: String) -> CompressedParameter {
        guard let entry = packed.entries[name] else {
            preconditionFailure("'\(name)' is not packed")
        }
        return entry.parameter
    }
}

// MARK: - Writing

extension ONNXDocument {
    /// The model with some of its initializers packed; every other node, initializer and entry stays
    /// as it is, but for external data, which moves into the file, and the ranges of values, which
    /// other weights change.
    ///
    /// - Parameters:
    ///   - metadata: put into the file beside the model's own.
    ///   - path: where it is to be written, for errors.
    /// - Throws: ``ModelFileError``.
    public func packing(
        _ weights: [String: (weight: SmartDealWeight, type: ElementType)],
        metadata: [String: String], path: String
    ) throws -> ONNXModel {
        var result = try weights.isEmpty ? model : model.storing(nil)
        let order = tensors.compactMap { tensor in
            weights[tensor.name].map { weight in
                PackedSubgraphs.Weight(
                    name: tensor.name,
                    parameter: CompressedParameter(
                        weight.weight, isTransposed: tensor.use?.isTransposed == true),
                    elementType: weight.type)
            }
        }
        try PackedSubgraphs.add(order, to: &result.proto, path: path)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            result.proto.metadataProps.append(Onnx_StringStringEntryProto(key: key, value: value))
        }
        return result
    }

    /// Writes the model with its packed weights as dense initializers in their old places.
    ///
    /// - Parameters:
    ///   - metadata: keys of the metadata that are left out.
    ///   - rebuild: the bytes of a packed weight.
    /// - Returns: the size of the file in bytes.
    /// - Throws: ``ModelFileError``, and what `rebuild` throws.
    public func write(
        omitting metadata: Set<String>, to path: String,
        rebuild: (_ name: String, CompressedParameter, ElementType) throws -> [UInt8]
    ) throws -> Int {
        var result = model
        let graph = result.proto.graph
        var owners: [Int: PackedSubgraphs.Entry] = [:]
        for entry in packed.entries.values { owners[entry.initializers[0]] = entry }
        var initializers: [Onnx_TensorProto] = []
        for (index, tensor) in graph.initializer.enumerated() {
            if let entry = owners[index], let type = entry.elementType.onnx {
                var dense = Onnx_TensorProto.raw(
                    entry.name, type, entry.parameter.shape,
                    try rebuild(entry.name, entry.parameter, entry.elementType))
                if tensor.hasDocString { dense.docString = tensor.docString }
                initializers.append(dense)
            }
            if !packed.hiddenInitializers.contains(index) { initializers.append(tensor) }
        }
        result.proto.graph.initializer = initializers
        result.proto.graph.node = graph.node.indices.filter { !packed.hiddenNodes.contains($0) }
            .map { graph.node[$0] }
        result.proto.metadataProps.removeAll {
            metadata.contains($0.key) || PackedSubgraphs.isOwn(metadataKey: $0.key)
        }
        return try result.write(to: path)
    }
}

// MARK: - What operators use

extension ONNXModel {
    /// The weights that operators use, by the names of their initializers.
    fileprivate func weightUses() throws -> [String: ModelDocument.Use] {
        let network = try network()
        let groups = Dictionary(
            network.nodes.compactMap { node -> (String, Int)? in
                guard case .conv(let convolution) = node.operation else { return nil }
                return (node.name, convolution.groups)
            }, uniquingKeysWith: { max($0, $1) })
        var uses: [String: ModelDocument.Use] = [:]
        for site in network.weightSites {
            uses[site.name] = ModelDocument.Use(
                isTransposed: site.isTransposed, isTable: site.isTable,
                isDepthwise: site.shape.count > 2 && site.shape[1] == 1
                    && site.nodes.contains { (groups[$0] ?? 1) > 1 })
        }
        return uses
    }
}

extension ONNXElement {
    /// The same type under the name that safetensors have for it.
    var elementType: ElementType {
        switch self {
        case .float: .f32
        case .uint8: .u8
        case .int8: .i8
        case .uint16: .u16
        case .int16: .i16
        case .int32: .i32
        case .int64: .i64
        case .bool: .bool
        case .float16: .f16
        case .double: .f64
        case .uint32: .u32
        case .uint64: .u64
        case .bfloat16: .bf16
        }
    }
}

extension ElementType {
    /// The same type in ONNX; nil for what is no weight type.
    fileprivate var onnx: Onnx_TensorProto.DataType? {
        switch self {
        case .f32: .float
        case .f16: .float16
        case .bf16: .bfloat16
        default: nil
        }
    }
}

extension Onnx_TensorProto {
    /// The element type for people, when it is none that can be read.
    fileprivate var typeName: String {
        DataType(rawValue: Int(dataType)).map { "\($0)".uppercased() } ?? "type \(dataType)"
    }

    /// The elements of the typed fields, as raw data would have them.
    fileprivate var typedBytes: [UInt8] {
        func bytes<I: FixedWidthInteger>(_ values: [I]) -> [UInt8] {
            values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        }
        if !floatData.isEmpty { return WeightConversion.bytes(from: floatData, as: .f32) }
        switch ONNXElement(rawValue: dataType) {
        case .float16, .bfloat16, .int16, .uint16:
            return bytes(int32Data.map { UInt16(truncatingIfNeeded: $0) })
        case .int8, .uint8, .bool: return int32Data.map { UInt8(truncatingIfNeeded: $0) }
        case .int32: return bytes(int32Data)
        case .int64: return bytes(int64Data)
        case .double: return bytes(doubleData.map(\.bitPattern))
        case .uint32: return bytes(uint64Data.map { UInt32(truncatingIfNeeded: $0) })
        case .uint64: return bytes(uint64Data)
        default: return Array(stringData.joined())
        }
    }
}

extension Onnx_StringStringEntryProto {
    init(key: String, value: String) {
        self.init()
        self.key = key
        self.value = value
    }
}
