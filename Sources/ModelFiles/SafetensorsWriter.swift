#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a safetensors file tensor by tensor, without holding the tensors in memory.
///
/// The header comes first in the file but is known last. So the tensors' bytes go to a spool file,
/// and `finish(metadata:)` writes the header and the spool's bytes to the target, which appears
/// whole or not at all (`AtomicFile`).
///
/// The spool is a nameless file in the target's folder, gone with the process however it ends; or,
/// for work that is to be resumed, a named file, which is left for the caller to remove.
///
/// Tensors lie in the file in the order they were appended. The reference writer orders them by
/// the size of their elements so that each is aligned in memory; a stream cannot, and the format
/// allows no padding between tensors. Readers that map the file must therefore load from any
/// address, as those of this package do; readers that copy tensors out are not concerned.
public final class SafetensorsWriter {
    /// The file to be written.
    public let target: String
    /// The tensors appended so far: with a named spool, what `init(target:resumingFrom:tensors:)`
    /// needs to go on.
    public private(set) var tensors: [SafetensorsHeader.Tensor] = []

    private let spool: FileDescriptor
    private var names: Set<String> = ["__metadata__"]
    private var isAppending = false
    private var isFinished = false

    /// Starts a file.
    ///
    /// - Parameters:
    ///   - target: The file to be written by `finish(metadata:)`; it is not touched before.
    ///   - spool: Where to keep the tensors' bytes until then, for work that is to be resumed; an
    ///     existing file is overwritten. Without it, a nameless file in the target's folder.
    /// - Throws: `ModelFileError` when the target could not be written, before any work.
    public init(target: String, spool: String? = nil) throws {
        let place = try WritablePlace(target: target)
        self.target = target
        if let spool {
            self.spool = try FileDescriptor(
                opening: spool, flags: O_RDWR | O_CREAT | O_TRUNC, code: .cannotWrite,
                "cannot create the spool file")
        } else {
            let path = place.temporaryPath()
            self.spool = try FileDescriptor(
                opening: path, flags: O_RDWR | O_CREAT | O_EXCL, code: .cannotWrite,
                "cannot create a file in '\(printable(place.folder))'", reportAs: target)
            unlink(path)
        }
    }

    /// Goes on with a file whose named spool was kept.
    ///
    /// Whatever the spool holds after the last of `tensors` is cut off: it was not finished.
    ///
    /// - Parameters:
    ///   - target: The file to be written by `finish(metadata:)`.
    ///   - spool: The spool of the interrupted writer.
    ///   - tensors: The tensors of the interrupted writer up to its last `sync()`.
    /// - Throws: `ModelFileError`: `spoolMismatch` when the spool is shorter than the tensors, and
    ///   the errors of the format when they do not fit together.
    public init(
        target: String, resumingFrom spool: String, tensors: [SafetensorsHeader.Tensor]
    ) throws {
        _ = try WritablePlace(target: target)
        self.target = target
        self.tensors = try SafetensorsHeader(tensors: tensors, metadata: [:]).tensors
        names.formUnion(tensors.map(\.name))
        self.spool = try FileDescriptor(
            opening: spool, flags: O_RDWR, code: .unreadableFile, "cannot open the spool file")
        let size = try self.spool.status(code: .unreadableFile).size
        guard size >= bytesWritten else {
            throw ModelFileError(
                code: .spoolMismatch,
                message: "the spool file has \(size) bytes, the tensors to resume after have "
                    + "\(bytesWritten)",
                path: spool)
        }
        try self.spool.truncate(to: bytesWritten)
    }

    /// The bytes of the tensors appended so far, without a header.
    public var bytesWritten: Int { tensors.last?.range.upperBound ?? 0 }

    /// Appends a tensor.
    ///
    /// - Throws: `ModelFileError`: `duplicateName`, `wrongTensorSize` (and `shapeOverflow`,
    ///   `misalignedTensor`) when the bytes are not those of the shape and type, `cannotWrite`.
    ///   The writer is then as it was before.
    public func append(
        name: String, elementType: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer
    ) throws {
        try append(name: name, elementType: elementType, shape: shape) { write in try write(bytes) }
    }

    /// Appends a tensor.
    ///
    /// - Throws: As `append(name:elementType:shape:bytes:)` of a buffer.
    public func append(
        name: String, elementType: ElementType, shape: [Int], bytes: [UInt8]
    ) throws {
        try bytes.withUnsafeBytes {
            try append(name: name, elementType: elementType, shape: shape, bytes: $0)
        }
    }

    /// Appends a tensor in pieces: `contents` calls its argument with one piece after the other.
    ///
    /// - Throws: As `append(name:elementType:shape:bytes:)`, and what `contents` throws.
    public func append(
        name: String, elementType: ElementType, shape: [Int],
        contents: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        precondition(!isFinished, "'\(target)' is finished")
        precondition(!isAppending, "a tensor is being appended to '\(target)' already")
        isAppending = true
        defer { isAppending = false }
        guard !names.contains(name) else {
            throw ModelFileError(
                code: .duplicateName, message: "the name is taken", path: target, tensor: name)
        }
        precondition(shape.allSatisfy { $0 >= 0 }, "shape \(shape) has a negative dimension")
        let size = try SafetensorsHeader.byteCount(
            of: elementType, shape: shape, path: target, tensor: name)
        func wrongSize(_ found: String) -> ModelFileError {
            ModelFileError(
                code: .wrongTensorSize,
                message: "\(elementType.rawValue) of shape \(shape) takes \(size) bytes, "
                    + "\(found) were given",
                path: target, tensor: name)
        }
        let begin = bytesWritten
        var count = 0
        try contents { bytes in
            guard bytes.count <= size - count else {
                throw wrongSize("\(count + bytes.count) or more")
            }
            try spool.write(bytes, at: begin + count)
            count += bytes.count
        }
        guard count == size else { throw wrongSize("\(count)") }
        names.insert(name)
        tensors.append(
            SafetensorsHeader.Tensor(
                name: name, elementType: elementType, shape: shape, range: begin..<begin + size))
    }

    /// Waits until the spooled bytes are on the disk, so that writing can resume after a crash.
    ///
    /// - Throws: `ModelFileError` with code `cannotWrite`.
    public func sync() throws {
        try spool.synchronize()
    }

    /// Writes the target: header, then the tensors' bytes.
    ///
    /// - Parameter metadata: The entries of `__metadata__`.
    /// - Returns: The size of the file in bytes.
    /// - Throws: `ModelFileError`: `headerTooLarge`, or `cannotWrite`; the target is then as it
    ///   was, the spooled bytes are still there and finishing can be tried again.
    public func finish(metadata: [String: String] = [:]) throws -> Int {
        precondition(!isFinished, "'\(target)' is finished")
        precondition(!isAppending, "a tensor is being appended to '\(target)'")
        let header = try SafetensorsHeader(tensors: tensors, metadata: metadata).encoded()
        let file = try AtomicFile(target: target)
        try file.write(header)
        try file.write(contentsOf: spool, count: bytesWritten)
        try file.commit()
        isFinished = true
        return file.byteCount
    }
}
