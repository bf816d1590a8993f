/// The ends of some values.
package struct ValueRange: Sendable, Equatable {
    package var minimum: Float
    package var maximum: Float

    package init(_ minimum: Float, _ maximum: Float) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// From the mean of the minima to the mean of the maxima.
    init(meanOf ranges: [ValueRange]) {
        let count = Double(ranges.count)
        self.init(
            Float(ranges.reduce(0.0) { $0 + Double($1.minimum) } / count),
            Float(ranges.reduce(0.0) { $0 + Double($1.maximum) } / count))
    }

    /// The least range that holds all.
    init(of ranges: [ValueRange]) {
        self.init(
            ranges.reduce(.infinity) { min($0, $1.minimum) },
            ranges.reduce(-.infinity) { max($0, $1.maximum) })
    }

    /// The distance of neighbours among 2^bits levels of which the first and the last are the ends;
    /// 0 leaves values as they are.
    func step(bits: Int) -> Float { (maximum - minimum) / Self.top(bits: bits) }

    /// The number of the last level.
    static func top(bits: Int) -> Float { Float((1 << bits) - 1) }
}
