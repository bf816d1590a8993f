internal import DenseMath

extension Reference {
    static func gemm(
        _ a: Tensor, _ b: Tensor, _ c: Tensor?, _ gemm: Operation.Gemm
    ) throws -> Tensor {
        let a = gemm.transposesA ? a.transposed() : a
        let b = gemm.transposesB ? b.transposed() : b
        let product = try MatrixProduct(a.shape, b.shape)
        let addend = try c.map { try expand($0, product.shape).floats }
        let (x, y) = (a.floats, b.floats)
        var result = [Float](repeating: 0, count: product.rows * product.columns)
        for row in 0..<product.rows {
            for column in 0..<product.columns {
                var sum = 0.0
                for k in 0..<product.inner {
                    sum +=
                        Double(x[row * product.inner + k])
                        * Double(y[k * product.columns + column])
                }
                sum *= Double(gemm.alpha)
                let index = row * product.columns + column
                if let addend { sum += Double(gemm.beta) * Double(addend[index]) }
                result[index] = Float(sum)
            }
        }
        return Tensor(shape: product.shape, result)
    }

    static func matMul(_ a: Tensor, _ b: Tensor, _ type: ScalarType) throws -> Tensor {
        let product = try MatrixProduct(a.shape, b.shape)
        switch a.kind {
        case .float32:
            let (x, y) = (a.floats, b.floats)
            let sums = terms(of: product) { terms in
                Float(terms.reduce(0.0) { $0 + Double(x[$1.a]) * Double(y[$1.b]) })
            }
            return Tensor(shape: product.shape, sums)
        case .int64:
            let (x, y) = (a.integers, b.integers)
            let sums = terms(of: product) { terms in
                type.wrapped(terms.reduce(0) { $0 &+ x[$1.a] &* y[$1.b] })
            }
            return Tensor(shape: product.shape, integers: sums)
        }
    }

    /// For each element of a product what `sum` makes of the positions of the factors of its terms.
    private static func terms<Element>(
        of product: MatrixProduct, _ sum: ([(a: Int, b: Int)]) -> Element
    ) -> [Element] {
        let (rows, inner, columns) = (product.rows, product.inner, product.columns)
        let batches = offsets(product.batch)
        var result: [Element] = []
        for (matrixOfA, matrixOfB) in zip(batches[0], batches[1]) {
            for row in 0..<rows {
                for column in 0..<columns {
                    let terms = (0..<inner).map { k in
                        (
                            a: (matrixOfA * rows + row) * inner + k,
                            b: (matrixOfB * inner + k) * columns + column
                        )
                    }
                    result.append(sum(terms))
                }
            }
        }
        return result
    }
}
