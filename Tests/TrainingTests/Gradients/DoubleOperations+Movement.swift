import Networks

extension DoubleOperations {
    static func transpose(
        _ x: DoubleTensor, _ permutation: [Int]?, _ shape: [Int]
    ) -> DoubleTensor {
        let permutation = permutation ?? x.shape.indices.reversed()
        return DoubleTensor(shape: shape) { position in
            var from = position
            for (to, dimension) in permutation.enumerated() { from[dimension] = position[to] }
            return x[from]
        }
    }

    static func concat(_ parts: [DoubleTensor], axis: Int, _ shape: [Int]) -> DoubleTensor {
        let axis = dimension(axis, parts[0])
        return DoubleTensor(shape: shape) { position in
            var from = position
            var part = 0
            while from[axis] >= parts[part].shape[axis] {
                from[axis] -= parts[part].shape[axis]
                part += 1
            }
            return parts[part][from]
        }
    }

    static func split(_ x: DoubleTensor, axis: Int, _ shapes: [[Int]]) -> [DoubleTensor] {
        let axis = dimension(axis, x)
        var start = 0
        return shapes.map { shape in
            defer { start += shape[axis] }
            return DoubleTensor(shape: shape) { position in
                var from = position
                from[axis] += start
                return x[from]
            }
        }
    }

    static func slice(_ x: DoubleTensor, _ ranges: [SliceRange], _ shape: [Int]) -> DoubleTensor {
        DoubleTensor(shape: shape) { position in
            x[zip(position, ranges).map { $1.start + $0 * $1.step }]
        }
    }

    static func gather(
        _ x: DoubleTensor, _ indexes: DoubleTensor, axis: Int, _ shape: [Int]
    ) -> DoubleTensor {
        let axis = dimension(axis, x)
        let end = axis + indexes.shape.count
        return DoubleTensor(shape: shape) { position in
            let index = Int(indexes[Array(position[axis..<end])])
            let row = index < 0 ? index + x.shape[axis] : index
            return x[Array(position[..<axis]) + [row] + Array(position[end...])]
        }
    }

    static func pad(
        _ x: DoubleTensor, pads: [Int], axes: [Int]?, value: Double, _ shape: [Int]
    ) -> DoubleTensor {
        let axes = axes.map { $0.map { dimension($0, x) } } ?? Array(x.shape.indices)
        return DoubleTensor(shape: shape) { position in
            var from = position
            for (i, axis) in axes.enumerated() { from[axis] -= pads[i] }
            let isInside = zip(from, x.shape).allSatisfy { $0 >= 0 && $0 < $1 }
            return isInside ? x[from] : value
        }
    }
}
