import Networks

extension DoubleOperations {
    static func product(
        _ a: DoubleTensor, _ b: DoubleTensor, _ c: DoubleTensor?, _ gemm: Networks.Operation.Gemm
    ) -> DoubleTensor {
        let rows = a.shape[gemm.transposesA ? 1 : 0]
        let inner = a.shape[gemm.transposesA ? 0 : 1]
        let columns = b.shape[gemm.transposesB ? 0 : 1]
        let addend = c?.broadcast(to: [rows, columns])
        var result: [Double] = []
        result.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = 0.0
                for k in 0..<inner {
                    sum +=
                        a.values[gemm.transposesA ? k * rows + row : row * inner + k]
                        * b.values[gemm.transposesB ? column * inner + k : k * columns + column]
                }
                sum *= Double(gemm.alpha)
                if let addend {
                    sum += Double(gemm.beta) * addend.values[row * columns + column]
                }
                result.append(sum)
            }
        }
        return DoubleTensor(shape: [rows, columns], values: result)
    }

    /// The product over the last two dimensions, of matrices or of stacks of them.
    static func product(_ a: DoubleTensor, _ b: DoubleTensor, shape: [Int]) -> DoubleTensor {
        // A vector is a matrix of one row or of one column.
        let a = a.shape.count == 1 ? a.reshaped([1] + a.shape) : a
        let isVector = b.shape.count == 1
        let b = isVector ? b.reshaped(b.shape + [1]) : b
        let (rows, inner) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1])
        let columns = b.shape[b.shape.count - 1]
        let stack = shape.reduce(1, *) / (rows * columns)
        let stackShape = Array(shape.prefix(max(a.shape.count, b.shape.count) - 2))
        let left = a.broadcast(to: stackShape + [rows, inner])
        let right = b.broadcast(to: stackShape + [inner, columns])
        var result: [Double] = []
        for matrix in 0..<stack {
            for row in 0..<rows {
                for column in 0..<columns {
                    result.append(
                        (0..<inner).reduce(0) { sum, k in
                            sum + left.values[(matrix * rows + row) * inner + k]
                                * right.values[(matrix * inner + k) * columns + column]
                        })
                }
            }
        }
        return DoubleTensor(shape: shape, values: result)
    }
}
