/// Σ (a - b)² and Σ a², in sixteen lanes of single precision a block, double over blocks.
package struct SquaredDistance: Sendable {
    package var difference = 0.0
    package var norm = 0.0
    private typealias Lanes = SIMD16<Float>
    /// Blocks short enough for single precision.
    private static let block = 1024

    package init(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) {
        let count = min(a.count, b.count)
        guard let a = a.baseAddress, let b = b.baseAddress else { return }
        for begin in stride(from: 0, to: count, by: Self.block) {
            let end = min(begin + Self.block, count)
            var difference = Lanes.zero
            var norm = Lanes.zero
            for index in stride(from: begin, to: end, by: Lanes.scalarCount) {
                let x = Self.lanes(a, at: index, end: end)
                let step = x - Self.lanes(b, at: index, end: end)
                difference += step * step
                norm += x * x
            }
            var sums = (difference: Double(difference.sum()), norm: Double(norm.sum()))
            if !Self.isInRange(sums.norm) || !(sums.difference <= 1e30) {
                sums = (0, 0)
                for index in begin..<end {
                    let x = Double(a[index])
                    let step = x - Double(b[index])
                    sums.difference += step * step
                    sums.norm += x * x
                }
            }
            self.difference += sums.difference
            self.norm += sums.norm
        }
    }

    /// Whether a block's squares were within what single precision sums well; those of weights far
    /// from 1 leave its range.
    private static func isInRange(_ squares: Double) -> Bool { (1e-20...1e30).contains(squares) }

    /// The largest |a - b|.
    package static func largest(
        _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>
    ) -> Float {
        var result: Float = 0
        for index in 0..<min(a.count, b.count) { result = max(result, abs(a[index] - b[index])) }
        return result
    }

    /// Σ a².
    static func squares(_ a: UnsafeBufferPointer<Float>) -> Double {
        guard let base = a.baseAddress else { return 0 }
        var sum = 0.0
        for begin in stride(from: 0, to: a.count, by: block) {
            let end = min(begin + block, a.count)
            var squares = Lanes.zero
            for index in stride(from: begin, to: end, by: Lanes.scalarCount) {
                let x = lanes(base, at: index, end: end)
                squares += x * x
            }
            let block = Double(squares.sum())
            sum +=
                isInRange(block)
                ? block : (begin..<end).reduce(0) { $0 + Double(base[$1]) * Double(base[$1]) }
        }
        return sum
    }

    /// Whether no value is NaN or infinite: those stay NaN when multiplied by zero.
    static func isFinite(_ a: UnsafeBufferPointer<Float>) -> Bool {
        guard let base = a.baseAddress else { return true }
        var zeros = Lanes.zero
        for index in stride(from: 0, to: a.count, by: Lanes.scalarCount) {
            zeros += lanes(base, at: index, end: a.count) * 0
        }
        return zeros.sum() == 0
    }

    /// Sixteen values from `index` on, zeros from `end` on.
    @inline(__always)
    private static func lanes(_ from: UnsafePointer<Float>, at index: Int, end: Int) -> Lanes {
        if index + Lanes.scalarCount <= end {
            return UnsafeRawPointer(from + index).loadUnaligned(as: Lanes.self)
        }
        var result = Lanes.zero
        for i in index..<end { result[i - index] = from[i] }
        return result
    }
}
