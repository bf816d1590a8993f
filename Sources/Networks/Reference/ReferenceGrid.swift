internal import DenseMath

extension Reference {
    /// All sums of one number of each list, the last list running fastest: the offsets of a block
    /// of elements, given the offsets along each dimension.
    static func grid(_ lists: [[Int]]) -> [Int] {
        lists.reduce([0]) { sums, list in
            sums.flatMap { sum in list.map { sum + $0 } }
        }
    }

    /// The offsets of all elements of `shape` in row-major order, where one step along a dimension
    /// moves on by its stride.
    static func offsets(_ shape: [Int], strides: [Int]) -> [Int] {
        grid(zip(shape, strides).map { size, stride in (0..<size).map { $0 * stride } })
    }

    /// The offsets of each operand for each element of the result.
    static func offsets(_ broadcast: Broadcast) -> [[Int]] {
        broadcast.strides.map { offsets(broadcast.shape, strides: $0) }
    }

    /// The elements of `x` at `offsets`, in another shape.
    static func elements(of x: Tensor, at offsets: [Int], shape: [Int]) -> Tensor {
        switch x.kind {
        case .float32:
            x.withFloats { from in Tensor(shape: shape, offsets.map { from[$0] }) }
        case .int64:
            x.withIntegers { from in Tensor(shape: shape, integers: offsets.map { from[$0] }) }
        }
    }
}
