internal import ONNXSchema

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the bytes of a tensor lie outside the ONNX file: `external_data` of `TensorProto`.
struct ExternalData {
    let location: String
    let offset: Int
    /// Bytes; nil when the file does not say.
    let length: Int?

    /// Reads the entries of a tensor.
    init(_ tensor: Onnx_TensorProto, path: String) throws {
        func refusal(_ message: String) -> ModelFileError {
            ModelFileError(
                code: .invalidExternalData, message: message, path: path, tensor: tensor.name)
        }
        var entries: [String: String] = [:]
        for entry in tensor.externalData { entries[entry.key] = entry.value }
        func number(_ key: String) throws -> Int? {
            guard let text = entries[key] else { return nil }
            guard let value = Int(text), value >= 0 else {
                throw refusal("the \(key) of its data is '\(printable(text))', no number of bytes")
            }
            return value
        }
        guard let location = entries["location"] else {
            throw refusal("it does not say in which file its data is")
        }
        self.location = location
        offset = try number("offset") ?? 0
        length = try number("length")
    }

    /// Calls `body` with the `byteCount` bytes of the tensor.
    ///
    /// - Throws: ``ModelFileError`` `.unsafeDataPath` when the location leaves `folder`, as it is
    ///   written or through a symbolic link, `.wrongFileSize` when the file is too short.
    func withBytes<R>(
        byteCount: Int, of tensor: String, in folder: String, path: String,
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        func refusal(_ code: ModelFileError.Code, _ message: String) -> ModelFileError {
            ModelFileError(code: code, message: message, path: path, tensor: tensor)
        }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(""), !parts.contains(".."), !location.contains("\0") else {
            throw refusal(
                .unsafeDataPath,
                "its data is in '\(printable(location))', which is no path below the model's folder"
            )
        }
        guard length == nil || length == byteCount else {
            throw refusal(
                .wrongTensorSize,
                "its data has \(length ?? 0) bytes, its shape and type need \(byteCount)")
        }
        guard byteCount > 0 else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        guard let root = resolved(folder), let file = resolved(folder + "/" + location) else {
            throw refusal(
                .unreadableFile, "its data is in '\(printable(location))', which cannot be opened")
        }
        guard file.hasPrefix(root == "/" ? root : root + "/") else {
            throw refusal(
                .unsafeDataPath,
                "its data is in '\(printable(location))', a link that leaves the model's folder")
        }
        let mapped = try MappedFile(path: file)
        let (end, overflow) = offset.addingReportingOverflow(byteCount)
        guard !overflow, end <= mapped.byteCount else {
            throw refusal(
                .wrongFileSize,
                "its data is \(byteCount) bytes from byte \(offset) of '\(printable(location))', "
                    + "which has \(mapped.byteCount)")
        }
        return try mapped.withBytes(in: offset..<end, body)
    }

    /// The path without links, or nil when there is nothing.
    private func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

extension ModelFileError.Code {
    /// The entries that say where a tensor's data is do not make sense.
    public static let invalidExternalData = Self(rawValue: "invalid-external-data")
    /// A tensor's data is said to be in a file outside the model's folder.
    public static let unsafeDataPath = Self(rawValue: "unsafe-data-path")
}

extension ONNXModel {
    /// The same model with the data of all its tensors inside the file.
    ///
    /// - Throws: ``ModelFileError`` for data that cannot be read.
    public func embeddingExternalData() throws -> ONNXModel {
        var result = self
        for index in proto.graph.initializer.indices
        where proto.graph.initializer[index].dataLocation == .external {
            var tensor = proto.graph.initializer[index]
            tensor.rawData = try withRawBytes(of: tensor) { .init($0) }
            tensor.externalData = []
            tensor.clearDataLocation()
            result.proto.graph.initializer[index] = tensor
        }
        return result
    }
}
