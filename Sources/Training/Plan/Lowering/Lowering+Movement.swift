internal import DenseMath
internal import DensePrimitives
internal import Networks

extension PlanBuilder {
    /// An operation that only moves elements: each result is some operand's element, or a constant.
    mutating func lowerMovement(
        _ step: TrainingGraph.Step, _ operation: Networks.Operation
    ) throws -> Backward {
        var fill: Float = 0
        var infos: [ValueInfo?] = []
        var moved: [Int] = []
        for (index, number) in step.inputs.enumerated() {
            guard number >= 0 else {
                infos.append(nil)
                continue
            }
            let value = draft.value(number)
            if case .constant(let tensor) = value.origin, isSetting(operation, index) {
                let isFill = operation.isPad && index == 2
                if isFill { fill = tensor.floats.first ?? 0 }
                infos.append(
                    isFill
                        ? ValueInfo(.int64, [], constant: Tensor(shape: [], integers: [-1]))
                        : ValueInfo(.int64, value.shape, constant: tensor))
            } else {
                infos.append(ValueInfo(.int64, value.shape))
                moved.append(number)
            }
        }
        if operation.isPad, infos.count == 2 {
            infos.append(ValueInfo(.int64, [], constant: Tensor(shape: [], integers: [-1])))
        } else if operation.isPad, infos.count > 2, infos[2] == nil {
            infos[2] = ValueInfo(.int64, [], constant: Tensor(shape: [], integers: [-1]))
        }
        let indexes = try ElementIndexes.moved(
            operation, infos, results: step.outputs.count)
        let counts = moved.map { draft.count($0) }
        let sources = try moved.map { try draft.read($0) }
        for (number, indexes) in zip(step.outputs, indexes) where number >= 0 {
            let result = draft.define(number)
            draft.emit {
                let target = try result.floats()
                let elements = try Self.elements(of: sources, counts)
                return {
                    for (i, index) in indexes.enumerated() {
                        target[i] = index < 0 ? fill : elements[index].pointee
                    }
                }
            }
        }
        return { builder in
            let results = moved.map { builder.draft.buffer(bytes: builder.draft.bytes($0)) }
            builder.draft.emit {
                let targets = try results.map { try $0.floats() }
                return {
                    for (target, count) in zip(targets, counts) {
                        target.update(repeating: 0, count: count)
                    }
                }
            }
            for (number, indexes) in zip(step.outputs, indexes) {
                guard let gradient = builder.draft.gradient(of: number) else { continue }
                builder.draft.emit {
                    let dy = try gradient.floats()
                    let elements = try Self.elements(of: results, counts)
                    return {
                        for (i, index) in indexes.enumerated() where index >= 0 {
                            elements[index].pointee += dy[i]
                        }
                    }
                }
            }
            for (number, result) in zip(moved, results) {
                try builder.draft.give(result, to: number)
            }
        }
    }

    /// Whether an operand says how to move, and is not moved itself.
    private func isSetting(_ operation: Networks.Operation, _ index: Int) -> Bool {
        switch operation {
        case .slice, .pad, .gather, .expand, .split: index > 0
        default: false
        }
    }

    /// The addresses of all elements of some buffers in a row.
    private static func elements(
        of buffers: [PlanBuffer], _ counts: [Int]
    ) throws -> [UnsafeMutablePointer<Float>] {
        var elements: [UnsafeMutablePointer<Float>] = []
        for (buffer, count) in zip(buffers, counts) {
            let start = try buffer.floats()
            elements += (0..<count).map { start + $0 }
        }
        return elements
    }
}

extension Networks.Operation {
    fileprivate var isPad: Bool { if case .pad = self { true } else { false } }
}
