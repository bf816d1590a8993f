import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file written aside and put in place whole: a crash leaves the old file or the new one.
///
/// The bytes go to `.NAME.tmp-PID-RANDOM` in the target's folder; `commit()` flushes it to the
/// disk and renames it over the target. Until then the target is as it was. If an operation fails
/// or the object goes away uncommitted, the temporary file is removed.
///
/// A target that is a symbolic link is followed: the file it leads to is replaced, not the link.
public final class AtomicFile {
    /// The file to be written, as the caller named it.
    public let target: String
    /// The bytes written so far.
    public private(set) var byteCount = 0

    private let place: WritablePlace
    private let temporaryPath: String
    private let descriptor: FileDescriptor
    private var isPending = true

    /// Creates the temporary file, which is removed again unless `commit()` succeeds.
    ///
    /// - Throws: `ModelFileError`: `notAFile` when the target is a folder or a device,
    ///   `cannotWrite` when its folder is missing or not writable.
    public init(target: String) throws {
        self.target = target
        place = try WritablePlace(target: target)
        temporaryPath = place.temporaryPath()
        descriptor = try FileDescriptor(
            opening: temporaryPath, flags: O_WRONLY | O_CREAT | O_EXCL, code: .cannotWrite,
            "cannot create a file in '\(printable(place.folder))'", reportAs: target)
        PendingFiles.shared.insert(temporaryPath)
        // A file that is replaced keeps its permissions; if the system refuses, the umask's do.
        if let permissions = place.permissions { fchmod(descriptor.number, permissions) }
    }

    deinit {
        discard()
    }

    /// Appends bytes.
    ///
    /// - Throws: `ModelFileError` with code `cannotWrite` and the system's reason; the temporary
    ///   file is then gone and the object of no more use.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(isPending, "'\(target)' was committed or discarded")
        try orDiscard { try descriptor.write(bytes, at: byteCount) }
        byteCount += bytes.count
    }

    /// Appends bytes.
    ///
    /// - Throws: As `write(_:)` of a buffer.
    public func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    /// Appends the first `count` bytes of another file.
    func write(contentsOf source: FileDescriptor, count: Int) throws {
        precondition(isPending, "'\(target)' was committed or discarded")
        try orDiscard { try descriptor.copy(from: source, count: count, at: byteCount) }
        byteCount += count
    }

    /// Flushes the bytes to the disk and puts the file in place of the target.
    ///
    /// - Throws: `ModelFileError` with code `cannotWrite`; the target is then as it was, except
    ///   when only the last step failed, flushing the folder, which the message says.
    public func commit() throws {
        precondition(isPending, "'\(target)' was committed or discarded")
        try orDiscard {
            try descriptor.synchronize()
            guard rename(temporaryPath, place.destination) == 0 else {
                throw ModelFileError.system(.cannotWrite, "cannot put it in place", path: target)
            }
        }
        isPending = false
        PendingFiles.shared.remove(temporaryPath)
        try synchronizeFolder()
    }

    /// Gives up: removes the temporary file and leaves the target as it was.
    public func discard() {
        guard isPending else { return }
        isPending = false
        unlink(temporaryPath)
        PendingFiles.shared.remove(temporaryPath)
    }

    /// Removes the temporary files of all atomic files that are neither committed nor discarded.
    ///
    /// For a process about to end on a signal. It takes a lock, so call it from the queue that
    /// handles the signal, not from inside a C signal handler. Files still being written will
    /// fail when they commit.
    public static func removeAllPending() {
        PendingFiles.shared.removeAll()
    }

    private func orDiscard(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            discard()
            throw error
        }
    }

    private func synchronizeFolder() throws {
        let number = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return }  // A folder may be writable and not readable.
        defer { close(number) }
        // Some file systems cannot flush a folder, which is no fault of this file.
        guard fsync(number) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw ModelFileError.system(
                .cannotWrite, "it is in place, but its folder could not be flushed", path: target)
        }
    }
}

/// A path found fit to be written to: its folder is there and writable, and it is no folder.
struct WritablePlace {
    /// Where the file goes, symbolic links followed.
    let destination: String
    /// The folder of the destination.
    let folder: String
    /// The permission bits of the file that is there now, if any.
    let permissions: mode_t?

    /// Looks at the target before any work is done for it.
    init(target: String) throws {
        func refusal(_ code: ModelFileError.Code, _ message: String) -> ModelFileError {
            ModelFileError(code: code, message: message, path: target)
        }
        if target.isEmpty { throw refusal(.cannotWrite, "the name of the file is empty") }
        if target.utf8.last == UInt8(ascii: "/") { throw refusal(.notAFile, "it is a folder") }
        var information = stat()
        if stat(target, &information) == 0 {
            switch FileDescriptor.Status(information).kind {
            case .folder: throw refusal(.notAFile, "it is a folder")
            case .other: throw refusal(.notAFile, "it is not a regular file")
            case .regular: break
            }
            permissions = information.st_mode & 0o777
            if let resolved = realpath(target, nil) {
                destination = String(cString: resolved)
                free(resolved)
            } else {
                destination = target
            }
        } else {
            guard errno == ENOENT else {
                throw ModelFileError.system(.cannotWrite, "cannot write it", path: target)
            }
            permissions = nil
            destination = target
        }
        folder = Self.folder(of: destination)
        let name = "folder '\(printable(folder))'"
        guard stat(folder, &information) == 0 else {
            throw ModelFileError.system(.cannotWrite, name, path: target)
        }
        guard FileDescriptor.Status(information).kind == .folder else {
            throw refusal(.cannotWrite, "'\(printable(folder))' is not a folder")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw ModelFileError.system(.cannotWrite, name, path: target)
        }
    }

    /// A new name in the destination's folder: `.NAME.tmp-PID-RANDOM`, the name cut to fit.
    func temporaryPath() -> String {
        var name = Self.name(of: destination)
        while name.utf8.count > 200 { name.unicodeScalars.removeLast() }
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        return "\(folder)/.\(name).tmp-\(getpid())-\(random)"
    }

    /// The last part of a path.
    static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// The folder part of a path. Bytes, because a slash can be part of a longer `Character`.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// An open file, closed when it goes away.
final class FileDescriptor {
    /// What the system says about a file.
    struct Status {
        /// What a path can lead to.
        enum Kind { case regular, folder, other }

        let kind: Kind
        let size: Int

        init(_ information: stat) {
            switch information.st_mode & S_IFMT {
            case S_IFREG: kind = .regular
            case S_IFDIR: kind = .folder
            default: kind = .other
            }
            size = Int(information.st_size)
        }
    }

    /// The descriptor's number.
    let number: CInt
    /// The file that errors are about.
    let path: String

    /// Opens a file; errors say `doing` and are about `reportAs`, or the file itself.
    init(
        opening path: String, flags: CInt, code: ModelFileError.Code, _ doing: String,
        reportAs: String? = nil
    ) throws {
        var number: CInt
        repeat {
            number = open(path, flags | O_CLOEXEC, 0o666)
        } while number < 0 && errno == EINTR
        guard number >= 0 else {
            throw ModelFileError.system(code, doing, path: reportAs ?? path)
        }
        self.number = number
        self.path = reportAs ?? path
    }

    deinit {
        close(number)
    }

    /// The file's kind and size.
    func status(code: ModelFileError.Code) throws -> Status {
        var information = stat()
        guard fstat(number, &information) == 0 else {
            throw ModelFileError.system(code, "cannot look at it", path: path)
        }
        return Status(information)
    }

    /// Writes all bytes from `offset` on.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        guard let start = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            // Some systems refuse more than 2 GB at once.
            let size = min(bytes.count - done, 1 << 30)
            let count = pwrite(number, start + done, size, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw ModelFileError.system(
                    .cannotWrite, "after \(offset + done) bytes", path: path,
                    number: count == 0 ? ENOSPC : errno)
            }
        }
    }

    /// Cuts the file off, or extends it with zeros.
    func truncate(to size: Int) throws {
        guard ftruncate(number, off_t(size)) == 0 else {
            throw ModelFileError.system(.cannotWrite, "cannot cut it to \(size) bytes", path: path)
        }
    }

    /// Waits until all bytes are on the disk.
    func synchronize() throws {
        while fsync(number) != 0 {
            guard errno == EINTR else {
                throw ModelFileError.system(.cannotWrite, "cannot flush it", path: path)
            }
        }
    }

    /// Writes the first `count` bytes of `source` from `offset` on.
    func copy(from source: FileDescriptor, count: Int, at offset: Int) throws {
        var done = 0
        #if os(Linux)
            // The kernel copies. (copy_file_range could share blocks with the source, but only
            // those on block boundaries, and a header in front moves the data off them.)
            // Whatever it declines, the loop below does or reports.
            guard lseek(number, off_t(offset), SEEK_SET) >= 0 else {
                throw ModelFileError.system(.cannotWrite, "cannot move in it", path: path)
            }
            while done < count {
                var position = off_t(done)
                let copied = sendfile(number, source.number, &position, count - done)
                if copied <= 0 {
                    if copied < 0 && errno == EINTR { continue }
                    break
                }
                done += copied
            }
        #endif
        guard done < count else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while done < count {
            let read = pread(
                source.number, buffer.baseAddress, min(buffer.count, count - done), off_t(done))
            if read < 0 && errno == EINTR { continue }
            guard read > 0 else {
                throw ModelFileError.system(
                    .cannotWrite, "cannot read back what was spooled for it after \(done) bytes",
                    path: path, number: read == 0 ? EIO : errno)
            }
            try write(UnsafeRawBufferPointer(rebasing: buffer[..<read]), at: offset + done)
            done += read
        }
    }
}

/// The temporary files of this process that are neither committed nor discarded.
private final class PendingFiles: @unchecked Sendable {
    // Unchecked because the compiler cannot see that the lock guards the set.

    static let shared = PendingFiles()

    private let lock = NSLock()
    private var paths: Set<String> = []

    func insert(_ path: String) {
        lock.withLock { _ = paths.insert(path) }
    }

    func remove(_ path: String) {
        lock.withLock { _ = paths.remove(path) }
    }

    func removeAll() {
        lock.withLock {
            for path in paths { unlink(path) }
            paths.removeAll()
        }
    }
}
