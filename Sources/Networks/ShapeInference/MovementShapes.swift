internal import DenseMath

// Shapes of what moves elements without computing.

extension Operation {
    /// The shape that `reshape`, `flatten`, `squeeze` or `unsqueeze` gives.
    func regroupedShape(_ inputs: Operands) throws -> [Int] {
        let x = try inputs.required(0).shape
        switch self {
        case .reshape(let allowsZero):
            return try Self.reshaped(x, to: inputs.list(1), allowsZero: allowsZero)
        case .flatten(let axis):
            let split =
                axis == x.count ? x.count : try Axis.resolved(axis, rank: x.count)
            return [x[..<split].reduce(1, *), x[split...].reduce(1, *)]
        case .squeeze(let axes):
            guard let axes else { return x.filter { $0 != 1 } }
            let gone = Set(try Axis.resolved(axes, rank: x.count))
            guard gone.allSatisfy({ x[$0] == 1 }) else {
                throw NetworkError(
                    .shapeMismatch, "only dimensions of 1 can go: axes \(axes) of \(x)")
            }
            return x.indices.filter { !gone.contains($0) }.map { x[$0] }
        case .unsqueeze(let axes):
            guard axes.count <= ValueLimit.dimensions else {
                throw NetworkError(.tooLarge, "\(axes.count) new dimensions")
            }
            let rank = x.count + axes.count
            let new = Set(try Axis.resolved(axes, rank: rank))
            var rest = x[...]
            return (0..<rank).map { new.contains($0) ? 1 : rest.removeFirst() }
        default: return x
        }
    }

    private static func reshaped(_ x: [Int], to list: [Int], allowsZero: Bool) throws -> [Int] {
        func mismatch(_ why: String) -> NetworkError {
            NetworkError(.shapeMismatch, "\(x) cannot take the shape \(list): \(why)")
        }
        guard list.count <= ValueLimit.dimensions else {
            throw NetworkError(.tooLarge, "a shape of \(list.count) dimensions")
        }
        var shape = list
        for (i, size) in list.enumerated() where size == 0 && !allowsZero {
            guard i < x.count else { throw mismatch("there is no dimension \(i) to keep") }
            shape[i] = x[i]
        }
        let free = shape.indices.filter { shape[$0] == -1 }
        let known = shape.filter { $0 != -1 }
        try ValueLimit.check(known)
        let (count, product) = (x.reduce(1, *), known.reduce(1, *))
        guard free.count <= 1 else { throw mismatch("only one dimension can be -1") }
        if let free = free.first {
            guard product > 0, count % product == 0 else {
                throw mismatch("nothing fits the -1")
            }
            shape[free] = count / product
        } else if product != count {
            throw mismatch("\(count) elements for \(product)")
        }
        return shape
    }

    static func transposed(_ x: ValueInfo, _ permutation: [Int]?) throws -> ValueInfo {
        x.with(shape: try resolved(permutation, rank: x.shape.count).map { x.shape[$0] })
    }

    /// For each dimension of a transpose the one it comes from; nil: reversed.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch`.
    package static func resolved(_ permutation: [Int]?, rank: Int) throws -> [Int] {
        guard let permutation else { return (0..<rank).reversed() }
        guard permutation.count == rank else {
            throw NetworkError(
                .shapeMismatch, "the permutation \(permutation) is not one of \(rank) dimensions")
        }
        return try Axis.resolved(permutation, rank: rank)
    }

    static func concatenated(_ inputs: Operands, axis: Int) throws -> ValueInfo {
        var shape = try inputs.required(0).shape
        let axis = try Axis.resolved(axis, rank: shape.count)
        for index in 1..<max(inputs.count, 1) {
            var other = try inputs.required(index).shape
            let size = other.count == shape.count ? other[axis] : 0
            if other.count == shape.count { other[axis] = shape[axis] }
            guard other == shape else {
                throw NetworkError(
                    .shapeMismatch,
                    "input \(index) of shape \(try inputs.required(index).shape) cannot follow "
                        + "\(try inputs.required(0).shape) along axis \(axis)")
            }
            shape[axis] += size
        }
        return ValueInfo(try inputs.commonType(0..<inputs.count), shape)
    }

    static func parts(
        _ x: ValueInfo, axis: Int, sizes: [Int]?, count: Int
    ) throws -> [ValueInfo] {
        let axis = try Axis.resolved(axis, rank: x.shape.count)
        let size = x.shape[axis]
        let sizes = try sizes ?? equalParts(of: size, count: count)
        var rest = size
        for part in sizes where part >= 0 && rest >= 0 {
            rest = rest.subtractingReportingOverflow(part).partialValue
        }
        guard sizes.count == count, sizes.allSatisfy({ $0 >= 0 }), rest == 0 else {
            throw NetworkError(
                .shapeMismatch,
                "\(sizes.prefix(64)) is no split of axis \(axis) of \(x.shape) into \(count) parts")
        }
        return sizes.map { part in
            var shape = x.shape
            shape[axis] = part
            return x.with(shape: shape)
        }
    }

    /// Parts as long as each other, but for the last when `size` does not divide.
    private static func equalParts(of size: Int, count: Int) throws -> [Int] {
        guard count > 0 else { throw NetworkError(.invalidNode, "it has no outputs") }
        let part = (size + count - 1) / count
        guard part * (count - 1) <= size else {
            throw NetworkError(
                .shapeMismatch, "a dimension of \(size) cannot be split into \(count) equal parts")
        }
        return (0..<count).map { min(part, size - $0 * part) }
    }

    /// What a `Slice` with these inputs takes of each dimension.
    static func sliceRanges(_ inputs: Operands) throws -> [SliceRange] {
        try SliceRange.ranges(
            of: inputs.required(0).shape, starts: inputs.list(1), ends: inputs.list(2),
            axes: inputs.optionalList(3), steps: inputs.optionalList(4))
    }

    static func gathered(_ inputs: Operands, axis: Int) throws -> ValueInfo {
        let (data, indexes) = (try inputs.required(0), try inputs.integers(1))
        let axis = try Axis.resolved(axis, rank: data.shape.count)
        return data.with(shape: data.shape[..<axis] + indexes.shape + data.shape[(axis + 1)...])
    }

    static func shapeOfShape(_ x: ValueInfo, start: Int, end: Int?) -> ValueInfo {
        let rank = x.shape.count
        func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + rank : index, 0), rank) }
        let first = clamped(start)
        let sizes = x.shape[first..<max(first, end.map(clamped) ?? rank)].map { Int64($0) }
        return ValueInfo(
            .int64, [sizes.count], constant: Tensor(shape: [sizes.count], integers: sizes))
    }

    /// How many numbers a `Range` with these inputs has.
    static func rangeCount(_ inputs: Operands) throws -> Int {
        let type = try inputs.commonType(0...2)
        let limits = try (0...2).map { try inputs.scalar($0) }
        guard type.kind == .float32 else {
            let values = limits.map { $0.integers[0] }
            return try rangeCount(start: values[0], limit: values[1], delta: values[2])
        }
        let values = limits.map { Double($0.floats[0]) }
        let count = ((values[1] - values[0]) / values[2]).rounded(.up)
        guard values[2] != 0, count.isFinite else {
            throw NetworkError(.shapeMismatch, "a range of start, limit, delta \(values)")
        }
        guard count <= Double(ValueLimit.elements) else {
            throw NetworkError(.tooLarge, "a range of \(count) elements")
        }
        return max(0, Int(count))
    }

    private static func rangeCount(start: Int64, limit: Int64, delta: Int64) throws -> Int {
        guard delta != 0 else { throw NetworkError(.shapeMismatch, "a range of delta 0") }
        guard delta > 0 ? limit > start : limit < start else { return 0 }
        // The distance of two 64-bit integers needs all 64 bits.
        let distance = UInt64(bitPattern: delta > 0 ? limit &- start : start &- limit)
        let count = (distance - 1) / delta.magnitude
        guard count < UInt64(ValueLimit.elements) else {
            throw NetworkError(.tooLarge, "a range of \(count) elements")
        }
        return Int(count) + 1
    }
}

/// What a `Pad` adds to each dimension, or takes from it where negative.
package struct PaddedDimensions: Sendable, Equatable {
    package let begin: [Int]
    package let end: [Int]
    /// The shape after.
    package let shape: [Int]

    /// - Throws: ``NetworkError``.
    init(_ inputs: Operands, _ mode: Operation.Padding) throws {
        if let value = inputs.optional(2) {
            _ = try inputs.commonType([0, 2])
            guard value.shape.allSatisfy({ $0 == 1 }) else {
                throw NetworkError(
                    .shapeMismatch, "the value of pads must be one number, found \(value.shape)")
            }
        }
        try self.init(
            shape: inputs.required(0).shape, pads: inputs.list(1), axes: inputs.optionalList(3),
            mode)
    }

    /// - Parameters:
    ///   - pads: all beginnings, then all ends.
    ///   - axes: the dimensions that `pads` is about; nil: all.
    /// - Throws: ``NetworkError`` `.shapeMismatch`, or `.tooLarge`.
    package init(shape: [Int], pads: [Int], axes: [Int]?, _ mode: Operation.Padding) throws {
        let axes = try axes.map { try Axis.resolved($0, rank: shape.count) } ?? Array(shape.indices)
        guard pads.count == 2 * axes.count else {
            throw NetworkError(
                .shapeMismatch, "\(pads.count) pads for \(axes.count) dimensions of \(shape)")
        }
        var (begin, end) = (shape.map { _ in 0 }, shape.map { _ in 0 })
        for (i, axis) in axes.enumerated() {
            (begin[axis], end[axis]) = (pads[i], pads[i + axes.count])
        }
        let limit = -ValueLimit.elements...ValueLimit.elements
        guard pads.allSatisfy(limit.contains) else {
            throw NetworkError(.tooLarge, "the pads \(pads.prefix(64)) of \(shape)")
        }
        for (axis, size) in shape.enumerated() {
            let kept = size + min(begin[axis], 0) + min(end[axis], 0)
            let most = max(begin[axis], end[axis])
            let fits =
                switch mode {
                case .constant: true
                case .edge: kept > 0 || most <= 0
                case .reflect: kept > most || most <= 0
                }
            guard kept >= 0, fits else {
                throw NetworkError(
                    .shapeMismatch,
                    "axis \(axis) of \(shape) cannot get the \(mode.rawValue) pads \(begin[axis]) "
                        + "and \(end[axis])")
            }
        }
        self.begin = begin
        self.end = end
        self.shape = shape.indices.map { shape[$0] + begin[$0] + end[$0] }
        try ValueLimit.check(self.shape)
    }
}
