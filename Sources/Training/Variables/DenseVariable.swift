package import DenseMath
package import DensePrimitives
package import Networks

/// A parameter that is kept as floats.
package final class DenseVariable: Variable {
    package let name: String
    package let shape: [Int]
    package let storage: PlanMemory?
    package let keptPositions: KeptPositions?

    private let count: Int
    private let values: UnsafeMutableBufferPointer<Float>
    private let rule: Optimizer
    /// The optimiser's running averages, each as long as the value.
    private var moments: [[Float]]

    /// - Parameter keptPositions: of a weight `[filters, ...]`; the others must be zero and stay so.
    package init(
        name: String, _ tensor: Tensor, rule: Optimizer, keptPositions: KeptPositions? = nil
    ) throws {
        self.name = name
        self.keptPositions = keptPositions
        self.rule = rule
        shape = tensor.shape
        count = tensor.count
        let memory = try PlanMemory(byteCount: tensor.count * MemoryLayout<Float>.stride)
        storage = memory
        values = UnsafeMutableBufferPointer(
            start: memory.start.bindMemory(to: Float.self, capacity: max(1, count)), count: count)
        moments = Array(
            repeating: Array(repeating: 0, count: tensor.count), count: rule.momentCount)
        tensor.withFloats { _ = values.update(fromContentsOf: $0) }
    }

    package func write(to value: UnsafeMutablePointer<Float>, threads: Int) {
        guard let start = values.baseAddress else { return }
        value.update(from: start, count: count)
    }

    package func update(
        _ gradient: UnsafeMutablePointer<Float>, _ step: UpdateStep, threads: Int
    ) {
        keptPositions?.clearOthers(of: gradient, shape: shape)
        rule.update(
            values, UnsafeMutableBufferPointer(start: gradient, count: count), &moments, step)
    }

    package func beginEpoch() {}

    package func parameter() -> Parameter { .dense(Tensor(shape: shape, Array(values))) }

    package func state() -> [String: StateArray] {
        var state: [String: StateArray] = ["value": .float32(Array(values))]
        for (index, moment) in moments.enumerated() { state["moment\(index)"] = .float32(moment) }
        return state
    }

    package func restore(_ state: [String: StateArray]) throws {
        func floats(_ part: String) throws -> [Float] {
            guard case .float32(let floats)? = state[part], floats.count == count else {
                throw TrainingError(
                    .invalidCheckpoint, "expected \(count) floats named '\(part)'", path: name)
            }
            return floats
        }
        let value = try floats("value")
        let moments = try self.moments.indices.map { try floats("moment\($0)") }
        _ = values.update(fromContentsOf: value)
        self.moments = moments
    }

    package var bytes: VariableBytes {
        VariableBytes(
            weights: count * MemoryLayout<Float>.stride,
            optimizer: moments.count * count * MemoryLayout<Float>.stride)
    }
}
