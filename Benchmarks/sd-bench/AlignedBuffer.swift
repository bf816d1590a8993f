/// Memory for kernels to work on: zeros at first, aligned to whole pages.
final class AlignedBuffer<Element: BitwiseCopyable> {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    private let raw: UnsafeMutableRawPointer

    /// - Parameter count: elements; up to 1024 bytes more are allocated, so that loops over whole
    ///   blocks may be used.
    init(count: Int) {
        let bytes = (max(count, 1) * MemoryLayout<Element>.stride + 1023) / 1024 * 1024
        raw = .allocate(byteCount: bytes, alignment: 4096)
        raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        base = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
    }

    convenience init(_ elements: some Collection<Element>) {
        self.init(count: elements.count)
        for (index, element) in elements.enumerated() { base[index] = element }
    }

    deinit { raw.deallocate() }

    var byteCount: Int { count * MemoryLayout<Element>.stride }
}
