import DenseMath
import Networks

extension Network {
    /// Values for all inputs, named dimensions 1: floats between -1 and 1, integers from 0 to 3.
    func randomInputs(seed: UInt64) throws -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (index, input) in inputs.enumerated() {
            let shape = try input.resolvedShape(nil)
            let seed = seed &* 31 &+ UInt64(index)
            if input.elementType == .float32 {
                result[input.name] = Tensor(random: shape, seed: seed)
            } else {
                var generator = SplitMix64(seed: seed)
                result[input.name] = Tensor(
                    shape: shape,
                    integers: (0..<shape.reduce(1, *)).map { _ in
                        Int64.random(in: 0...3, using: &generator)
                    })
            }
        }
        return result
    }

    /// Values between -1 and 1 in the shape of the first input.
    func randomInput(batch: Int, seed: UInt64) throws -> Tensor {
        let shape = inputs[0].shape.map { dimension in
            if case .fixed(let size) = dimension { size } else { batch }
        }
        return Tensor(random: shape, seed: seed)
    }

    /// With every 32 filters of larger convolutions and products zero at about two of three channels
    /// and kernel rows.
    func pruned() -> Network {
        var result = self
        for node in nodes {
            guard node.inputs.count > 1, let tensor = parameters[node.inputs[1]]?.tensor else {
                continue
            }
            var filters = tensor.shape[0]
            var columns = 1
            var isTransposed = false
            switch node.operation {
            case .conv: columns = tensor.shape[3]
            case .gemm(let gemm) where gemm.transposesB: break
            case .gemm, .matMul:
                isTransposed = true
                filters = tensor.shape[1]
            default: continue
            }
            guard filters > 32 else { continue }
            var elements = tensor.floats
            let length = tensor.count / filters / columns
            for index in elements.indices {
                let filter = isTransposed ? index % filters : index / (length * columns)
                let position = isTransposed ? index / filters : index / columns % length
                if (position * 7 + filter / 32 * 5) % 3 != 0 { elements[index] = 0 }
            }
            result.parameters[node.inputs[1]] = .dense(Tensor(shape: tensor.shape, elements))
        }
        return result
    }
}

extension Tensor {
    /// Values between -1 and 1.
    init(random shape: [Int], seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        self.init(
            shape: shape,
            (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) })
    }

    /// The largest difference from `other`, relative to the largest of its elements.
    func relativeDistance(to other: Tensor) -> Float {
        guard shape == other.shape else { return .infinity }
        var difference: Float = 0
        var largest: Float = 0
        for (a, b) in zip(floats, other.floats) {
            difference = max(difference, abs(a - b))
            largest = max(largest, abs(b))
            if a.isNaN || b.isNaN { return .infinity }
        }
        return difference / max(largest, .leastNormalMagnitude)
    }
}
