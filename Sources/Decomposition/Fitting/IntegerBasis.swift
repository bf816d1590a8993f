import DenseMath
import PowerOfTwo

/// Rounding of a basis to int8 and one scale.
enum IntegerBasis {
    private static let largestInteger = 127.0

    /// Returns the integers nearest to `elements`, at most 127 in magnitude, and their scale, of
    /// the precision that files keep.
    static func rounded(_ elements: [Float]) -> (integers: [Int8], scale: Float) {
        let scale = FilterScales.rounded(largestMagnitude(elements) / 127)
        guard scale > 0, scale.isFinite else { return (elements.map { _ in 0 }, 0) }
        return (elements.map { Int8(nearestInteger(Double($0) / Double(scale))) }, scale)
    }

    /// The same for the basis B of coefficients Q: elements are rounded from the last row up, each
    /// making good for the rounding of those before, so that what grows least is
    /// ||Q (B - rounded B)|| and not the rounding itself.
    ///
    /// - Parameters:
    ///   - elements: B, `[rank, width]`.
    ///   - gram: Qᵀ Q, `[rank, rank]`.
    static func rounded(
        _ elements: [Float], gram: UnsafePointer<Double>, width: Int
    ) -> (integers: [Int8], scale: Float) {
        let largest = largestMagnitude(elements)
        let smallest = FilterScales.rounded(largest / 127)
        guard smallest > 0, smallest.isFinite else { return (elements.map { _ in 0 }, 0) }
        let rank = elements.count / width
        return withUnsafeTemporaryAllocation(
            of: Double.self, capacity: rank * rank + 2 * elements.count
        ) { buffer in
            guard let corrections = buffer.baseAddress,
                writeCorrections(gram, rank: rank, into: corrections)
            else { return rounded(elements) }
            let integers = corrections + rank * rank
            let best = integers + elements.count
            best.update(repeating: 0, count: elements.count)
            var least = Double.infinity
            var scale: Float = 0
            // A slightly coarser grid may happen to lie better.
            for levels in stride(from: Float(127), to: 95, by: -4) {
                let candidate = FilterScales.rounded(largest / levels)
                for (i, element) in elements.enumerated() {
                    integers[i] = Double(element) / Double(candidate)
                }
                let loss = round(integers, rank: rank, width: width, corrections: corrections)
                let squared = loss * Double(candidate) * Double(candidate)
                if squared < least {
                    least = squared
                    scale = candidate
                    best.update(from: integers, count: elements.count)
                }
            }
            return (elements.indices.map { Int8(best[$0]) }, scale)
        }
    }

    private static func largestMagnitude(_ elements: [Float]) -> Float {
        elements.reduce(0) { max($0, abs($1)) }
    }

    /// The nearest integer, halves to even, at most 127 in magnitude. Adding 1.5 · 2^52 leaves no
    /// bits for a fraction.
    private static func nearestInteger(_ value: Double) -> Double {
        let shifted = max(-largestInteger, min(largestInteger, value)) + 0x1.8p52
        return shifted - 0x1.8p52
    }

    /// Rounds `values` (`[rank, width]`) in place; returns ||Q E||² of the change E.
    private static func round(
        _ values: UnsafeMutablePointer<Double>, rank: Int, width: Int,
        corrections: UnsafePointer<Double>
    ) -> Double {
        var loss = 0.0
        for t in 0..<width {
            // ||Q E||² is Σ step_i² times the part of gram[i, i] that the rows above cannot make
            // good, which the diagonal of the corrections has.
            for i in stride(from: rank - 1, through: 0, by: -1) {
                let exact = values[i * width + t]
                let whole = nearestInteger(exact)
                let step = exact - whole
                values[i * width + t] = whole
                for k in 0..<i { values[k * width + t] += step * corrections[i * rank + k] }
                loss += step * step * corrections[i * rank + i]
            }
        }
        return loss
    }

    /// Writes what one unit of row i's rounding asks of the rows above it, the solution of
    /// gram[0..<i, 0..<i] u = gram[0..<i, i], and on the diagonal ||Q_i - Q u||². Returns false
    /// when the rows are dependent.
    private static func writeCorrections(
        _ gram: UnsafePointer<Double>, rank: Int, into result: UnsafeMutablePointer<Double>
    ) -> Bool {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: rank * rank + rank) { buffer in
            guard let leading = buffer.baseAddress else { return false }
            let column = leading + rank * rank
            for i in 0..<rank {
                for a in 0..<i {
                    for b in 0..<i { leading[a * i + b] = gram[a * rank + b] }
                    column[a] = gram[a * rank + i]
                }
                guard
                    SmallSolver.solvePositiveDefinite(
                        size: i, columns: 1, gram: leading, cross: column, smallestPivot: 1e-8)
                else { return false }
                var left = gram[i * rank + i]
                for k in 0..<i { left -= gram[i * rank + k] * column[k] }
                (result + i * rank).update(from: column, count: i)
                result[i * rank + i] = left
            }
            return true
        }
    }
}
