public import DenseMath
public import Networks

/// An array in NumPy's own file format, as `numpy.save` writes it.
///
/// Read are floats of 2, 4 and 8 bytes, signed integers of 1 to 8 bytes, unsigned ones of 1 to 4
/// bytes, and booleans; in either byte order and either order of the dimensions.
public struct NPYFile: Sendable, Equatable {
    /// The elements, row-major: floats as 32-bit floats, all others as integers.
    public let tensor: Tensor
    /// The smallest type of this project that holds the file's elements: `float32` for all floats
    /// (`f8` is rounded), `int32` for `i2` and `u2`, `int64` for `u4`.
    public let elementType: ScalarType

    /// Reads a file.
    ///
    /// - Throws: `ModelFileError`: when the file cannot be read, is of another format or version,
    ///   holds elements of another type, or has not the size that its header asks for.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        (tensor, elementType) = try file.withBytes { bytes in
            let header = try NPYHeader(parsing: bytes, path: path)
            let data = UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...])
            guard header.isBigEndian && header.element.byteCount > 1 else {
                return Self.elements(of: data, header)
            }
            return Self.swapped(data, size: header.element.byteCount).withUnsafeBytes {
                Self.elements(of: $0, header)
            }
        }
    }

    /// Writes a tensor, as `<f4` or `<i8`; the file appears whole or not at all (`AtomicFile`).
    ///
    /// - Throws: `ModelFileError` when the file cannot be written.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let order = Int(1).littleEndian == 1 ? "<" : ">"
        let type = tensor.kind == .float32 ? "f4" : "i8"
        let dimensions =
            tensor.rank == 1
            ? "\(tensor.shape[0]),"
            : tensor.shape.map(String.init).joined(
                separator: ", ")
        var header = Array(
            "{'descr': '\(order)\(type)', 'fortran_order': False, 'shape': (\(dimensions)), }".utf8)
        // Spaces and a line feed bring the data to a multiple of 64 bytes.
        let prefixCount = NPYHeader.magic.count + 4
        header += [UInt8](repeating: 0x20, count: 63 - (prefixCount + header.count) % 64) + [0x0A]
        precondition(header.count <= UInt16.max, "\(tensor.rank) dimensions are too many")
        let length = [UInt8(header.count & 0xFF), UInt8(header.count >> 8)]

        let file = try AtomicFile(target: path)
        try file.write(NPYHeader.magic + [1, 0] + length + header)
        try tensor.withBytes { try file.write($0) }
        try file.commit()
    }

    // MARK: Elements

    /// The tensor of little-endian bytes.
    private static func elements(
        of bytes: UnsafeRawBufferPointer, _ header: NPYHeader
    ) -> (Tensor, ScalarType) {
        func floats(_ values: [Float]) -> (Tensor, ScalarType) {
            (ordered(header) { Tensor(shape: $0, values) }, .float32)
        }
        func integers<Bits: FixedWidthInteger & BitwiseCopyable>(
            _: Bits.Type, _ type: ScalarType
        ) -> (Tensor, ScalarType) {
            let values = map(bytes) { (bits: Bits) in Int64(Bits(littleEndian: bits)) }
            return (ordered(header) { Tensor(shape: $0, integers: values) }, type)
        }
        switch header.element {
        case .f2: return floats(WeightConversion.floats(from: bytes, as: .f16))
        case .f4: return floats(WeightConversion.floats(from: bytes, as: .f32))
        case .f8:
            return floats(
                map(bytes) { (bits: UInt64) in
                    Float(Double(bitPattern: UInt64(littleEndian: bits)))
                })
        case .i1: return integers(Int8.self, .int8)
        case .i2: return integers(Int16.self, .int32)
        case .i4: return integers(Int32.self, .int32)
        case .i8: return integers(Int64.self, .int64)
        case .u1: return integers(UInt8.self, .uint8)
        case .u2: return integers(UInt16.self, .int32)
        case .u4: return integers(UInt32.self, .int64)
        case .bool:
            let values = bytes.map { $0 == 0 ? Int64(0) : 1 }
            return (ordered(header) { Tensor(shape: $0, integers: values) }, .bool)
        }
    }

    @inline(__always)
    private static func map<Bits: BitwiseCopyable, Element>(
        _ bytes: UnsafeRawBufferPointer, _ convert: (Bits) -> Element
    ) -> [Element] {
        let size = MemoryLayout<Bits>.size
        return (0..<bytes.count / size).map {
            convert(bytes.loadUnaligned(fromByteOffset: $0 * size, as: Bits.self))
        }
    }

    private static func swapped(_ bytes: UnsafeRawBufferPointer, size: Int) -> [UInt8] {
        var result = Array(bytes)
        for start in stride(from: 0, to: result.count, by: size) {
            result[start..<start + size].reverse()
        }
        return result
    }

    // MARK: Order of dimensions

    /// The tensor of the header's shape; `make` gets the shape in which the elements lie row-major.
    private static func ordered(_ header: NPYHeader, _ make: ([Int]) -> Tensor) -> Tensor {
        guard header.isFortranOrder && header.shape.count > 1 else { return make(header.shape) }
        return reversingDimensions(of: make(header.shape.reversed()))
    }

    private static func reversingDimensions(of tensor: Tensor) -> Tensor {
        let shape = Array(tensor.shape.reversed())
        let size = tensor.kind.byteCount
        // How far apart in `tensor` neighbours along each dimension of the result are.
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        return Tensor(tensor.kind, uninitialized: shape) { target in
            tensor.withBytes { source in
                var index = [Int](repeating: 0, count: shape.count)
                var offset = 0
                for position in 0..<tensor.count {
                    for byte in 0..<size {
                        target[position * size + byte] = source[offset * size + byte]
                    }
                    var axis = shape.count - 1
                    while axis >= 0 {
                        index[axis] += 1
                        offset += strides[axis]
                        if index[axis] < shape[axis] { break }
                        offset -= strides[axis] * shape[axis]
                        index[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
    }
}
