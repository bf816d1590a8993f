/// Solvers for systems of a few unknowns that run once a slice and iteration: no allocation, no
/// library call. They decline nearly dependent systems, which ``LeastSquares`` then takes.
package enum SmallSolver {
    /// Replaces `cross` (`[size, columns]`) by the solution of `gram · X = cross`, and `gram`
    /// (`[size, size]`, symmetric) by its Cholesky factor.
    ///
    /// - Returns: false when a pivot is not above `smallestPivot` times its diagonal element;
    ///   `cross` is then unchanged.
    package static func solvePositiveDefinite(
        size: Int, columns: Int, gram: UnsafeMutablePointer<Double>,
        cross: UnsafeMutablePointer<Double>, smallestPivot: Double
    ) -> Bool {
        // With constant sizes the loops unroll into straight code.
        if size == 3, columns == 3 {
            return cholesky(3, 3, gram, cross, smallestPivot)
        }
        return cholesky(size, columns, gram, cross, smallestPivot)
    }

    @inline(__always)
    private static func cholesky(
        _ size: Int, _ columns: Int, _ gram: UnsafeMutablePointer<Double>,
        _ cross: UnsafeMutablePointer<Double>, _ smallestPivot: Double
    ) -> Bool {
        for j in 0..<size {
            let diagonal = gram[j * size + j]
            var pivot = diagonal
            for k in 0..<j { pivot -= gram[j * size + k] * gram[j * size + k] }
            guard pivot > smallestPivot * diagonal, pivot > 0 else { return false }
            let root = pivot.squareRoot()
            gram[j * size + j] = root
            var i = j + 1
            while i < size {
                var value = gram[i * size + j]
                for k in 0..<j { value -= gram[i * size + k] * gram[j * size + k] }
                gram[i * size + j] = value / root
                i += 1
            }
        }
        for column in 0..<columns {
            for i in 0..<size {
                var value = cross[i * columns + column]
                for k in 0..<i { value -= gram[i * size + k] * cross[k * columns + column] }
                cross[i * columns + column] = value / gram[i * size + i]
            }
            var i = size - 1
            while i >= 0 {
                var value = cross[i * columns + column]
                var k = i + 1
                while k < size {
                    value -= gram[k * size + i] * cross[k * columns + column]
                    k += 1
                }
                cross[i * columns + column] = value / gram[i * size + i]
                i -= 1
            }
        }
        return true
    }

    /// Writes the inverse of `matrix` (`[size, size]`, destroyed) into `inverse` by elimination
    /// with column pivots.
    ///
    /// - Returns: false when a pivot is not above `smallestPivot` times the largest element.
    package static func invert(
        size: Int, matrix: UnsafeMutablePointer<Double>, into inverse: UnsafeMutablePointer<Double>,
        smallestPivot: Double
    ) -> Bool {
        if size == 3 { return eliminate(3, matrix, inverse, smallestPivot) }
        return eliminate(size, matrix, inverse, smallestPivot)
    }

    @inline(__always)
    private static func eliminate(
        _ size: Int, _ matrix: UnsafeMutablePointer<Double>,
        _ inverse: UnsafeMutablePointer<Double>, _ smallestPivot: Double
    ) -> Bool {
        var largest = 0.0
        for i in 0..<(size * size) {
            largest = max(largest, abs(matrix[i]))
            inverse[i] = i % (size + 1) == 0 ? 1 : 0
        }
        for column in 0..<size {
            var pivotRow = column
            for row in column..<size
            where abs(matrix[row * size + column]) > abs(matrix[pivotRow * size + column]) {
                pivotRow = row
            }
            let pivot = matrix[pivotRow * size + column]
            guard abs(pivot) > smallestPivot * largest else { return false }
            for k in 0..<size {
                if pivotRow != column {
                    swap(&matrix[pivotRow * size + k], &matrix[column * size + k])
                    swap(&inverse[pivotRow * size + k], &inverse[column * size + k])
                }
                matrix[column * size + k] /= pivot
                inverse[column * size + k] /= pivot
            }
            for row in 0..<size where row != column {
                let factor = matrix[row * size + column]
                guard factor != 0 else { continue }
                for k in 0..<size {
                    matrix[row * size + k] -= factor * matrix[column * size + k]
                    inverse[row * size + k] -= factor * inverse[column * size + k]
                }
            }
        }
        return true
    }
}
