internal import CMachineLimits

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The loops that other loops are compared with, and the emptying of caches.
enum MemoryLoops {
    /// Writes a whole buffer: C's `memset`.
    static func write<Element>(_ buffer: AlignedBuffer<Element>) {
        memset(buffer.base, 0x11, buffer.byteCount)
    }

    /// Copies between buffers of one size: C's `memcpy`.
    static func copy<Element>(_ from: AlignedBuffer<Element>, to: AlignedBuffer<Element>) {
        memcpy(to.base, from.base, from.byteCount)
    }

    /// Reads a buffer, up to whole KiB.
    static func read<Element>(_ buffer: AlignedBuffer<Element>) {
        _ = sdb_read(buffer.base, (buffer.byteCount + 1023) / 1024 * 1024)
    }

    /// Reads a part of memory, whole KiB, aligned to 64 bytes.
    static func read(_ from: UnsafeRawPointer, bytes: Int) { _ = sdb_read(from, bytes) }

    /// The same from four places at once.
    static func readStreams(_ from: UnsafeRawPointer, bytes: Int) {
        _ = sdb_read_streams(from, bytes)
    }

    /// Writes a part of memory, whole KiB, aligned to 64 bytes, past the caches.
    static func writePastCaches(_ to: UnsafeMutableRawPointer, bytes: Int) {
        sdb_write_past_caches(to, bytes)
    }

    /// Moves a buffer out of all caches.
    static func flush<Element>(_ buffer: AlignedBuffer<Element>) {
        sdb_flush(buffer.base, buffer.byteCount)
    }

    /// Moves what an array holds out of all caches.
    static func flush<Element>(_ array: [Element]) {
        array.withUnsafeBytes { if let base = $0.baseAddress { sdb_flush(base, $0.count) } }
    }
}
