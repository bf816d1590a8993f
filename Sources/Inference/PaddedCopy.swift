internal import DensePrimitives

/// Puts row-major floats into the middle of a larger row-major array.
struct PaddedCopy {
    /// The sizes of what is copied; the last dimension is copied as a whole.
    let shape: [Int]
    /// Distances in the target, in elements.
    let strides: [Int]
    /// The first element in the target.
    let offset: Int
    /// Elements of the target.
    let count: Int

    init(shape: [Int], begin: [Int], target: [Int]) {
        self.shape = shape
        strides = Layout.plainStrides(of: target)
        offset = zip(begin, strides).reduce(0) { $0 + $1.0 * $1.1 }
        count = target.reduce(1, *)
    }

    func run(
        _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, filling value: Float
    ) {
        target.update(repeating: value, count: count)
        guard let width = shape.last, shape.allSatisfy({ $0 > 0 }) else { return }
        let outer = shape.dropLast()
        var position = [Int](repeating: 0, count: outer.count)
        var from = source
        var to = target + offset
        while true {
            to.update(from: from, count: width)
            from += width
            var axis = outer.count - 1
            while axis >= 0 {
                position[axis] += 1
                to += strides[axis]
                if position[axis] < outer[axis] { break }
                to -= strides[axis] * outer[axis]
                position[axis] = 0
                axis -= 1
            }
            guard axis >= 0 else { return }
        }
    }
}
