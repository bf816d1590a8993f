import Foundation

/// Values that kernels read, ending exactly where the allocation ends, so that the address
/// sanitizer sees any read past the end, and starting `shift` elements after an aligned address.
final class Input<Element> {
    private let raw: UnsafeMutableRawPointer
    let pointer: UnsafeMutablePointer<Element>

    init(_ values: some Collection<Element>, shift: Int = 1) {
        let stride = MemoryLayout<Element>.stride
        raw = .allocate(byteCount: max(1, (shift + values.count) * stride), alignment: 64)
        pointer = (raw + shift * stride).bindMemory(to: Element.self, capacity: values.count)
        _ = UnsafeMutableBufferPointer(start: pointer, count: values.count)
            .initialize(from: values)
    }

    deinit { raw.deallocate() }
}

/// Memory that kernels write, between guard bytes, starting `shift` elements after an aligned
/// address. It holds the guard byte everywhere until written, or `values`.
final class Output<Element> {
    private static var guardBytes: Int { 128 }
    private static var filler: UInt8 { 0xA5 }
    private let raw: UnsafeMutableRawPointer
    private let byteCount: Int
    private let shift: Int
    let count: Int
    let pointer: UnsafeMutablePointer<Element>

    init(_ count: Int, shift: Int = 1) {
        self.count = count
        self.shift = shift * MemoryLayout<Element>.stride
        byteCount = count * MemoryLayout<Element>.stride
        let whole = 2 * Self.guardBytes + self.shift + byteCount
        raw = .allocate(byteCount: whole, alignment: 64)
        memset(raw, Int32(Self.filler), whole)
        pointer = (raw + Self.guardBytes + self.shift).bindMemory(
            to: Element.self, capacity: count)
    }

    convenience init(_ values: [Element], shift: Int = 1) {
        self.init(values.count, shift: shift)
        pointer.update(from: values, count: values.count)
    }

    deinit { raw.deallocate() }

    /// A copy: the memory may be gone before what was read from it is used.
    var elements: [Element] {
        withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: pointer, count: count)) }
    }

    /// Whether nothing was written before or after.
    var guardsAreIntact: Bool {
        let bytes = UnsafeRawBufferPointer(
            start: raw, count: 2 * Self.guardBytes + shift + byteCount)
        let begin = Self.guardBytes + shift
        return bytes[..<begin].allSatisfy { $0 == Self.filler }
            && bytes[(begin + byteCount)...].allSatisfy { $0 == Self.filler }
    }

    /// Whether both hold the same bits.
    func hasBits(of other: Output<Element>) -> Bool {
        byteCount == other.byteCount && memcmp(pointer, other.pointer, byteCount) == 0
    }

    /// Whether the elements are still the filler.
    func isUnwritten(_ range: Range<Int>) -> Bool where Element == UInt8 {
        elements[range].allSatisfy { $0 == Self.filler }
    }
}
