internal import DenseMath
internal import Networks

extension PlanGraph {
    /// Multiplies batch normalisations into the weights before them.
    mutating func foldBatchNormalization() {
        let uses = useCounts()
        var producers = producers()
        for index in operators.indices {
            guard case .batchNormalization(let epsilon) = operators[index].operation,
                let value = operators[index].input(0), uses[value] == 1,
                let before = producers[value],
                let scale = constant(operators[index].input(1)),
                let shift = constant(operators[index].input(2)),
                let mean = constant(operators[index].input(3)),
                let variance = constant(operators[index].input(4)),
                let folded = folded(
                    before, factors: Self.factors(scale, variance, epsilon),
                    shift: shift, mean: mean)
            else { continue }
            operators[before].inputs = folded
            takeOver(index, by: before, &producers)
        }
        dropMerged()
    }

    /// Makes an operator give what another gave.
    private mutating func takeOver(_ index: Int, by before: Int, _ producers: inout [String: Int]) {
        operators[before].outputs = operators[index].outputs
        producers[operators[index].output] = before
        operators[index].outputs = []
    }

    private mutating func dropMerged() { operators.removeAll { $0.outputs.isEmpty } }

    /// scale / √(variance + ε), in double precision.
    private static func factors(
        _ scale: Tensor, _ variance: Tensor, _ epsilon: Float
    ) -> [Double] {
        zip(scale.floats, variance.floats).map {
            Double($0) / (Double($1) + Double(epsilon)).squareRoot()
        }
    }

    /// The inputs of an operator whose weights give `factors` times its result, shifted.
    private mutating func folded(
        _ index: Int, factors: [Double], shift: Tensor, mean: Tensor
    ) -> [String]? {
        let item = operators[index]
        guard item.fused.isEmpty, let name = item.input(1), let weight = constant(name) else {
            return nil
        }
        var outputsLast = false
        switch item.operation {
        case .conv: guard weight.shape.first == factors.count else { return nil }
        case .gemm(let gemm):
            guard weight.rank == 2, gemm.alpha == 1, gemm.beta == 1 else { return nil }
            outputsLast = !gemm.transposesB
            guard weight.shape[outputsLast ? 1 : 0] == factors.count else { return nil }
        default: return nil
        }
        let old: [Float]
        if let bias = item.input(2) {
            guard let tensor = constant(bias), tensor.count == factors.count,
                tensor.shape.last == factors.count
            else { return nil }
            old = tensor.floats
        } else {
            old = Array(repeating: 0, count: factors.count)
        }
        let (means, shifts) = (mean.floats, shift.floats)
        let bias = factors.indices.map { channel in
            let centred = Double(old[channel]) - Double(means[channel])
            return Float(centred * factors[channel] + Double(shifts[channel]))
        }
        let floats = factors.map(Float.init)
        let scaled = weight.scaled(by: floats, alongLast: outputsLast)
        let weightName = addConstant(name + " folded", scaled)
        densities[weightName] = densities[name]
        sources[weightName] = sources[name]?.scaled(by: floats, alongLast: outputsLast)
        let biasName = addConstant(item.name + " bias", Tensor(shape: [bias.count], bias))
        return [item.inputs[0], weightName, biasName]
    }

    /// Makes the constant added to a matrix product its bias.
    mutating func mergeBiases() {
        let uses = useCounts()
        var producers = producers()
        for index in operators.indices {
            guard operators[index].operation == .binary(.add), operators[index].inputs.count == 2
            else { continue }
            let inputs = operators[index].inputs
            for (value, addend) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                guard let before = producers[value], uses[value] == 1,
                    operators[before].operation == .matMul, operators[before].inputs.count == 2,
                    operators[before].fused.isEmpty,
                    constant(operators[before].input(1))?.rank == 2,
                    let bias = constant(addend), let columns = shape(value).last,
                    bias.count == columns, bias.shape.last == columns,
                    bias.rank <= shape(value).count
                else { continue }
                operators[before].inputs.append(addend)
                takeOver(index, by: before, &producers)
                break
            }
        }
        dropMerged()
    }
}

extension Tensor {
    /// Each slice along the first dimension, or the last, times its factor.
    func scaled(by factors: [Float], alongLast: Bool) -> Tensor {
        var result = self
        result.withMutableFloats { elements in
            if alongLast {
                for index in elements.indices { elements[index] *= factors[index % factors.count] }
            } else {
                let length = elements.count / max(1, factors.count)
                for (row, factor) in factors.enumerated() {
                    for index in (row * length)..<((row + 1) * length) { elements[index] *= factor }
                }
            }
        }
        return result
    }
}
