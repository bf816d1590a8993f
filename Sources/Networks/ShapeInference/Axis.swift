/// Dimensions given by number, negative ones counted from the end.
package enum Axis {
    /// The dimension that `axis` is, 0 to `rank` - 1.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch`.
    package static func resolved(_ axis: Int, rank: Int) throws -> Int {
        guard axis >= -rank, axis < rank else {
            throw NetworkError(
                .shapeMismatch, "axis \(axis) does not exist among \(rank) dimensions")
        }
        return axis < 0 ? axis + rank : axis
    }

    /// The dimensions that `axes` are, in the order given.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch` also for a dimension that is given twice.
    package static func resolved(_ axes: [Int], rank: Int) throws -> [Int] {
        var seen = Set<Int>()
        return try axes.map { axis in
            let resolved = try resolved(axis, rank: rank)
            guard seen.insert(resolved).inserted else {
                throw NetworkError(.shapeMismatch, "axis \(axis) is given twice")
            }
            return resolved
        }
    }
}

/// How many elements lie between neighbours along each dimension, row-major.
///
/// The shape must have passed ``ValueLimit/check(_:)``.
package func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for dimension in shape.indices.dropLast().reversed() {
        strides[dimension] = strides[dimension + 1] * max(shape[dimension + 1], 1)
    }
    return strides
}
