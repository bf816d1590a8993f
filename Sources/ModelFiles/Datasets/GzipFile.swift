internal import CZlib

/// A file read from front to back, inflated on the way if it is gzip (RFC 1952).
///
/// Several gzip members after each other are one stream. The checksums are checked as the members
/// end, so a reader that knows how many bytes it wants must look for the end as well.
final class GzipFile {
    let path: String
    /// The most bytes that can come out: what is stored, or 1,032 times that, deflate's best.
    let maximumByteCount: Int

    private let file: MappedFile
    /// How many bytes of the file are used.
    private var position = 0
    /// Nil for a file that is not compressed. In memory of its own: zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>?
    private var isBetweenMembers = false

    init(path: String) throws {
        file = try MappedFile(path: path)
        self.path = path
        guard file.withBytes({ $0.starts(with: [0x1F, 0x8B]) }) else {
            stream = nil
            maximumByteCount = file.byteCount
            return
        }
        maximumByteCount = file.byteCount.multipliedReportingOverflow(by: 1032).partialValue
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.stream = stream
        // 16 asks for gzip's header and trailer.
        let status = inflateInit2_(
            stream, MAX_WBITS + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw failure("zlib cannot start (error \(status))") }
    }

    deinit {
        guard let stream else { return }
        inflateEnd(stream)
        stream.deallocate()
    }

    /// The next `count` bytes, or fewer where the file ends.
    ///
    /// Memory grows with what has come out, not with what was asked for.
    func read(_ count: Int) throws -> [UInt8] {
        guard stream != nil else {
            let range = position..<min(file.byteCount, position + count)
            position = range.upperBound
            return file.withBytes(in: range) { Array($0) }
        }
        var result: [UInt8] = []
        while result.count < count {
            let start = result.count
            let room = min(count - start, max(start, 1 << 16))
            result.append(contentsOf: repeatElement(0, count: room))
            let written = try result.withUnsafeMutableBytes {
                try inflate(into: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
            }
            result.removeLast(room - written)
            if written < room { break }
        }
        return result
    }

    /// Fills `target`, or less of it where the file ends; returns how many bytes.
    private func inflate(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let stream else { return 0 }
        let output = target.assumingMemoryBound(to: UInt8.self)
        return try file.withBytes { bytes in
            let input = bytes.assumingMemoryBound(to: UInt8.self)
            var written = 0
            while written < output.count {
                if isBetweenMembers {
                    guard position < input.count else { break }
                    inflateReset(stream)
                    isBetweenMembers = false
                }
                // zlib counts in 32 bits.
                let available = min(input.count - position, 1 << 30)
                let room = min(output.count - written, 1 << 30)
                stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress.map { $0 + position })
                stream.pointee.avail_in = UInt32(available)
                stream.pointee.next_out = output.baseAddress.map { $0 + written }
                stream.pointee.avail_out = UInt32(room)
                let status = CZlib.inflate(stream, Z_NO_FLUSH)
                position += available - Int(stream.pointee.avail_in)
                written += room - Int(stream.pointee.avail_out)
                switch status {
                case Z_OK: break
                case Z_STREAM_END: isBetweenMembers = true
                case Z_BUF_ERROR: throw failure("it ends in the middle of its compressed data")
                default:
                    let reason = stream.pointee.msg.map { String(cString: $0) }
                    throw failure(
                        "at byte \(position) of the compressed data: "
                            + (reason ?? "zlib error \(status)"))
                }
            }
            return written
        }
    }

    private func failure(_ message: String) -> ModelFileError {
        ModelFileError(code: .invalidCompression, message: message, path: path)
    }
}
