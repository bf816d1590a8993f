import DenseMath
import PowerOfTwo

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The authors' iteration for one slice: A ≈ Q B, Q powers of two or zero, by alternating rounding,
/// least squares for B, least squares for Q's continuous form, and thresholds.
///
/// One value serves many slices one after another; it keeps the buffers. A is `[rows, width]`,
/// Q `[rows, rank]` with rank = width, B `[rank, width]`.
///
/// - Source: SmartDeal (arXiv 2101.01163) and SmartExchange (2005.03403), the decomposition
///   algorithm; agrees with the authors' published implementation.
final class AlternatingFit {
    /// Cholesky pivots and elimination pivots below this share mean a rank-deficient slice.
    private static let smallestPivot = 1e-8
    /// theta * decay^64 is nothing: a column that is empty then stays empty.
    private static let mostRestarts = 64

    private let kernels = ShiftKernels.selected
    private let options: LayerOptions
    private let width: Int
    private let rowsAreSparse: Bool
    private var columnsAreScaled: Bool
    /// Whether a system of the present slice was rank-deficient.
    private var isDeficient = false
    /// The best pass of a rank-deficient slice, while one is looked for.
    private var mostNonzeros = 0
    private var best: (error: Double, quantised: [Double], basis: [Double])?
    /// Length of a column: rows rounded up to whole lanes.
    private var stride = 0
    private var rows = 0
    private let target: UnsafeMutablePointer<Double>
    private let coefficients: UnsafeMutablePointer<Double>
    private let quantised: UnsafeMutablePointer<Double>
    /// width x width: gram, cross, basis, work, inverse; then the column scales.
    private let small: UnsafeMutablePointer<Double>
    private var gram: UnsafeMutablePointer<Double> { small }
    private var cross: UnsafeMutablePointer<Double> { small + width * width }
    private var basis: UnsafeMutablePointer<Double> { small + 2 * width * width }
    private var work: UnsafeMutablePointer<Double> { small + 3 * width * width }
    private var inverse: UnsafeMutablePointer<Double> { small + 4 * width * width }
    private var scale: UnsafeMutablePointer<Double> { small + 5 * width * width }

    /// - Parameters:
    ///   - largestRows: the most rows of a slice.
    ///   - rowsAreSparse: whether rows below 5 theta are dropped.
    init(width: Int, largestRows: Int, rowsAreSparse: Bool, options: LayerOptions) {
        self.width = width
        self.rowsAreSparse = rowsAreSparse
        columnsAreScaled = options.columnScaling
        self.options = options
        let length = (largestRows + 7) / 8 * 8 * width
        target = .allocate(capacity: length)
        coefficients = .allocate(capacity: length)
        quantised = .allocate(capacity: length)
        small = .allocate(capacity: 5 * width * width + width)
        small.update(repeating: 0, count: 5 * width * width + width)
    }

    deinit {
        target.deallocate()
        coefficients.deallocate()
        quantised.deallocate()
        small.deallocate()
    }

    /// Fits `count` rows (`[count, width]`). Afterwards ``columns``, ``basisElements`` and
    /// ``gramElements`` give the result.
    func fit(_ slice: UnsafePointer<Float>, rows count: Int) {
        rows = count
        stride = (count + 7) / 8 * 8
        guard load(slice) else {
            quantised.update(repeating: 0, count: stride * width)
            gram.update(repeating: 0, count: width * width)
            setIdentity()
            return
        }
        var threshold = options.threshold
        best = nil
        isDeficient = false
        for restart in 0...Self.mostRestarts {
            if iterate(threshold: threshold, mayRestart: restart < Self.mostRestarts) { break }
            threshold *= options.decay
        }
        guard isDeficient else { return }
        // Least squares cannot lead out of a rank-deficient Q, so the last pass need not be the
        // best one: look at all passes, with and without column scaling, and keep the best of
        // those that are as sparse.
        best = (.infinity, [], [])
        mostNonzeros = nonzeros
        for scaling in [options.columnScaling, !options.columnScaling] {
            columnsAreScaled = scaling
            _ = iterate(threshold: threshold, mayRestart: false)
            noteIfBest()
        }
        columnsAreScaled = options.columnScaling
        guard let best, best.error < .infinity else { return }
        for (index, value) in best.quantised.enumerated() { quantised[index] = value }
        useQuantised()
        for (index, value) in best.basis.enumerated() { basis[index] = value }
    }

    /// Moves the rows into columns; false when all are zero.
    private func load(_ slice: UnsafePointer<Float>) -> Bool {
        var bits: UInt32 = 0
        for t in 0..<width {
            let column = target + t * stride
            var from = slice + t
            for row in 0..<rows {
                let value = from.pointee
                bits |= value.bitPattern & 0x7FFF_FFFF
                column[row] = Double(value)
                from += width
            }
            for row in rows..<stride { column[row] = 0 }
        }
        return bits != 0
    }

    private var nonzeros: Int { (0..<(stride * width)).count { quantised[$0] != 0 } }

    /// Keeps a copy of Q and B when they are sparse enough leave less than all before.
    private func noteIfBest() {
        guard let known = best, nonzeros <= mostNonzeros else { return }
        var error = 0.0
        for row in 0..<rows {
            for t in 0..<width {
                var value = target[t * stride + row]
                for j in 0..<width {
                    value -= quantised[j * stride + row] * basis[j * width + t]
                }
                error += value * value
            }
        }
        guard error < known.error else { return }
        best = (
            error, Array(UnsafeBufferPointer(start: quantised, count: stride * width)),
            Array(UnsafeBufferPointer(start: basis, count: width * width))
        )
    }

    /// Q, column after column, each ``columnLength`` long with zeros below the rows: 0 or ±2^p.
    var columns: UnsafeMutablePointer<Double> { quantised }
    /// The rows rounded up to whole lanes.
    var columnLength: Int { stride }
    /// B, `[width, width]`.
    var basisElements: UnsafePointer<Double> { UnsafePointer(basis) }
    /// Qᵀ Q, `[width, width]`.
    var gramElements: UnsafePointer<Double> { UnsafePointer(gram) }

    /// The basis that fits Q best after its ``columns`` were changed.
    func refitBasis() {
        useQuantised()
        solveBasis()
    }

    /// Makes the products of Q anew; Q is left as it is.
    private func useQuantised() {
        coefficients.update(from: quantised, count: stride * width)
        for j in 0..<width { scale[j] = 1 }
        _ = quantise()
    }

    /// One run; false when theta emptied a column that column scaling needs.
    private func iterate(threshold: Double, mayRestart: Bool) -> Bool {
        coefficients.update(from: target, count: stride * width)
        quantised.update(repeating: 0, count: stride * width)
        setIdentity()
        inverse.update(from: basis, count: width * width)
        _ = scaleColumns(mayRestart: false)
        _ = quantise()
        for _ in 1..<options.iterations {
            solveBasis()
            noteIfBest()
            guard let moved = advance(threshold: threshold, mayRestart: mayRestart)
            else { return false }
            // The same Q has the same basis.
            if moved == 0 { return true }
            if moved.squareRoot() <= options.tolerance { break }
        }
        solveBasis()
        return true
    }

    /// Q = argmin ||A - Q B||, then the thresholds and rounding. Returns how much Q moved (its sum
    /// of squares), or nil when theta emptied a column that column scaling needs.
    private func advance(threshold: Double, mayRestart: Bool) -> Double? {
        work.update(from: basis, count: width * width)
        let rowThreshold = rowsAreSparse ? 5 * threshold : 0
        guard
            SmallSolver.invert(
                size: width, matrix: work, into: inverse, smallestPivot: Self.smallestPivot)
        else {
            isDeficient = true
            solveDeficientCoefficients(threshold: threshold, rowThreshold: rowThreshold)
            return scaleColumns(mayRestart: mayRestart) ? quantise() : nil
        }
        if columnsAreScaled {
            kernels.fitCoefficients(
                stride: stride, rank: width, width: width, target: target, inverse: inverse,
                threshold: threshold, rowThreshold: rowThreshold, coefficients: coefficients)
            return scaleColumns(mayRestart: mayRestart) ? quantise() : nil
        }
        var moved = 0.0
        kernels.fitStep(
            stride: stride, rank: width, width: width, target: target, inverse: inverse,
            threshold: threshold, rowThreshold: rowThreshold, largest: options.largestCoefficient,
            quantised: quantised, moved: &moved, gram: gram, cross: cross)
        return moved
    }

    private func setIdentity() {
        for i in 0..<(width * width) { basis[i] = i % (width + 1) == 0 ? 1 : 0 }
    }

    /// Sets the factor of each column for which rounding its logarithms loses least. An empty
    /// column has 1; when it was theta that emptied it and `mayRestart`, returns false.
    private func scaleColumns(mayRestart: Bool) -> Bool {
        for j in 0..<width {
            scale[j] = 1
            guard columnsAreScaled else { continue }
            let (count, sum) = kernels.fitColumnScale(
                stride: stride, column: UnsafePointer(coefficients + j * stride))
            if count > 0 {
                scale[j] = exp2(sum / count)
            } else if mayRestart, columnIsNotEmptyWithoutThreshold(j) {
                return false
            }
        }
        return true
    }

    private func columnIsNotEmptyWithoutThreshold(_ j: Int) -> Bool {
        for row in 0..<rows {
            var value = 0.0
            for t in 0..<width { value += target[t * stride + row] * inverse[t * width + j] }
            if value != 0 { return true }
        }
        return false
    }

    private func quantise() -> Double {
        var moved = 0.0
        kernels.fitQuantise(
            stride: stride, rank: width, width: width, coefficients: coefficients, scale: scale,
            largest: options.largestCoefficient, target: target, quantised: quantised,
            moved: &moved, gram: gram, cross: cross)
        return moved
    }

    /// B = argmin ||A - Q B||.
    private func solveBasis() {
        work.update(from: gram, count: width * width)
        if SmallSolver.solvePositiveDefinite(
            size: width, columns: width, gram: work, cross: cross,
            smallestPivot: Self.smallestPivot)
        {
            basis.update(from: cross, count: width * width)
            return
        }
        isDeficient = true
        let solution = LeastSquares.solve(rowMajor(quantised), rowMajor(target))
        for i in 0..<(width * width) { basis[i] = solution.elements[i] }
    }

    /// The coefficients for a basis that has no inverse: of least norm, then the thresholds.
    private func solveDeficientCoefficients(threshold: Double, rowThreshold: Double) {
        let transposedBasis = Matrix(
            rows: width, columns: width,
            elements: Array(UnsafeBufferPointer(start: basis, count: width * width))
        ).transposed
        let solution = LeastSquares.solve(
            transposedBasis, rowMajor(target).transposed)
        coefficients.update(repeating: 0, count: stride * width)
        for row in 0..<rows {
            let size = (0..<width).reduce(0) { $0 + abs(solution[$1, row]) }
            for j in 0..<width where size >= rowThreshold && abs(solution[j, row]) >= threshold {
                coefficients[j * stride + row] = solution[j, row]
            }
        }
        // What the column would be without theta: P = B's pseudo-inverse.
        let pseudo = LeastSquares.pseudoInverse(of: transposedBasis.transposed)
        for i in 0..<(width * width) { inverse[i] = pseudo.elements[i] }
    }

    private func rowMajor(_ columns: UnsafeMutablePointer<Double>) -> Matrix {
        var result = Matrix(rows: rows, columns: width)
        for row in 0..<rows {
            for j in 0..<width { result[row, j] = columns[j * stride + row] }
        }
        return result
    }
}
