import Foundation

/// The memory that this process holds now.
enum ResidentMemory {
    /// Bytes in main memory, code and libraries included; nil where the system does not tell.
    static var byteCount: Int? {
        // The second number is pages: proc(5). Files there have no size, so they are read whole.
        guard let file = FileHandle(forReadingAtPath: "/proc/self/statm") else { return nil }
        defer { try? file.close() }
        guard let data = try? file.readToEnd() else { return nil }
        let fields = String(decoding: data, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
