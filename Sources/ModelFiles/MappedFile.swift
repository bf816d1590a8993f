#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file mapped into memory for reading: its bytes without a copy.
///
/// If somebody truncates the file while it is mapped, reading past its new end stops the process
/// with SIGBUS. That is accepted: files are replaced by renaming, which leaves the old one whole,
/// and the alternative is a copy of every byte.
public final class MappedFile: @unchecked Sendable {
    // Unchecked because of the pointer; the pages are read-only and live as long as the object.

    /// The file as the caller named it.
    public let path: String
    /// The size in bytes, at least 1.
    public let byteCount: Int
    private let start: UnsafeMutableRawPointer

    /// Maps a file.
    ///
    /// - Throws: `ModelFileError` with code `unreadableFile`, `notAFile` or `emptyFile`.
    public init(path: String) throws {
        // Without O_NONBLOCK, opening a pipe would wait for somebody to write to it.
        let file = try FileDescriptor(
            opening: path, flags: O_RDONLY | O_NONBLOCK, code: .unreadableFile, "cannot open it")
        let status = try file.status(code: .unreadableFile)
        guard status.kind == .regular else {
            throw ModelFileError(
                code: .notAFile,
                message: status.kind == .folder ? "it is a folder" : "it is not a regular file",
                path: path)
        }
        guard status.size > 0 else {
            throw ModelFileError(code: .emptyFile, message: "the file has no bytes", path: path)
        }
        guard let start = mmap(nil, status.size, PROT_READ, MAP_PRIVATE, file.number, 0),
            start != MAP_FAILED
        else { throw ModelFileError.system(.unreadableFile, "cannot map it", path: path) }
        self.path = path
        self.byteCount = status.size
        self.start = start
    }

    deinit {
        munmap(start, byteCount)
    }

    /// Calls `body` with all bytes; the pointer must not leave it.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withBytes(in: 0..<byteCount, body)
    }

    /// Calls `body` with the bytes in a range, which must lie in the file; the pointer must not
    /// leave it.
    public func withBytes<R>(
        in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= byteCount,
            "bytes \(range) are not in the \(byteCount) bytes of '\(path)'")
        return try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count))
        }
    }

    /// Tells the system that the file will be read from front to back, so that it reads ahead.
    public func adviseSequential() {
        madvise(start, byteCount, MADV_SEQUENTIAL)
    }

    /// Gives the memory of bytes that are done with back to the system; they can be read again.
    ///
    /// The page the range begins in goes too and the one it ends in stays, so that a file read
    /// range by range leaves nothing behind, however small the ranges are.
    public func release(_ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= byteCount,
            "bytes \(range) are not in the \(byteCount) bytes of '\(path)'")
        let page = sysconf(CInt(_SC_PAGESIZE))
        let first = range.lowerBound / page * page
        let last = range.upperBound == byteCount ? byteCount : range.upperBound / page * page
        if last > first { madvise(start + first, last - first, MADV_DONTNEED) }
    }
}
