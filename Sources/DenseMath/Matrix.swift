internal import COpenBLAS

/// A dense matrix of doubles, row-major, `[rows, columns]`.
public struct Matrix: Sendable, Equatable {
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    /// The elements, row after row; `rows * columns` of them.
    public var elements: [Double]

    /// Creates a matrix from its elements in row-major order.
    public init(rows: Int, columns: Int, elements: [Double]) {
        precondition(
            elements.count == rows * columns,
            "\(rows) x \(columns) needs \(rows * columns) elements, got \(elements.count)")
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    /// Creates a matrix whose elements are all `value`.
    public init(rows: Int, columns: Int, repeating value: Double = 0) {
        self.init(
            rows: rows, columns: columns, elements: Array(repeating: value, count: rows * columns))
    }

    /// Returns the identity, `[size, size]`.
    public static func identity(_ size: Int) -> Matrix {
        var result = Matrix(rows: size, columns: size)
        for i in 0..<size { result[i, i] = 1 }
        return result
    }

    /// The element in `row`, `column`.
    @inlinable
    public subscript(row: Int, column: Int) -> Double {
        get { elements[row * columns + column] }
        set { elements[row * columns + column] = newValue }
    }

    /// Returns the transpose, `[columns, rows]`.
    public var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows)
        for i in 0..<rows {
            for j in 0..<columns { result[j, i] = self[i, j] }
        }
        return result
    }

    /// Returns `self · other`, `[rows, other.columns]`, by OpenBLAS `dgemm`.
    public func multiplied(by other: Matrix) -> Matrix {
        precondition(
            columns == other.rows,
            "\(rows) x \(columns) cannot be multiplied by \(other.rows) x \(other.columns)")
        var result = Matrix(rows: rows, columns: other.columns)
        guard !result.elements.isEmpty, columns > 0 else { return result }
        cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(other.columns),
            blasint(columns), 1, elements, blasint(columns), other.elements,
            blasint(other.columns), 0, &result.elements, blasint(other.columns))
        return result
    }

    /// The square root of the sum of squares of all elements.
    public var frobeniusNorm: Double {
        elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
}
