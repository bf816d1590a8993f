internal import DenseMath
internal import Networks

extension PlanGraph {
    /// Finds functions and normalisations that were written as several operators.
    mutating func recognisePatterns() {
        let uses = useCounts()
        let producers = producers()
        for index in operators.indices {
            let match = PatternMatch(graph: self, uses: uses, producers: producers)
            let shape = shape(operators[index].output)
            // A number of more dimensions than the value gives the result them too.
            if let found = match.gatedFunction(index) ?? match.gelu(index),
                self.shape(found.input) == shape
            {
                operators[index].operation = .unary(found.function)
                operators[index].inputs = [found.input]
            } else if let found = match.layerNormalization(index), self.shape(found.input) == shape
            {
                operators[index].operation = .layerNormalization(axis: -1, epsilon: found.epsilon)
                operators[index].inputs = [found.input, found.scale, found.shift]
            }
        }
        // What the replaced operators read is now read by nobody and goes with dropUnused().
    }
}

/// Looks from an operator back at those that gave its inputs.
private struct PatternMatch {
    let graph: PlanGraph
    let uses: [String: Int]
    let producers: [String: Int]

    /// The operator that gives a value, by its index.
    private func producer(_ value: String?) -> Int? { value.flatMap { producers[$0] } }

    private func operation(_ index: Int?) -> Operation? {
        index.map { graph.operators[$0].operation }
    }

    /// The first input of an operator.
    private func input(_ index: Int?) -> String? {
        index.flatMap { graph.operators[$0].input(0) }
    }

    /// The two operands of a binary operation.
    private func operands(_ index: Int?, _ function: Operation.Binary) -> (String, String)? {
        guard let index, graph.operators[index].operation == .binary(function) else { return nil }
        let inputs = graph.operators[index].inputs
        return inputs.count == 2 ? (inputs[0], inputs[1]) : nil
    }

    /// The operand beside a number, of an operation with a number on either side.
    private func operand(
        _ index: Int?, _ function: Operation.Binary, with number: Float
    ) -> String? {
        guard let (a, b) = operands(index, function) else { return nil }
        if isNear(graph.scalar(b), number) { return a }
        if function != .divide, function != .power, isNear(graph.scalar(a), number) { return b }
        return nil
    }

    private func isNear(_ value: Float?, _ number: Float) -> Bool {
        value.map { abs($0 - number) <= 1e-4 * abs(number) } ?? false
    }

    /// x * sigmoid(x), x * hardSigmoid(x).
    func gatedFunction(_ index: Int) -> (function: Operation.Unary, input: String)? {
        guard let (a, b) = operands(index, .multiply) else { return nil }
        for (input, gate) in [(a, b), (b, a)] {
            let producer = producer(gate)
            guard self.input(producer) == input else { continue }
            switch operation(producer) {
            case .unary(.sigmoid): return (.silu, input)
            case .unary(.hardSigmoid(let alpha, let beta))
            where isNear(alpha, 1.0 / 6) && isNear(beta, 0.5):
                return (.hardSwish, input)
            default: continue
            }
        }
        return nil
    }

    /// x (1 + erf(x / √2)) / 2, the factors in any order.
    func gelu(_ index: Int) -> (function: Operation.Unary, input: String)? {
        let factors = threeFactors(index)
        for (index, factor) in factors.enumerated() where isNear(graph.scalar(factor), 0.5) {
            let a = factors[(index + 1) % 3]
            let b = factors[(index + 2) % 3]
            if errorFunctionArgument(b) == a { return (.gelu(approximately: false), a) }
            if errorFunctionArgument(a) == b { return (.gelu(approximately: false), b) }
        }
        return nil
    }

    /// The factors of a product of a product; none of any other.
    private func threeFactors(_ index: Int) -> [String] {
        guard let (a, b) = operands(index, .multiply) else { return [] }
        for (one, other) in [(a, b), (b, a)] where uses[one] == 1 {
            if let (c, d) = operands(producer(one), .multiply) { return [c, d, other] }
        }
        return []
    }

    /// x of 1 + erf(x / √2).
    private func errorFunctionArgument(_ value: String) -> String? {
        guard let sum = operand(producer(value), .add, with: 1) else { return nil }
        let erf = producer(sum)
        guard operation(erf) == .unary(.erf) else { return nil }
        let root = Float(2).squareRoot()
        let scaled = producer(input(erf))
        if let argument = operand(scaled, .divide, with: root) { return argument }
        return operand(scaled, .multiply, with: 1 / root)
    }

    /// (x - mean) / √(variance + ε) * scale + shift over the last dimension.
    func layerNormalization(
        _ index: Int
    ) -> (input: String, scale: String, shift: String, epsilon: Float)? {
        guard let (a, b) = operands(index, .add) else { return nil }
        for (product, shift) in [(a, b), (b, a)] {
            guard let shiftShape = graph.constant(shift)?.shape,
                let (c, d) = operands(producer(product), .multiply), uses[product] == 1
            else { continue }
            for (quotient, scale) in [(c, d), (d, c)] {
                guard graph.constant(scale)?.shape == shiftShape, shiftShape.count == 1,
                    let (centred, root) = operands(producer(quotient), .divide),
                    let found = variance(root), found.centred == centred,
                    let (input, mean) = operands(producer(centred), .subtract),
                    meanOverLast(mean) == input, graph.shape(input).last == shiftShape[0]
                else { continue }
                return (input, scale, shift, found.epsilon)
            }
        }
        return nil
    }

    /// √(mean(d²) + ε): d and ε.
    private func variance(_ value: String) -> (centred: String, epsilon: Float)? {
        let root = producer(value)
        let sum: String?
        if operation(root) == .unary(.sqrt) {
            sum = input(root)
        } else {
            sum = operand(root, .power, with: 0.5)
        }
        guard let (a, b) = operands(producer(sum), .add) else { return nil }
        for (square, epsilon) in [(a, b), (b, a)] {
            guard let epsilon = graph.scalar(epsilon), let squared = meanOverLast(square) else {
                continue
            }
            if let centred = operand(producer(squared), .power, with: 2) {
                return (centred, epsilon)
            }
            if let (c, d) = operands(producer(squared), .multiply), c == d { return (c, epsilon) }
        }
        return nil
    }

    private func meanOverLast(_ value: String) -> String? {
        let mean = producer(value)
        guard let input = input(mean),
            case .reduce(.mean, axes: let axes?, keepsDimensions: true)? = operation(mean)
        else { return nil }
        return axes == [-1] || axes == [graph.shape(input).count - 1] ? input : nil
    }
}
