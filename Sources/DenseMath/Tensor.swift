/// An array of numbers with a shape, row-major, in memory of its own aligned to 64 bytes.
///
/// Elements are floats or 64-bit integers; integers also carry what other formats call `int32` or
/// `bool` (0 and 1). A tensor is a value: a copy shares the memory until one of them is written to.
public struct Tensor: Sendable {
    /// What the elements are.
    public enum Kind: String, Sendable, Hashable {
        case float32
        case int64

        /// Bytes of one element.
        public var byteCount: Int { self == .float32 ? 4 : 8 }
    }

    /// The dimensions, outermost first; empty for a single number.
    public private(set) var shape: [Int]
    /// What the elements are.
    public let kind: Kind
    private var storage: TensorStorage

    /// The number of elements: the product of the shape.
    public var count: Int { storage.count }
    /// The number of dimensions.
    public var rank: Int { shape.count }

    /// Creates a tensor of zeros.
    public init(_ kind: Kind = .float32, zeros shape: [Int]) {
        self.init(kind, uninitialized: shape) { bytes in
            _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// Creates a tensor from its elements, row-major.
    public init(shape: [Int], _ elements: [Float]) {
        precondition(
            elements.count == Self.count(of: shape),
            "shape \(shape) does not hold \(elements.count) elements")
        self.init(.float32, uninitialized: shape) { bytes in
            elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// Creates a tensor from its elements, row-major.
    public init(shape: [Int], integers elements: [Int64]) {
        precondition(
            elements.count == Self.count(of: shape),
            "shape \(shape) does not hold \(elements.count) elements")
        self.init(.int64, uninitialized: shape) { bytes in
            elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// Creates a tensor whose bytes `body` fills in; it must write all of them.
    package init(
        _ kind: Kind, uninitialized shape: [Int],
        _ body: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let storage = TensorStorage(count: Self.count(of: shape), stride: kind.byteCount)
        try body(storage.bytes)
        self.shape = shape
        self.kind = kind
        self.storage = storage
    }

    /// The elements as an array; the tensor must hold floats.
    public var floats: [Float] { withFloats { Array($0) } }
    /// The elements as an array; the tensor must hold integers.
    public var integers: [Int64] { withIntegers { Array($0) } }

    /// Calls `body` with the elements; the tensor must hold floats.
    package func withFloats<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        precondition(kind == .float32, "the tensor holds \(kind.rawValue)")
        return try withExtendedLifetime(storage) {
            try body(UnsafeBufferPointer(storage.bytes.assumingMemoryBound(to: Float.self)))
        }
    }

    /// Calls `body` with the elements; the tensor must hold integers.
    package func withIntegers<R>(_ body: (UnsafeBufferPointer<Int64>) throws -> R) rethrows -> R {
        precondition(kind == .int64, "the tensor holds \(kind.rawValue)")
        return try withExtendedLifetime(storage) {
            try body(UnsafeBufferPointer(storage.bytes.assumingMemoryBound(to: Int64.self)))
        }
    }

    /// Calls `body` with the elements, to be changed; the tensor must hold floats.
    package mutating func withMutableFloats<R>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        precondition(kind == .float32, "the tensor holds \(kind.rawValue)")
        makeUnique()
        return try body(storage.bytes.assumingMemoryBound(to: Float.self))
    }

    /// Calls `body` with the bytes of the elements.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withExtendedLifetime(storage) { try body(UnsafeRawBufferPointer(storage.bytes)) }
    }

    /// The same elements in another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(
            Self.count(of: shape) == count, "\(self.shape) cannot take the shape \(shape)")
        var result = self
        result.shape = shape
        return result
    }

    private mutating func makeUnique() {
        guard !isKnownUniquelyReferenced(&storage) else { return }
        let copy = TensorStorage(count: storage.count, stride: kind.byteCount)
        copy.bytes.copyMemory(from: UnsafeRawBufferPointer(storage.bytes))
        storage = copy
    }

    private static func count(of shape: [Int]) -> Int {
        precondition(shape.allSatisfy { $0 >= 0 }, "shape \(shape) has a negative dimension")
        return shape.reduce(1, *)
    }
}

extension Tensor: Equatable {
    /// Whether shape, kind and all elements are equal, bit by bit.
    public static func == (a: Tensor, b: Tensor) -> Bool {
        a.shape == b.shape && a.kind == b.kind
            && a.withBytes { p in b.withBytes { q in p.elementsEqual(q) } }
    }
}

/// Memory of a tensor, aligned to 64 bytes.
private final class TensorStorage: @unchecked Sendable {
    // Unchecked because the compiler cannot see that only a unique owner writes.
    let bytes: UnsafeMutableRawBufferPointer
    let count: Int

    init(count: Int, stride: Int) {
        self.count = count
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(64, count * stride), alignment: 64)
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: count * stride)
    }

    deinit {
        bytes.baseAddress?.deallocate()
    }
}
