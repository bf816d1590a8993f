/// From which share kept on a kernel over kept positions is slower than a dense one.
package enum Crossover {
    /// The largest share at which the ratio of times is 1, on straight lines between what was
    /// measured.
    ///
    /// - Parameter points: shares kept, and the time divided by that of the dense kernel.
    /// - Returns: the share; 1 when it is no slower with everything kept, nil when it is slower at
    ///   every share measured.
    package static func share(_ points: [(kept: Double, ratio: Double)]) -> Double? {
        let points = points.sorted { $0.kept < $1.kept }
        guard let last = points.lastIndex(where: { $0.ratio <= 1 }) else { return nil }
        guard last + 1 < points.count else { return points[last].kept }
        let (low, high) = (points[last], points[last + 1])
        return low.kept + (high.kept - low.kept) * (1 - low.ratio) / (high.ratio - low.ratio)
    }
}
