package import DenseMath
import Foundation
package import ONNXSchema

/// The type of a tensor's elements: `TensorProto.DataType`, as far as they are numbers of at least
/// one byte that a ``Tensor`` can hold.
enum ONNXElement: Int32 {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case double = 11
    case uint32 = 12
    case uint64 = 13
    case bfloat16 = 16

    var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .float, .int32, .uint32: 4
        case .int64, .double, .uint64: 8
        }
    }

    /// What holds them in memory.
    var kind: Tensor.Kind {
        switch self {
        case .float, .float16, .bfloat16, .double: .float32
        default: .int64
        }
    }
}

extension ONNXModel {
    /// The elements of an initializer or of a tensor attribute, whose data may be in another file.
    ///
    /// Float16, bfloat16 and double become float32; all integers and booleans 64-bit integers.
    ///
    /// - Throws: ``ModelFileError``: `.unknownElementType`, `.shapeOverflow`, `.wrongTensorSize`,
    ///   `.elementOverflow` and those of external data.
    package func tensor(_ proto: Onnx_TensorProto) throws -> Tensor {
        let layout = try TensorLayout(proto, path: path)
        if proto.dataLocation == .external || proto.hasRawData {
            return try withRawBytes(of: proto, layout.decoded)
        }
        return try layout.typedElements(of: proto)
    }

    /// Calls `body` with the bytes of a tensor that has them raw or in another file.
    func withRawBytes<R>(
        of proto: Onnx_TensorProto, _ body: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        let layout = try TensorLayout(proto, path: path)
        if proto.dataLocation == .external {
            return try ExternalData(proto, path: path).withBytes(
                byteCount: layout.byteCount, of: proto.name, in: folder, path: path, body)
        }
        try layout.require(proto.rawData.count, of: layout.byteCount, unit: "bytes")
        return try proto.rawData.withUnsafeBytes(body)
    }
}

extension ONNXModel {
    /// The bytes that the elements of an initializer take.
    ///
    /// - Throws: as ``tensor(_:)`` when there are more or fewer elements than its shape says.
    func checkedByteCount(of proto: Onnx_TensorProto) throws -> Int {
        let layout = try TensorLayout(proto, path: path)
        if proto.dataLocation == .external || proto.hasRawData {
            try withRawBytes(of: proto) { _ in }
        } else {
            _ = try layout.typedElements(of: proto)
        }
        return layout.byteCount
    }
}

/// A tensor's element type and shape, checked: what its data must be.
private struct TensorLayout {
    let name: String
    let path: String
    let element: ONNXElement
    let shape: [Int]
    let count: Int

    var byteCount: Int { count * element.byteCount }

    init(_ proto: Onnx_TensorProto, path: String) throws {
        func refusal(_ code: ModelFileError.Code, _ message: String) -> ModelFileError {
            ModelFileError(code: code, message: message, path: path, tensor: proto.name)
        }
        guard let element = ONNXElement(rawValue: proto.dataType) else {
            let known = Onnx_TensorProto.DataType(rawValue: Int(proto.dataType))
            throw refusal(
                .unknownElementType,
                "its elements are \(known.map { "\($0)" } ?? "type \(proto.dataType)"), which "
                    + "cannot be read as numbers")
        }
        guard !proto.hasSegment else {
            throw refusal(.invalidONNX, "it is given in segments, which this reader does not know")
        }
        guard proto.dims.count <= 64 else {
            throw refusal(.shapeOverflow, "it has \(proto.dims.count) dimensions, at most are 64")
        }
        // Dimensions of 0 make everything empty, but the others must be sensible all the same.
        var bound = 8
        var isEmpty = false
        for dimension in proto.dims {
            let (product, overflow) = bound.multipliedReportingOverflow(
                by: max(1, Int(dimension)))
            guard dimension >= 0, !overflow else {
                throw refusal(.shapeOverflow, "its shape is \(proto.dims)")
            }
            isEmpty = isEmpty || dimension == 0
            bound = product
        }
        name = proto.name
        self.path = path
        self.element = element
        shape = proto.dims.map { Int($0) }
        count = isEmpty ? 0 : bound / 8
    }

    /// Throws unless there is as much data as the shape and the type need.
    func require(_ found: Int, of expected: Int, unit: String) throws {
        guard found == expected else {
            throw ModelFileError(
                code: .wrongTensorSize,
                message: "it has \(found) \(unit) of data, its shape \(shape) of \(element) needs "
                    + "\(expected)", path: path, tensor: name)
        }
    }

    /// The elements from their little-endian bytes.
    func decoded(_ bytes: UnsafeRawBufferPointer) throws -> Tensor {
        switch element {
        case .float:
            #if _endian(little)
                Tensor(.float32, uninitialized: shape) { $0.copyMemory(from: bytes) }
            #else
                Tensor(shape: shape, WeightConversion.floats(from: bytes, as: .f32))
            #endif
        case .float16: Tensor(shape: shape, WeightConversion.floats(from: bytes, as: .f16))
        case .bfloat16: Tensor(shape: shape, WeightConversion.floats(from: bytes, as: .bf16))
        case .double:
            Tensor(
                shape: shape,
                elements(bytes) { (bits: UInt64) in Float(Double(bitPattern: bits)) })
        case .int64:
            Tensor(shape: shape, integers: elements(bytes) { (value: Int64) in value })
        case .uint64:
            try unsigned(elements(bytes) { (value: UInt64) in value })
        case .int32: integers(bytes, Int32.self)
        case .uint32: integers(bytes, UInt32.self)
        case .int16: integers(bytes, Int16.self)
        case .uint16: integers(bytes, UInt16.self)
        case .int8: integers(bytes, Int8.self)
        case .uint8: integers(bytes, UInt8.self)
        case .bool:
            Tensor(
                shape: shape, integers: elements(bytes) { (value: UInt8) in value == 0 ? 0 : 1 })
        }
    }

    /// The elements from the field of their type.
    func typedElements(of proto: Onnx_TensorProto) throws -> Tensor {
        func checked<E>(_ elements: [E]) throws -> [E] {
            try require(elements.count, of: count, unit: "elements")
            return elements
        }
        switch element {
        case .float: return Tensor(shape: shape, try checked(proto.floatData))
        case .double: return Tensor(shape: shape, try checked(proto.doubleData).map { Float($0) })
        case .float16, .bfloat16:
            let halves = try checked(proto.int32Data).map {
                UInt16(truncatingIfNeeded: $0).littleEndian
            }
            return Tensor(
                shape: shape,
                halves.withUnsafeBytes {
                    WeightConversion.floats(from: $0, as: element == .float16 ? .f16 : .bf16)
                })
        case .int64: return Tensor(shape: shape, integers: try checked(proto.int64Data))
        case .uint64, .uint32: return try unsigned(checked(proto.uint64Data))
        case .bool:
            return Tensor(
                shape: shape, integers: try checked(proto.int32Data).map { $0 == 0 ? 0 : 1 })
        case .int32, .int16, .uint16, .int8, .uint8:
            return Tensor(shape: shape, integers: try checked(proto.int32Data).map { Int64($0) })
        }
    }

    private func integers<I: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _: I.Type
    ) -> Tensor {
        Tensor(shape: shape, integers: elements(bytes) { (value: I) in Int64(value) })
    }

    private func unsigned(_ values: [UInt64]) throws -> Tensor {
        if let large = values.first(where: { $0 > UInt64(Int64.max) }) {
            throw ModelFileError(
                code: .elementOverflow, message: "it has the element \(large), over \(Int64.max)",
                path: path, tensor: name)
        }
        return Tensor(shape: shape, integers: values.map { Int64($0) })
    }

    private func elements<I: FixedWidthInteger & BitwiseCopyable, E>(
        _ bytes: UnsafeRawBufferPointer, _ convert: (I) -> E
    ) -> [E] {
        (0..<count).map {
            convert(
                I(
                    littleEndian: bytes.loadUnaligned(
                        fromByteOffset: $0 * MemoryLayout<I>.size, as: I.self)))
        }
    }
}

extension ModelFileError.Code {
    /// An element of a tensor does not fit into a 64-bit integer.
    public static let elementOverflow = Self(rawValue: "element-overflow")
}
