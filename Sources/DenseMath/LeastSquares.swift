internal import CLAPACKE

/// Least squares and singular values of small dense matrices, by LAPACK.
public enum LeastSquares {
    /// Singular values below this share of the largest count as zero, unless told otherwise.
    public static let defaultTolerance = 1e-10

    /// A singular value decomposition `A = U diag(values) Vt`, thin.
    public struct SingularValues: Sendable {
        /// `[rows, k]`, orthonormal columns, `k = min(rows, columns)`.
        public let left: Matrix
        /// The `k` singular values, falling.
        public let values: [Double]
        /// `[k, columns]`, orthonormal rows.
        public let rightTransposed: Matrix
    }

    /// Returns the thin singular value decomposition of `matrix` (LAPACK `dgesdd`), or nil when it
    /// does not converge, which finite input does not cause in practice.
    public static func singularValues(of matrix: Matrix) -> SingularValues? {
        let m = matrix.rows
        let n = matrix.columns
        let k = min(m, n)
        guard k > 0 else { return nil }
        var work = matrix.elements
        var values = [Double](repeating: 0, count: k)
        var left = Matrix(rows: m, columns: k)
        var right = Matrix(rows: k, columns: n)
        let status = LAPACKE_dgesdd(
            LAPACK_ROW_MAJOR, Int8(UInt8(ascii: "S")), Int32(m), Int32(n), &work, Int32(n),
            &values, &left.elements, Int32(k), &right.elements, Int32(n))
        guard status == 0 else { return nil }
        return SingularValues(left: left, values: values, rightTransposed: right)
    }

    /// Returns the Moore-Penrose inverse of `matrix`, `[columns, rows]`.
    ///
    /// Singular values at or below `tolerance` times the largest count as zero. A matrix of zeros
    /// has the inverse zero.
    public static func pseudoInverse(
        of matrix: Matrix, tolerance: Double = defaultTolerance
    ) -> Matrix {
        var result = Matrix(rows: matrix.columns, columns: matrix.rows)
        guard let svd = singularValues(of: matrix), let largest = svd.values.first, largest > 0
        else { return result }
        for (k, value) in svd.values.enumerated() where value > tolerance * largest {
            for i in 0..<matrix.columns {
                let factor = svd.rightTransposed[k, i] / value
                for j in 0..<matrix.rows { result[i, j] += factor * svd.left[j, k] }
            }
        }
        return result
    }

    /// Returns the X of least norm that minimises `||A - C X||_F` (C `[m, r]`, A `[m, s]`,
    /// X `[r, s]`).
    public static func solve(
        _ coefficients: Matrix, _ target: Matrix, tolerance: Double = defaultTolerance
    ) -> Matrix {
        pseudoInverse(of: coefficients, tolerance: tolerance).multiplied(by: target)
    }

    /// Solves `gram · X = cross` for a symmetric positive definite `gram` by Cholesky's method.
    ///
    /// - Parameters:
    ///   - gram: `[r, r]`.
    ///   - cross: `[r, s]`.
    ///   - smallestPivot: what a pivot must exceed, as a share of its diagonal element; a smaller
    ///     one means that the columns are (nearly) dependent.
    /// - Returns: X `[r, s]`, or nil when a pivot is too small.
    public static func solvePositiveDefinite(
        gram: Matrix, cross: Matrix, smallestPivot: Double = 1e-8
    ) -> Matrix? {
        let size = gram.rows
        let columns = cross.columns
        var gram = gram
        var cross = cross
        let isSolved = gram.elements.withUnsafeMutableBufferPointer { gram in
            cross.elements.withUnsafeMutableBufferPointer { cross in
                guard let gramBase = gram.baseAddress, let crossBase = cross.baseAddress
                else { return true }
                return SmallSolver.solvePositiveDefinite(
                    size: size, columns: columns, gram: gramBase, cross: crossBase,
                    smallestPivot: smallestPivot)
            }
        }
        return isSolved ? cross : nil
    }

    /// Solves `coefficients · X ≈ target` in single precision with LAPACK `sgelsd`, least norm
    /// among equals, singular values below `tolerance` times the largest counting as zero.
    ///
    /// A tolerance below the rounding of single precision, as the authors' 1e-10 is, keeps
    /// directions that are nothing but rounding; that is what their code does with rank-deficient
    /// slices, and reference mode needs it to agree with them.
    ///
    /// - Parameters:
    ///   - coefficients: `[m, r]`.
    ///   - target: `[m, s]`.
    /// - Returns: X `[r, s]`, or zeros when LAPACK does not converge.
    public static func solveInSinglePrecision(
        _ coefficients: Matrix, _ target: Matrix, tolerance: Float = 1e-10
    ) -> Matrix {
        let m = coefficients.rows
        let r = coefficients.columns
        let s = target.columns
        var result = Matrix(rows: r, columns: s)
        guard m > 0, r > 0, s > 0 else { return result }
        var a = coefficients.elements.map { Float($0) }
        var b = target.elements.map { Float($0) }
        b.append(contentsOf: repeatElement(0, count: max(0, r - m) * s))
        var values = [Float](repeating: 0, count: min(m, r))
        var rank: Int32 = 0
        let status = LAPACKE_sgelsd(
            LAPACK_ROW_MAJOR, Int32(m), Int32(r), Int32(s), &a, Int32(r), &b, Int32(s), &values,
            tolerance, &rank)
        guard status == 0 else { return result }
        for i in 0..<(r * s) { result.elements[i] = Double(b[i]) }
        return result
    }

    /// Solves `gram · X = cross` for a symmetric positive semi-definite `gram`: by Cholesky's
    /// method, or with the least norm when the columns behind it are dependent.
    public static func solveNormalEquations(gram: Matrix, cross: Matrix) -> Matrix {
        solvePositiveDefinite(gram: gram, cross: cross)
            ?? pseudoInverse(of: gram).multiplied(by: cross)
    }
}
