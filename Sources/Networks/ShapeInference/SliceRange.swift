/// The positions that a slice takes along one dimension: `count` of them from `start` on, each
/// `step` further.
package struct SliceRange: Sendable, Equatable {
    package let start: Int
    package let step: Int
    package let count: Int

    /// All of a dimension.
    package init(all size: Int) {
        start = 0
        step = 1
        count = size
    }

    /// From `start` to before `end`; negative ones count from the end of the dimension, and those
    /// outside are moved to its borders.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch` for a step of 0.
    package init(start: Int, end: Int, step: Int, size: Int) throws {
        guard step != 0 else { throw NetworkError(.shapeMismatch, "a slice's step is 0") }
        let start = start < 0 ? start + size : start
        let end = end < 0 ? end + size : end
        let lowest = step > 0 ? 0 : -1
        let highest = step > 0 ? size : size - 1
        let first = min(max(start, 0), highest)
        let last = min(max(end, lowest), highest)
        let distance = last - first
        let isEmpty = size == 0 || (step > 0 ? distance <= 0 : distance >= 0)
        self.start = isEmpty ? 0 : first
        count = isEmpty ? 0 : (distance - (step > 0 ? 1 : -1)) / step + 1
        // An absurd step that is never taken must not overflow when it is multiplied.
        self.step = count > 1 ? step : 1
    }

    /// The ranges of all dimensions of `shape` for the inputs of `Slice`; `axes` nil: the first ones.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch`.
    package static func ranges(
        of shape: [Int], starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?
    ) throws -> [SliceRange] {
        let axes = axes ?? Array(starts.indices)
        let steps = steps ?? starts.map { _ in 1 }
        guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count
        else {
            throw NetworkError(
                .shapeMismatch,
                "\(starts.count) starts, \(ends.count) ends, \(axes.count) axes and "
                    + "\(steps.count) steps")
        }
        var ranges = shape.map { SliceRange(all: $0) }
        for (i, axis) in try Axis.resolved(axes, rank: shape.count).enumerated() {
            ranges[axis] = try SliceRange(
                start: starts[i], end: ends[i], step: steps[i], size: shape[axis])
        }
        return ranges
    }
}
