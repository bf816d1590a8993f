/// The header of a safetensors file: which tensors it holds, and where.
///
/// ```
/// 8 bytes   N, little-endian
/// N bytes   JSON: {"__metadata__": {key: text}, name: {"dtype", "shape", "data_offsets"}, ...}
/// the rest  the tensors' bytes, back to back, row-major, little-endian
/// ```
///
/// Reading makes every check of the reference reader, and three of its own: no name occurs twice
/// (names that are equal as Unicode text, such as two spellings of "é", count as one), no tensor
/// has more than `maximumRank` dimensions, and no header lists more than `maximumTensorCount`
/// tensors.
///
/// Source: `SafeTensors::read_metadata` and `Metadata::validate` of safetensors/src/tensor.rs.
public struct SafetensorsHeader: Sendable {
    /// One tensor of the file.
    public struct Tensor: Sendable, Equatable {
        /// The name, unique in the file.
        public let name: String
        /// The type of the elements.
        public let elementType: ElementType
        /// The dimensions, outermost first; empty for a single number.
        public let shape: [Int]
        /// Where the bytes are, counted from the start of the data, which follows the header.
        public let range: Range<Int>

        /// Describes a tensor; whether it fits in a file is checked by `SafetensorsHeader`.
        public init(name: String, elementType: ElementType, shape: [Int], range: Range<Int>) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
            self.range = range
        }

        /// The bytes the tensor takes in the file.
        public var byteCount: Int { range.count }

        /// The number of elements, the product of the shape; 1 for rank 0.
        public var elementCount: Int { shape.reduce(1, &*) }
    }

    /// The largest header the format allows, in bytes.
    public static let maximumLength = 100_000_000
    /// The most tensors read from one file.
    public static let maximumTensorCount = 1_000_000
    /// The most dimensions a tensor may have, that of NumPy and PyTorch.
    public static let maximumRank = 64

    /// The tensors, in the order of their bytes in the file.
    public let tensors: [Tensor]
    /// The free text entries of `__metadata__`.
    public let metadata: [String: String]
    /// Where the data starts in the file: 8 plus the length of the JSON, in bytes.
    public let dataOffset: Int

    /// Reads and checks the header of a file.
    ///
    /// - Parameters:
    ///   - bytes: The file from its first byte, at least to the end of the header.
    ///   - fileSize: The size of the whole file in bytes.
    ///   - path: The file's name for error messages.
    /// - Throws: `ModelFileError`, for the first rule that is broken, in the order of the format's
    ///   reference reader.
    public init(parsing bytes: UnsafeRawBufferPointer, fileSize: Int, path: String) throws {
        let json = try Self.json(of: bytes, fileSize: fileSize, path: path)
        if let offset = invalidUTF8Offset(in: json) {
            throw ModelFileError(
                code: .invalidUTF8, message: "byte \(offset) of the header is not UTF-8", path: path
            )
        }
        let (entries, metadata) = try Self.entries(of: json, path: path)
        self.tensors = try Self.arrange(entries, path: path)
        self.metadata = metadata
        self.dataOffset = 8 + json.count
        try checkSize(of: fileSize, path: path)
    }

    /// Makes the header of a file to be written.
    ///
    /// - Throws: `ModelFileError` if the tensors could not be read back: a name twice, a range
    ///   that is not of the size of its shape, a hole, an overlap, or a header over the limit.
    public init(tensors: [Tensor], metadata: [String: String]) throws {
        guard tensors.count <= Self.maximumTensorCount else {
            throw ModelFileError(
                code: .headerTooLarge,
                message: "\(tensors.count) tensors, at most \(Self.maximumTensorCount) are read")
        }
        var names: Set<String> = ["__metadata__"]
        for tensor in tensors where !names.insert(tensor.name).inserted {
            throw ModelFileError(
                code: .duplicateName, message: "the name is taken", tensor: tensor.name)
        }
        self.tensors = try Self.arrange(
            tensors.map {
                Entry(
                    name: $0.name, elementType: $0.elementType, shape: $0.shape,
                    begin: $0.range.lowerBound, end: $0.range.upperBound)
            }, path: nil)
        self.metadata = metadata
        self.dataOffset = try Self.encode(self.tensors, metadata).count
    }

    /// The header's bytes as this package writes them: length and JSON, padded with spaces to a
    /// multiple of 8, tensors in the order of their bytes, metadata sorted by key.
    ///
    /// - Throws: `ModelFileError.Code.headerTooLarge` over 100 MB, which no reader accepts.
    public func encoded() throws -> [UInt8] {
        try Self.encode(tensors, metadata)
    }

    /// The bytes of a tensor of this shape and type.
    ///
    /// The check depends on the order of the dimensions, as the reference reader's does: the
    /// product is taken from the left, so `[0, huge, huge]` is empty, and `[huge, huge, 0]` is
    /// an error.
    ///
    /// - Throws: `shapeOverflow`, also for a rank that would not be read; `misalignedTensor`.
    static func byteCount(
        of elementType: ElementType, shape: [Int], path: String?, tensor: String
    ) throws -> Int {
        guard shape.count <= maximumRank else {
            throw ModelFileError(
                code: .shapeOverflow,
                message: "\(shape.count) dimensions, at most \(maximumRank) are read",
                path: path, tensor: tensor)
        }
        var bits: UInt = 1
        for factor in shape + [elementType.bitCount] {
            let (product, overflow) = bits.multipliedReportingOverflow(by: UInt(factor))
            guard !overflow else {
                throw ModelFileError(
                    code: .shapeOverflow,
                    message: "\(elementType.rawValue) of shape \(shape) is over 2^64 bits",
                    path: path, tensor: tensor)
            }
            bits = product
        }
        guard bits % 8 == 0 else {
            throw ModelFileError(
                code: .misalignedTensor,
                message: "\(elementType.rawValue) of shape \(shape) is \(bits) bits, "
                    + "which is not a whole number of bytes",
                path: path, tensor: tensor)
        }
        return Int(bits / 8)
    }

    /// What an entry of the header says, before any check.
    private struct Entry {
        let name: String
        let elementType: ElementType
        let shape: [Int]
        let begin: Int
        let end: Int
    }
}

// MARK: - Reading

extension SafetensorsHeader {
    /// The JSON part of the file, once its length is known to be possible.
    private static func json(
        of bytes: UnsafeRawBufferPointer, fileSize: Int, path: String
    ) throws -> UnsafeRawBufferPointer {
        guard fileSize >= 8, bytes.count >= 8 else {
            throw ModelFileError(
                code: .headerTooSmall,
                message: "the file has \(min(fileSize, bytes.count)) bytes, a safetensors file "
                    + "begins with 8 bytes that hold the length of its header",
                path: path)
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(maximumLength) else {
            throw ModelFileError(
                code: .headerTooLarge,
                message: "the header's length is \(length) bytes, the format allows "
                    + "\(maximumLength)",
                path: path)
        }
        let end = 8 + Int(length)
        guard end <= fileSize, end <= bytes.count else {
            let size = min(fileSize, bytes.count)
            throw ModelFileError(
                code: .invalidHeaderLength,
                message: "file is \(end - size) bytes short: the header alone takes 8 + \(length) "
                    + "bytes, the file has \(size)",
                path: path)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[8..<end])
    }

    private static func entries(
        of json: UnsafeRawBufferPointer, path: String
    ) throws -> (entries: [Entry], metadata: [String: String]) {
        var entries: [Entry] = []
        var metadata: [String: String] = [:]
        var scanner = JSONScanner(json, document: "header", code: .invalidHeader, path: path)
        try scanner.object { scanner, name in
            if name == "__metadata__" {
                try scanner.object { scanner, key in metadata[key] = try scanner.string() }
                return
            }
            guard entries.count < maximumTensorCount else {
                throw ModelFileError(
                    code: .headerTooLarge,
                    message: "the header lists more than \(maximumTensorCount) tensors", path: path)
            }
            scanner.tensor = name
            entries.append(try entry(name: name, &scanner))
            scanner.tensor = nil
        }
        try scanner.end()
        return (entries, metadata)
    }

    /// Reads one entry; keys that the format does not know are skipped, as the reference does.
    private static func entry(name: String, _ scanner: inout JSONScanner) throws -> Entry {
        var elementType: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { scanner, key in
            switch key {
            case "dtype":
                let text = try scanner.string()
                guard let known = ElementType(rawValue: text) else {
                    throw scanner.error(
                        "dtype '\(printable(text))' is not one of "
                            + ElementType.allCases.map(\.rawValue).joined(separator: ", "),
                        code: .unknownElementType)
                }
                elementType = known
            case "shape":
                shape = try integers(&scanner, atMost: maximumRank, "dimensions")
            case "data_offsets":
                offsets = try integers(&scanner, atMost: 2, "data_offsets")
            default:
                try scanner.skipValue()
            }
        }
        guard let elementType, let shape, let offsets else {
            let absent = [
                elementType == nil ? "dtype" : nil, shape == nil ? "shape" : nil,
                offsets == nil ? "data_offsets" : nil,
            ].compactMap(\.self)
            throw scanner.error("the entry has no " + absent.joined(separator: " and no "))
        }
        guard offsets.count == 2 else {
            throw scanner.error("data_offsets has \(offsets.count) numbers, it must have 2")
        }
        return Entry(
            name: name, elementType: elementType, shape: shape, begin: offsets[0], end: offsets[1])
    }

    private static func integers(
        _ scanner: inout JSONScanner, atMost limit: Int, _ what: String
    ) throws -> [Int] {
        var values: [Int] = []
        try scanner.array { scanner in
            guard values.count < limit else {
                throw scanner.error("more than \(limit) \(what)")
            }
            values.append(try scanner.unsignedInteger())
        }
        return values
    }

    /// The entries in the order of their bytes, once they are known to tile the data.
    private static func arrange(_ entries: [Entry], path: String?) throws -> [Tensor] {
        // The index makes the order of empty tensors that share an offset that of the header.
        let order = entries.indices.sorted {
            let (left, right) = (entries[$0], entries[$1])
            return (left.begin, left.end, $0) < (right.begin, right.end, $1)
        }
        var tensors: [Tensor] = []
        tensors.reserveCapacity(entries.count)
        var position = 0
        for entry in order.map({ entries[$0] }) {
            guard entry.begin == position, entry.end >= entry.begin else {
                throw ModelFileError(
                    code: .invalidOffset,
                    message: offsetMessage(of: entry, after: tensors.last, at: position),
                    path: path, tensor: entry.name)
            }
            guard entry.shape.allSatisfy({ $0 >= 0 }) else {
                throw ModelFileError(
                    code: .wrongTensorSize,
                    message: "shape \(entry.shape) has a negative dimension",
                    path: path, tensor: entry.name)
            }
            let size = try byteCount(
                of: entry.elementType, shape: entry.shape, path: path, tensor: entry.name)
            guard entry.end - entry.begin == size else {
                throw ModelFileError(
                    code: .wrongTensorSize,
                    message: "\(entry.elementType.rawValue) of shape \(entry.shape) takes \(size) "
                        + "bytes, data_offsets [\(entry.begin), \(entry.end)] give it "
                        + "\(entry.end - entry.begin)",
                    path: path, tensor: entry.name)
            }
            tensors.append(
                Tensor(
                    name: entry.name, elementType: entry.elementType, shape: entry.shape,
                    range: entry.begin..<entry.end))
            position = entry.end
        }
        return tensors
    }

    private static func offsetMessage(
        of entry: Entry, after last: Tensor?, at position: Int
    ) -> String {
        let offsets = "data_offsets [\(entry.begin), \(entry.end)]"
        if entry.end < entry.begin { return "\(offsets) end before they begin" }
        guard let last else { return "\(offsets) belong to the first tensor, which begins at 0" }
        let fault =
            entry.begin < position
            ? "overlap \(position - entry.begin) bytes of" : "leave a hole after"
        return "\(offsets) \(fault) tensor '\(printable(last.name))', which ends at \(position)"
    }

    private func checkSize(of fileSize: Int, path: String) throws {
        let dataSize = tensors.last?.range.upperBound ?? 0
        // Both terms are below 2^63, so the sum cannot overflow.
        let promised = UInt(dataOffset) + UInt(dataSize)
        guard promised != UInt(fileSize) else { return }
        let fault =
            promised > UInt(fileSize)
            ? "\(promised - UInt(fileSize)) bytes short"
            : "\(UInt(fileSize) - promised) bytes too long"
        throw ModelFileError(
            code: .wrongFileSize,
            message: "file is \(fault): the header promises 8 + \(dataOffset - 8) + \(dataSize) = "
                + "\(promised) bytes, the file has \(fileSize)",
            path: path)
    }
}

// MARK: - Writing

extension SafetensorsHeader {
    /// The same bytes as the reference writer gives for the same tensors in the same order.
    private static func encode(
        _ tensors: [Tensor], _ metadata: [String: String]
    ) throws -> [UInt8] {
        var json = [UInt8](repeating: 0, count: 8)
        json.reserveCapacity(1024 + 128 * tensors.count)
        json.append(UInt8(ascii: "{"))
        var separator = ""
        if !metadata.isEmpty {
            json.append(contentsOf: "\"__metadata__\":{".utf8)
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (key, value) in pairs {
                json.append(contentsOf: separator.utf8)
                appendString(key, to: &json)
                json.append(UInt8(ascii: ":"))
                appendString(value, to: &json)
                separator = ","
            }
            json.append(UInt8(ascii: "}"))
        }
        for tensor in tensors {
            json.append(contentsOf: separator.utf8)
            appendString(tensor.name, to: &json)
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let offsets = "\(tensor.range.lowerBound),\(tensor.range.upperBound)"
            json.append(
                contentsOf: """
                    :{"dtype":"\(tensor.elementType.rawValue)","shape":[\(shape)],\
                    "data_offsets":[\(offsets)]}
                    """.utf8)
            separator = ","
        }
        json.append(UInt8(ascii: "}"))
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        let length = json.count - 8
        guard length <= maximumLength else {
            throw ModelFileError(
                code: .headerTooLarge,
                message: "the header would take \(length) bytes, the format allows "
                    + "\(maximumLength)")
        }
        for index in 0..<8 { json[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
        return json
    }

    private static func appendString(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        defer { json.append(UInt8(ascii: "\"")) }
        let mustEscape = text.utf8.contains {
            $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\")
        }
        guard mustEscape else { return json.append(contentsOf: text.utf8) }
        let digits = Array("0123456789abcdef".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                json.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: json.append(contentsOf: "\\b".utf8)
            case 0x0C: json.append(contentsOf: "\\f".utf8)
            case 0x0A: json.append(contentsOf: "\\n".utf8)
            case 0x0D: json.append(contentsOf: "\\r".utf8)
            case 0x09: json.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                json.append(contentsOf: "\\u00".utf8)
                json.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: json.append(byte)
            }
        }
    }
}
