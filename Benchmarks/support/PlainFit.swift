/// The authors' iteration for one slice, as a textbook has it: doubles, one loop after another,
/// nothing tuned. What the speed of `reference` mode is compared with.
///
/// A ≈ Q B: A is `[rows, width]`, Q `[rows, width]` of zeros and ±2^p, B `[width, width]`.
///
/// - Source: SmartDeal (arXiv 2101.01163), the decomposition algorithm without column scaling.
package struct PlainFit: Sendable {
    package private(set) var coefficients: [Double]
    package private(set) var basis: [Double]
    private let width: Int

    /// - Parameters:
    ///   - slice: A, row-major.
    ///   - threshold: coefficients below it become zero (theta).
    package init(
        _ slice: [Double], width: Int, threshold: Double = 4e-3, iterations: Int = 30,
        tolerance: Double = 1e-10, largest: Double = 32
    ) {
        self.width = width
        coefficients = slice
        basis = (0..<(width * width)).map { $0 % (width + 1) == 0 ? 1 : 0 }
        var previous: [Double]?
        for _ in 0..<(iterations - 1) {
            coefficients = coefficients.map { Self.powerOfTwo($0, largest: largest) }
            if let previous {
                let moved = zip(coefficients, previous).reduce(0) {
                    $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
                }
                if moved.squareRoot() < tolerance { break }
            }
            previous = coefficients
            guard let solution = basis(for: slice) else { return }
            basis = solution
            guard let next = unconstrainedCoefficients(for: slice) else { return }
            coefficients = next.map { abs($0) < threshold ? 0 : $0 }
        }
        coefficients = coefficients.map { Self.powerOfTwo($0, largest: largest) }
        if let solution = basis(for: slice) { basis = solution }
    }

    /// Q B, row-major.
    package var rebuilt: [Double] {
        let rows = coefficients.count / width
        var result = [Double](repeating: 0, count: coefficients.count)
        for row in 0..<rows {
            for j in 0..<width {
                for t in 0..<width {
                    result[row * width + t] +=
                        coefficients[row * width + j] * basis[j * width + t]
                }
            }
        }
        return result
    }

    /// The nearest power of two with the sign of `value`; 1.5 * 2^p goes to 2^p.
    private static func powerOfTwo(_ value: Double, largest: Double) -> Double {
        guard value != 0 else { return 0 }
        let magnitude = abs(value)
        let lower = magnitude.binade
        let nearest = magnitude > 1.5 * lower ? 2 * lower : lower
        return value < 0 ? -min(nearest, largest) : min(nearest, largest)
    }

    /// B = argmin ||A - Q B||, or nil when columns of Q are dependent.
    private func basis(for slice: [Double]) -> [Double]? {
        let rows = slice.count / width
        var gram = [Double](repeating: 0, count: width * width)
        var cross = gram
        for row in 0..<rows {
            for i in 0..<width {
                for j in 0..<width {
                    let q = coefficients[row * width + i]
                    gram[i * width + j] += q * coefficients[row * width + j]
                    cross[i * width + j] += q * slice[row * width + j]
                }
            }
        }
        return Self.solve(gram, cross, size: width)
    }

    /// Q = A B⁻¹, or nil when B has none.
    private func unconstrainedCoefficients(for slice: [Double]) -> [Double]? {
        let identity = (0..<(width * width)).map { $0 % (width + 1) == 0 ? 1.0 : 0 }
        guard let inverse = Self.solve(basis, identity, size: width) else { return nil }
        var result = [Double](repeating: 0, count: slice.count)
        for row in 0..<(slice.count / width) {
            for t in 0..<width {
                for j in 0..<width {
                    result[row * width + j] += slice[row * width + t] * inverse[t * width + j]
                }
            }
        }
        return result
    }

    /// X with `matrix` X = `right`, all `[size, size]`, by elimination with row pivots.
    private static func solve(_ matrix: [Double], _ right: [Double], size: Int) -> [Double]? {
        var matrix = matrix
        var right = right
        for column in 0..<size {
            var pivot = column
            for row in column..<size
            where abs(matrix[row * size + column]) > abs(matrix[pivot * size + column]) {
                pivot = row
            }
            guard abs(matrix[pivot * size + column]) > 1e-12 else { return nil }
            for k in 0..<size where pivot != column {
                matrix.swapAt(pivot * size + k, column * size + k)
                right.swapAt(pivot * size + k, column * size + k)
            }
            for row in 0..<size where row != column {
                let factor = matrix[row * size + column] / matrix[column * size + column]
                for k in 0..<size {
                    matrix[row * size + k] -= factor * matrix[column * size + k]
                    right[row * size + k] -= factor * right[column * size + k]
                }
            }
        }
        for row in 0..<size {
            let diagonal = matrix[row * size + row]
            for k in 0..<size { right[row * size + k] /= diagonal }
        }
        return right
    }
}
