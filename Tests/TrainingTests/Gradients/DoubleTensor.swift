import DenseMath

/// Numbers of double precision with a shape, row-major.
struct DoubleTensor: Equatable {
    let shape: [Int]
    var values: [Double]

    init(shape: [Int], values: [Double]) {
        precondition(values.count == shape.reduce(1, *))
        self.shape = shape
        self.values = values
    }

    /// The same numbers; integers become floats.
    init(_ tensor: Tensor) {
        self.init(
            shape: tensor.shape,
            values: tensor.kind == .float32
                ? tensor.floats.map(Double.init) : tensor.integers.map(Double.init))
    }

    /// Each element is what `element` gives for its position.
    init(shape: [Int], element: (_ position: [Int]) -> Double) {
        let count = shape.reduce(1, *)
        var values: [Double] = []
        values.reserveCapacity(count)
        var position = shape.map { _ in 0 }
        for _ in 0..<count {
            values.append(element(position))
            // The last dimension runs fastest.
            for dimension in shape.indices.reversed() {
                position[dimension] += 1
                if position[dimension] < shape[dimension] { break }
                position[dimension] = 0
            }
        }
        self.init(shape: shape, values: values)
    }

    subscript(position: [Int]) -> Double {
        var offset = 0
        for (size, index) in zip(shape, position) { offset = offset * size + index }
        return values[offset]
    }

    /// The same elements in another shape.
    func reshaped(_ shape: [Int]) -> DoubleTensor { DoubleTensor(shape: shape, values: values) }

    /// Repeated along dimensions that are missing or 1.
    func broadcast(to shape: [Int]) -> DoubleTensor {
        guard shape != self.shape else { return self }
        let missing = shape.count - self.shape.count
        return DoubleTensor(shape: shape) { position in
            self[self.shape.indices.map { self.shape[$0] == 1 ? 0 : position[missing + $0] }]
        }
    }
}
