/// A dense weight tensor that can be read filter by filter.
public struct WeightTensor: Sendable {
    /// Its name in the model.
    public let name: String
    /// `[filters, ...]`.
    public let shape: [Int]
    /// What it is; where nothing else is known, judged by name and shape.
    public let kind: LayerKind
    /// Writes the weights of some filters, row-major, in single precision.
    package let read: @Sendable (Range<Int>, UnsafeMutableBufferPointer<Float>) -> Void

    package init(
        name: String, shape: [Int], kind: LayerKind? = nil,
        read: @escaping @Sendable (Range<Int>, UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        self.name = name
        self.shape = shape
        self.kind = kind ?? LayerKind(name: name, shape: shape)
        self.read = read
    }

    /// A tensor whose weights are in memory, row-major.
    public init(name: String, shape: [Int], kind: LayerKind? = nil, weights: [Float]) {
        let length = shape.dropFirst().reduce(1, *)
        precondition(
            weights.count == (shape.first ?? 1) * length,
            "shape \(shape) does not have \(weights.count) weights")
        self.init(name: name, shape: shape, kind: kind) { filters, out in
            let range = (filters.lowerBound * length)..<(filters.upperBound * length)
            weights.withUnsafeBufferPointer { weights in
                _ = out.update(fromContentsOf: weights[range])
            }
        }
    }

    /// The number of weights.
    public var weightCount: Int { shape.reduce(1, *) }
    var filterLength: Int { shape.dropFirst().reduce(1, *) }

    func weights(ofFilters filters: Range<Int>) -> [Float] {
        let count = filters.count * filterLength
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            read(filters, buffer)
            initialized = count
        }
    }
}
