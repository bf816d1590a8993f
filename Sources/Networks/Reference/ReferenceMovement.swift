internal import DenseMath

// What moves elements: each result is a list of the positions its elements come from.

extension Reference {
    static func transpose(_ x: Tensor, _ permutation: [Int]?) throws -> Tensor {
        let permutation = try Operation.resolved(permutation, rank: x.rank)
        let strides = rowMajorStrides(x.shape)
        let shape = permutation.map { x.shape[$0] }
        return elements(
            of: x, at: offsets(shape, strides: permutation.map { strides[$0] }), shape: shape)
    }

    static func expand(_ x: Tensor, _ shape: [Int]) throws -> Tensor {
        let broadcast = try Broadcast([x.shape, shape])
        return elements(of: x, at: offsets(shape, strides: broadcast.strides[0]), shape: shape)
    }

    static func slice(_ x: Tensor, _ ranges: [SliceRange]) -> Tensor {
        let lists = zip(ranges, rowMajorStrides(x.shape)).map { range, stride in
            (0..<range.count).map { (range.start + $0 * range.step) * stride }
        }
        return elements(of: x, at: grid(lists), shape: ranges.map(\.count))
    }

    static func split(_ x: Tensor, axis: Int, into shapes: [[Int]]) throws -> [Tensor] {
        let axis = try Axis.resolved(axis, rank: x.rank)
        var start = 0
        return try shapes.map { shape in
            var ranges = x.shape.map { SliceRange(all: $0) }
            ranges[axis] = try SliceRange(
                start: start, end: start + shape[axis], step: 1, size: x.shape[axis])
            start += shape[axis]
            return slice(x, ranges)
        }
    }

    static func concat(_ parts: [Tensor], axis: Int, shape: [Int]) throws -> Tensor {
        let axis = try Axis.resolved(axis, rank: shape.count)
        // For each outer index the rows of all parts, one after the other.
        let outer = shape[..<axis].reduce(1, *)
        let rows = parts.map { $0.shape[axis...].reduce(1, *) }
        func joined<Element>(_ elements: [[Element]]) -> [Element] {
            (0..<outer).flatMap { index in
                zip(elements, rows).flatMap { $0[(index * $1)..<((index + 1) * $1)] }
            }
        }
        return switch parts[0].kind {
        case .float32: Tensor(shape: shape, joined(parts.map(\.floats)))
        case .int64: Tensor(shape: shape, integers: joined(parts.map(\.integers)))
        }
    }

    static func gather(
        _ data: Tensor, _ indexes: Tensor, axis: Int, shape: [Int]
    ) throws -> Tensor {
        let axis = try Axis.resolved(axis, rank: data.rank)
        let size = data.shape[axis]
        let positions = try indexes.integers.map { index in
            guard index >= -Int64(size), index < Int64(size) else {
                throw NetworkError(
                    .shapeMismatch,
                    "the index \(index) does not exist along axis \(axis) of \(data.shape)")
            }
            return index < 0 ? Int(index) + size : Int(index)
        }
        var lists = data.shape.map { Array(0..<$0) }
        lists[axis] = positions
        let strides = rowMajorStrides(data.shape)
        let offsets = grid(zip(lists, strides).map { list, stride in list.map { $0 * stride } })
        return elements(of: data, at: offsets, shape: shape)
    }

    static func pad(
        _ x: Tensor, _ padded: PaddedDimensions, _ mode: Operation.Padding, value: Tensor?
    ) -> Tensor {
        // For each dimension the source of each position, nil where there is none.
        let sources = x.shape.indices.map { axis in
            (0..<padded.shape[axis]).map { position in
                source(
                    position, size: x.shape[axis], begin: padded.begin[axis],
                    end: padded.end[axis], mode)
            }
        }
        func offsets(_ shape: [Int], _ position: (Int, Int) -> Int) -> [Int] {
            grid(
                zip(sources, rowMajorStrides(shape)).map { sources, stride in
                    sources.enumerated().compactMap { to, from in
                        from.map { position(to, $0) * stride }
                    }
                })
        }
        let to = offsets(padded.shape) { to, _ in to }
        let from = offsets(x.shape) { _, from in from }
        let count = padded.shape.reduce(1, *)
        func filled<Element>(_ elements: [Element], _ value: Element) -> [Element] {
            var result = [Element](repeating: value, count: count)
            for (to, from) in zip(to, from) { result[to] = elements[from] }
            return result
        }
        switch x.kind {
        case .float32:
            return Tensor(shape: padded.shape, filled(x.floats, value?.floats[0] ?? 0))
        case .int64:
            return Tensor(
                shape: padded.shape, integers: filled(x.integers, value?.integers[0] ?? 0))
        }
    }

    /// Where the element at `position` of a padded dimension comes from.
    private static func source(
        _ position: Int, size: Int, begin: Int, end: Int, _ mode: Operation.Padding
    ) -> Int? {
        // What negative pads crop is gone before anything is repeated.
        let kept = max(0, -begin)..<(size + min(end, 0))
        let index = position - begin
        if kept.contains(index) { return index }
        return switch mode {
        case .constant: nil
        case .edge: index < kept.lowerBound ? kept.lowerBound : kept.upperBound - 1
        case .reflect:
            index < kept.lowerBound
                ? 2 * kept.lowerBound - index : 2 * (kept.upperBound - 1) - index
        }
    }

    static func constant(_ value: Operation.Constant, _ shape: [Int]) -> Tensor {
        let count = shape.reduce(1, *)
        return switch value {
        case .float(let value): Tensor(shape: shape, [Float](repeating: value, count: count))
        case .integer(let value, _):
            Tensor(shape: shape, integers: [Int64](repeating: value, count: count))
        }
    }

    static func range(start: Tensor, delta: Tensor, count: Int, _ type: ScalarType) -> Tensor {
        if type.kind == .float32 {
            let (start, delta) = (start.floats[0], delta.floats[0])
            return Tensor(shape: [count], (0..<count).map { start + Float($0) * delta })
        }
        let (start, delta) = (start.integers[0], delta.integers[0])
        // Steps of a delta beyond half the range of a type may overflow on the way.
        return Tensor(
            shape: [count],
            integers: (0..<count).map { type.wrapped(start &+ Int64($0) &* delta) })
    }
}
