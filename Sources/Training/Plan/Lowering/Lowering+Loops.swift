internal import DenseMath
internal import DensePrimitives
internal import Foundation
internal import Networks

extension PlanBuilder {
    /// Functions of two values, broadcast, by plain loops.
    mutating func lowerBinary(
        _ step: TrainingGraph.Step, _ function: Networks.Operation.Binary
    ) throws -> Backward {
        guard let formula = function.formula else {
            throw TrainingError(
                .notDifferentiable, "'\(function.rawValue)' has no gradient", path: step.node)
        }
        let y = step.outputs[0]
        // Operands in one order with the result: broadcast ones are row-major, as the graph says.
        let shape = draft.value(y).shape
        let indexes = try step.inputs.map {
            try ElementIndexes.broadcast(draft.value($0).shape, to: shape)
        }
        let places = try step.inputs.map { try draft.read($0) }
        let result = draft.define(y)
        draft.emit {
            let (a, b) = (try places[0].floats(), try places[1].floats())
            let y = try result.floats()
            return {
                for i in indexes[0].indices {
                    y[i] = Float(
                        formula.value(Double(a[indexes[0][i]]), Double(b[indexes[1][i]])))
                }
            }
        }
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            for operand in 0..<2 {
                let number = step.inputs[operand]
                guard builder.draft.value(number).needsGradient else { continue }
                places.forEach(builder.draft.use)
                let count = builder.draft.count(number)
                let result = builder.draft.buffer(bytes: builder.draft.bytes(number))
                builder.draft.emit {
                    let (a, b) = (try places[0].floats(), try places[1].floats())
                    let (dy, dx) = (try gradient.floats(), try result.floats())
                    return {
                        var sums = [Double](repeating: 0, count: count)
                        for i in indexes[0].indices {
                            let (a, b) = (Double(a[indexes[0][i]]), Double(b[indexes[1][i]]))
                            let slopes = formula.slopes(a, b)
                            sums[indexes[operand][i]] +=
                                Double(dy[i]) * (operand == 0 ? slopes.a : slopes.b)
                        }
                        for i in 0..<count { dx[i] = Float(sums[i]) }
                    }
                }
                try builder.draft.give(result, to: number)
            }
        }
    }

    /// Over one dimension.
    mutating func lowerSoftmax(_ step: TrainingGraph.Step, axis: Int) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let layout = try draft.layout(x)
        let shape = draft.value(x).shape
        let axis = axis < 0 ? axis + shape.count : axis
        let source = try draft.read(x)
        let result = draft.define(y)
        draft.emit(
            try .softmax(axis: axis, layout),
            [(.source, layout, source), (.target, layout, result)])
        let length = shape[axis]
        let inner = shape[(axis + 1)...].reduce(1, *)
        let outer = shape[..<axis].reduce(1, *)
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            builder.draft.use(result)
            let target = builder.draft.buffer(bytes: builder.draft.bytes(x))
            builder.draft.emit {
                let (y, dy, dx) = (
                    try result.floats(), try gradient.floats(), try target.floats()
                )
                return {
                    for line in 0..<(outer * inner) {
                        let first = line / inner * length * inner + line % inner
                        var sum = 0.0
                        for k in 0..<length {
                            let i = first + k * inner
                            sum += Double(y[i]) * Double(dy[i])
                        }
                        for k in 0..<length {
                            let i = first + k * inner
                            dx[i] = Float(Double(y[i]) * (Double(dy[i]) - sum))
                        }
                    }
                }
            }
            try builder.draft.give(target, to: x)
        }
    }

    /// Over all dimensions from `axis` on, by plain loops.
    mutating func lowerLayerNormalization(
        _ step: TrainingGraph.Step, axis: Int, epsilon: Float
    ) throws -> Backward {
        let (x, y, scale) = (step.inputs[0], step.outputs[0], step.inputs[1])
        let bias = step.inputs.count > 2 && step.inputs[2] >= 0 ? step.inputs[2] : nil
        let shape = draft.value(x).shape
        let axis = axis < 0 ? axis + shape.count : axis
        let length = shape[axis...].reduce(1, *)
        let rows = shape[..<axis].reduce(1, *)
        let normalized = Array(shape[axis...])
        let scaleIndexes = try ElementIndexes.broadcast(draft.value(scale).shape, to: normalized)
        let biasIndexes = try bias.map {
            try ElementIndexes.broadcast(draft.value($0).shape, to: normalized)
        }
        let source = try draft.read(x)
        let scalePlace = try draft.read(scale)
        let biasPlace = try bias.map { try draft.read($0) }
        let result = draft.define(y)
        draft.emit {
            let (x, y) = (try source.floats(), try result.floats())
            let scale = try scalePlace.floats()
            let bias = try biasPlace?.floats()
            return {
                for row in 0..<rows {
                    let moments = RowMoments(x + row * length, count: length, epsilon: epsilon)
                    for i in 0..<length {
                        let value =
                            moments.normalized(x[row * length + i])
                            * Double(scale[scaleIndexes[i]])
                        let shift = biasIndexes.flatMap { indexes in bias.map { $0[indexes[i]] } }
                        y[row * length + i] = Float(value + Double(shift ?? 0))
                    }
                }
            }
        }
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            builder.draft.use(source)
            let scalePlace = try builder.draft.read(scale)
            let xGradient = builder.draft.buffer(bytes: builder.draft.bytes(x))
            let scaleGradient = builder.draft.buffer(bytes: builder.draft.bytes(scale))
            let biasGradient = bias.map { builder.draft.buffer(bytes: builder.draft.bytes($0)) }
            let scaleCount = builder.draft.count(scale)
            let biasCount = bias.map { builder.draft.count($0) } ?? 0
            builder.draft.emit {
                let (x, dy, dx) = (
                    try source.floats(), try gradient.floats(), try xGradient.floats()
                )
                let (scale, dScale) = (try scalePlace.floats(), try scaleGradient.floats())
                let dBias = try biasGradient?.floats()
                return {
                    var scaleSums = [Double](repeating: 0, count: scaleCount)
                    var biasSums = [Double](repeating: 0, count: biasCount)
                    for row in 0..<rows {
                        let first = row * length
                        let moments = RowMoments(x + first, count: length, epsilon: epsilon)
                        var (sum, product) = (0.0, 0.0)
                        for i in 0..<length {
                            let g = Double(dy[first + i])
                            let h = moments.normalized(x[first + i])
                            scaleSums[scaleIndexes[i]] += g * h
                            if let biasIndexes { biasSums[biasIndexes[i]] += g }
                            let slope = g * Double(scale[scaleIndexes[i]])
                            sum += slope
                            product += slope * h
                        }
                        for i in 0..<length {
                            let slope =
                                Double(dy[first + i]) * Double(scale[scaleIndexes[i]])
                            let h = moments.normalized(x[first + i])
                            dx[first + i] = Float(
                                moments.inverse
                                    * (slope - (sum + h * product) / Double(length)))
                        }
                    }
                    for i in 0..<scaleCount { dScale[i] = Float(scaleSums[i]) }
                    if let dBias { for i in 0..<biasCount { dBias[i] = Float(biasSums[i]) } }
                }
            }
            try builder.draft.give(xGradient, to: x)
            try builder.draft.give(scaleGradient, to: scale)
            if let bias, let biasGradient { try builder.draft.give(biasGradient, to: bias) }
        }
    }

    /// Mean or sum over some dimensions.
    mutating func lowerReduction(
        _ step: TrainingGraph.Step, _ reduction: Networks.Operation.Reduction, axes: [Int]?
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        guard reduction == .mean || reduction == .sum else {
            throw TrainingError(
                .notDifferentiable, "reduction by '\(reduction.rawValue)' has no gradient here",
                path: step.node)
        }
        let shape = draft.value(x).shape
        let reduced = Set((axes ?? Array(shape.indices)).map { $0 < 0 ? $0 + shape.count : $0 })
        let kept = shape.enumerated().map { reduced.contains($0.offset) ? 1 : $0.element }
        let indexes = try ElementIndexes.broadcast(kept, to: shape)
        let results = draft.count(y)
        let factor =
            reduction == .mean ? Double(results) / Double(max(1, draft.count(x))) : 1
        let source = try draft.read(x)
        let result = draft.define(y)
        draft.emit {
            let (x, y) = (try source.floats(), try result.floats())
            return {
                var sums = [Double](repeating: 0, count: results)
                for i in indexes.indices { sums[indexes[i]] += Double(x[i]) }
                for i in 0..<results { y[i] = Float(sums[i] * factor) }
            }
        }
        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let target = builder.draft.buffer(bytes: builder.draft.bytes(x))
            builder.draft.emit {
                let (dy, dx) = (try gradient.floats(), try target.floats())
                return {
                    for i in indexes.indices { dx[i] = dy[indexes[i]] * Float(factor) }
                }
            }
            try builder.draft.give(target, to: x)
        }
    }
}

/// Mean and deviation of a row.
private struct RowMoments {
    let mean: Double
    /// One over the standard deviation.
    let inverse: Double

    init(_ row: UnsafePointer<Float>, count: Int, epsilon: Float) {
        var sum = 0.0
        for i in 0..<count { sum += Double(row[i]) }
        let mean = sum / Double(count)
        var squares = 0.0
        for i in 0..<count { squares += (Double(row[i]) - mean) * (Double(row[i]) - mean) }
        self.mean = mean
        inverse = 1 / (squares / Double(count) + Double(epsilon)).squareRoot()
    }

    func normalized(_ value: Float) -> Double { (Double(value) - mean) * inverse }
}

/// A function of two numbers and its slopes.
private struct BinaryFormula: Sendable {
    let value: @Sendable (Double, Double) -> Double
    let slopes: @Sendable (Double, Double) -> (a: Double, b: Double)
}

extension Networks.Operation.Binary {
    /// Nil for functions that have no gradient.
    fileprivate var formula: BinaryFormula? {
        switch self {
        case .add: BinaryFormula(value: { $0 + $1 }, slopes: { _, _ in (1, 1) })
        case .subtract: BinaryFormula(value: { $0 - $1 }, slopes: { _, _ in (1, -1) })
        case .multiply: BinaryFormula(value: { $0 * $1 }, slopes: { ($1, $0) })
        case .divide: BinaryFormula(value: { $0 / $1 }, slopes: { (1 / $1, -$0 / ($1 * $1)) })
        case .power:
            BinaryFormula(
                value: { pow($0, $1) },
                slopes: { a, b in
                    (b == 0 ? 0 : b * pow(a, b - 1), a > 0 ? pow(a, b) * log(a) : 0)
                })
        case .minimum:
            BinaryFormula(
                value: { min($0, $1) },
                slopes: { $0 < $1 ? (1, 0) : $0 > $1 ? (0, 1) : (0.5, 0.5) })
        case .maximum:
            BinaryFormula(
                value: { max($0, $1) },
                slopes: { $0 > $1 ? (1, 0) : $0 < $1 ? (0, 1) : (0.5, 0.5) })
        default: nil
        }
    }
}
