internal import DenseMath
internal import Networks

extension PlanGraph {
    /// Turns values that shape inference knows into constants.
    mutating func dropKnownValues() {
        operators.removeAll { item in
            let values = item.outputs.filter { !$0.isEmpty }
            let constants = values.compactMap { value in
                info[value]?.constant.map { (value, $0) }
            }
            guard constants.count == values.count else { return false }
            for (value, tensor) in constants { parameters[value] = .dense(tensor) }
            return true
        }
    }

    /// Removes operators that only pass a value on.
    mutating func dropCopies() {
        var names: [String: String] = [:]
        func resolved(_ name: String) -> String { names[name] ?? name }
        var kept: [Operator] = []
        for var item in operators {
            item.inputs = item.inputs.map(resolved)
            if let input = item.input(0), isCopy(item) {
                names[item.output] = input
            } else {
                kept.append(item)
            }
        }
        operators = kept
        for index in outputs.indices { outputs[index].value = resolved(outputs[index].value) }
    }

    private func isCopy(_ item: Operator) -> Bool {
        switch item.operation {
        case .unary(.identity): true
        case .cast(let type): item.input(0).flatMap { info[$0]?.elementType } == type
        default: false
        }
    }

    /// Rebuilds packed weights; their dense form lives until the plan has its own.
    mutating func rebuildWeights(threads: Int) {
        let used = Set(operators.flatMap(\.reads)).union(outputs.map(\.value))
        for (name, parameter) in parameters where used.contains(name) {
            guard case .smartDeal(let packed) = parameter else { continue }
            parameters[name] = .dense(packed.rebuilt(threads: threads))
            sources[name] = PackedSource(name, packed)
        }
    }

    /// Computes what depends on constants only, where that does not make much of little.
    mutating func foldConstants() throws {
        var kept: [Operator] = []
        for item in operators {
            let read = item.inputs.filter { !$0.isEmpty }
            let tensors = read.compactMap { parameters[$0]?.tensor }
            let size = item.outputs.reduce(0) { $0 + shape($1).reduce(1, *) }
            let given = tensors.reduce(0) { $0 + $1.count }
            guard tensors.count == read.count, size <= max(1 << 16, given),
                workPerElement(item) <= 64 * max(1 << 16, given) / max(size, 1)
            else {
                kept.append(item)
                continue
            }
            let results = try evaluate(item)
            for (value, tensor) in zip(item.outputs, results) where !value.isEmpty {
                parameters[value] = .dense(tensor)
            }
            let known = read.compactMap { densities[$0] }
            if let density = known.first { densities[item.output] = density }
        }
        operators = kept
    }

    /// Products for each element of a result; oneDNN computes large ones sooner than plain loops.
    private func workPerElement(_ item: Operator) -> Int {
        switch item.operation {
        case .conv: shape(item.inputs[1]).dropFirst().reduce(1, *)
        case .gemm(let gemm): shape(item.inputs[0])[gemm.transposesA ? 0 : 1]
        case .matMul: shape(item.inputs[0]).last ?? 1
        default: 1
        }
    }

    private func evaluate(_ item: Operator) throws -> [Tensor] {
        let operands = item.inputs.map { name in
            parameters[name].map { parameter in
                ValueInfo(
                    info[name]?.elementType ?? .float32, parameter.shape,
                    constant: parameter.tensor)
            }
        }
        return try item.evaluated(operands)
    }

    /// What is known of a value.
    func known(_ value: String) -> ValueInfo { info[value] ?? ValueInfo(.float32, []) }
}

extension PlanGraph.Operator {
    /// Its results by plain loops, without what is merged into ``fused``.
    func evaluated(_ operands: [ValueInfo?]) throws -> [Tensor] {
        do {
            guard operation == .matMul, operands.count == 3 else {
                let results = try operation.results(of: operands, count: outputs.count)
                return try operation.evaluated(operands, as: results)
            }
            // A bias was merged, which the operation itself does not have.
            let factors = Array(operands.prefix(2))
            var product = try operation.results(of: factors, count: 1)
            product[0].constant = try operation.evaluated(factors, as: product)[0]
            return try Operation.binary(.add).evaluated([product[0], operands[2]], as: product)
        } catch let error as NetworkError {
            throw NetworkError(error.code, "\(operation.name): \(error.message)", node: name)
        }
    }
}
