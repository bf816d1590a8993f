import Networks

extension DoubleEvaluator {
    /// How far the nearest value is from where its function has no slope of its own: a corner, or
    /// equals among which the largest is taken.
    func distanceToKinks() throws -> Double {
        try network.nodes.reduce(.infinity) { least, node in
            let operands = node.inputs.map { values[$0] }
            guard let x = operands.first ?? nil else { return least }
            return min(least, try kinkDistance(node, x, operands.count > 1 ? operands[1] : nil))
        }
    }

    private func kinkDistance(
        _ node: Node, _ x: DoubleTensor, _ second: DoubleTensor?
    ) throws -> Double {
        func nearest(_ corners: Double...) -> Double {
            x.values.reduce(.infinity) { least, value in
                corners.reduce(least) { min($0, abs(value - $1)) }
            }
        }
        func gap(_ values: some Sequence<Double>) -> Double {
            let largest = values.max(count: 2)
            return largest.count == 2 ? largest[0] - largest[1] : .infinity
        }
        switch node.operation {
        case .unary(.relu), .unary(.leakyRelu), .unary(.absolute): return nearest(0)
        case .unary(.elu(let alpha)): return alpha == 1 ? .infinity : nearest(0)
        case .unary(.clip(let minimum, let maximum)):
            return nearest(Double(minimum), Double(maximum))
        case .unary(.hardSwish): return nearest(-3, 3)
        case .unary(.hardSigmoid(let alpha, let beta)):
            let (alpha, beta) = (Double(alpha), Double(beta))
            return nearest(-beta / alpha, (1 - beta) / alpha)
        case .binary(.minimum), .binary(.maximum):
            guard let second, let shape = values[node.outputs[0]]?.shape else { return .infinity }
            return zip(x.broadcast(to: shape).values, second.broadcast(to: shape).values)
                .reduce(.infinity) { min($0, abs($1.0 - $1.1)) }
        case .maxPool(let pooling):
            guard let shape = values[node.outputs[0]]?.shape else { return .infinity }
            return try DoubleOperations.pool(x, pooling, shape) { inside, _ in gap(inside) }
                .values.min() ?? .infinity
        case .globalMaxPool:
            let shape = Array(x.shape.prefix(2))
            return DoubleOperations.planes(x, shape) { gap($0) }.values.min() ?? .infinity
        default: return .infinity
        }
    }
}

extension Sequence<Double> {
    /// The largest elements, falling.
    fileprivate func max(count: Int) -> ArraySlice<Double> {
        sorted(by: >).prefix(count)
    }
}
