/// The tensors of a model in safetensors form: one file, or several listed by an index.
///
/// What a file is, its content decides, not its name. An index is the JSON object
/// `{"weight_map": {tensor: file}, ...}`, as `model.safetensors.index.json` has it. Its files must
/// lie in its own folder or below, and the list must be exact: each tensor is in the file it is
/// said to be in, and in no other, and there are no tensors besides.
///
/// The files are mapped, not read: opening costs the headers only (see `MappedFile`).
public struct Checkpoint: Sendable {
    /// One tensor of the checkpoint.
    public struct Tensor: Sendable, Equatable {
        /// The name, unique in the checkpoint.
        public let name: String
        /// The type of the elements.
        public let elementType: ElementType
        /// The dimensions, outermost first; empty for a single number.
        public let shape: [Int]
        /// Which of `fileNames` holds the tensor.
        public let fileIndex: Int
        /// Where its bytes are, counted from the start of that file.
        public let fileRange: Range<Int>

        /// The bytes the tensor takes in its file.
        public var byteCount: Int { fileRange.count }

        /// The number of elements, the product of the shape; 1 for rank 0.
        public var elementCount: Int { shape.reduce(1, &*) }
    }

    /// The file that was opened, as the caller named it.
    public let path: String
    /// All tensors: file by file, in the order of their bytes.
    public let tensors: [Tensor]
    /// The metadata of all files; where they differ on a key, the first file's value.
    public let metadata: [String: String]
    /// The sizes of the files with tensors added up, in bytes; the index is not counted.
    public let byteCount: Int
    /// The files with tensors: the name of the one file, or the names in the index, sorted.
    public let fileNames: [String]
    /// 16 hexadecimal digits that change when a header or the size of a file changes.
    ///
    /// FNV-1a of the headers and sizes: names, types and shapes, but not the values of weights.
    public let fingerprint: String

    private let files: [MappedFile]

    /// Opens a safetensors file or an index of several.
    ///
    /// - Throws: `ModelFileError`: when a file cannot be read, is of another format or breaks a
    ///   rule of the format, or when the index and its files disagree.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        let format = file.withBytes { ModelFormat(of: $0) }
        switch format {
        case .safetensors:
            let name = WritablePlace.name(of: path)
            try self.init(path: path, files: [file], names: [name], weightMap: nil)
        case .json:
            let weightMap = try file.withBytes { try Self.weightMap(of: $0, path: path) }
            let names = Set(weightMap.values).sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
            let files = try names.map { try Self.shard($0, index: path) }
            try self.init(path: path, files: files, names: names, weightMap: weightMap)
        case .onnx, .other:
            let guess = format.guess
            throw ModelFileError(
                code: .unknownFormat,
                message: "this is neither a safetensors file nor the index of several"
                    + (guess.map { "; it looks like \($0)" } ?? ""),
                path: path)
        }
    }

    private init(
        path: String, files: [MappedFile], names: [String], weightMap: [String: String]?
    ) throws {
        var tensors: [Tensor] = []
        var metadata: [String: String] = [:]
        var hash = FNV1a()
        var misplaced: (tensor: String, path: String)?
        for (index, file) in files.enumerated() {
            let header = try file.withBytes { bytes in
                let header = try SafetensorsHeader(
                    parsing: bytes, fileSize: bytes.count, path: file.path)
                hash.add(UnsafeRawBufferPointer(rebasing: bytes[..<header.dataOffset]))
                withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.add($0) }
                return header
            }
            for tensor in header.tensors {
                if let weightMap {
                    guard let listed = weightMap[tensor.name] else {
                        throw ModelFileError(
                            code: .unlistedTensor, message: "the index does not list it",
                            path: file.path, tensor: tensor.name)
                    }
                    guard listed == names[index] else {
                        misplaced = misplaced ?? (tensor.name, file.path)
                        continue
                    }
                }
                let start = header.dataOffset + tensor.range.lowerBound
                tensors.append(
                    Tensor(
                        name: tensor.name, elementType: tensor.elementType, shape: tensor.shape,
                        fileIndex: index, fileRange: start..<start + tensor.byteCount))
            }
            metadata.merge(header.metadata) { first, _ in first }
            // Tensors are worked on one after the other, so reading ahead pays.
            file.adviseSequential()
        }
        if let weightMap {
            let found = Set(tensors.map(\.name))
            if let absent = weightMap.keys.filter({ !found.contains($0) }).min() {
                throw ModelFileError(
                    code: .missingTensor,
                    message: "the index says it is in '\(printable(weightMap[absent] ?? ""))', "
                        + "which does not hold it",
                    path: path, tensor: absent)
            }
            if let misplaced {
                throw ModelFileError(
                    code: .duplicateName,
                    message: "it is in this file and, as the index says, in "
                        + "'\(printable(weightMap[misplaced.tensor] ?? ""))'",
                    path: misplaced.path, tensor: misplaced.tensor)
            }
        }
        self.path = path
        self.tensors = tensors
        self.metadata = metadata
        self.byteCount = files.reduce(0) { $0 + $1.byteCount }
        self.fileNames = names
        self.fingerprint = hash.hexadecimal
        self.files = files
    }

    /// Calls `body` with a tensor's bytes, which may lie at any alignment; the pointer must not
    /// leave it.
    public func withBytes<R>(
        of tensor: Tensor, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        try files[tensor.fileIndex].withBytes(in: tensor.fileRange, body)
    }

    /// Gives the memory of a tensor's bytes back to the system; they can be read again.
    public func releasePages(of tensor: Tensor) {
        files[tensor.fileIndex].release(tensor.fileRange)
    }
}

// MARK: - The index

extension Checkpoint {
    private static func weightMap(
        of bytes: UnsafeRawBufferPointer, path: String
    ) throws -> [String: String] {
        guard bytes.count <= SafetensorsHeader.maximumLength else {
            throw ModelFileError(
                code: .invalidIndex,
                message: "the index has \(bytes.count) bytes, "
                    + "at most \(SafetensorsHeader.maximumLength) are read",
                path: path)
        }
        if let offset = invalidUTF8Offset(in: bytes) {
            throw ModelFileError(
                code: .invalidUTF8, message: "byte \(offset) of the index is not UTF-8", path: path)
        }
        var map: [String: String]?
        var scanner = JSONScanner(bytes, document: "index", code: .invalidIndex, path: path)
        try scanner.object { scanner, key in
            guard key == "weight_map" else { return try scanner.skipValue() }
            var entries: [String: String] = [:]
            try scanner.object { scanner, name in
                scanner.tensor = name
                entries[name] = try scanner.string()
                scanner.tensor = nil
            }
            map = entries
        }
        try scanner.end()
        guard let map else {
            throw ModelFileError(
                code: .invalidIndex, message: "this JSON object has no 'weight_map'", path: path)
        }
        guard !map.isEmpty else {
            throw ModelFileError(
                code: .invalidIndex, message: "'weight_map' lists no tensors", path: path)
        }
        return map
    }

    /// Maps a file named by the index, once the name is known to stay in the index's folder.
    private static func shard(_ name: String, index: String) throws -> MappedFile {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isInside = parts.allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
        guard isInside, !name.utf8.contains(0) else {
            throw ModelFileError(
                code: .unsafeShardPath,
                message: "file '\(printable(name))' is not a plain path below the index's folder",
                path: index)
        }
        return try MappedFile(path: WritablePlace.folder(of: index) + "/" + name)
    }
}

/// The FNV-1a hash of bytes, 64 bits wide.
private struct FNV1a {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }

    var hexadecimal: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
