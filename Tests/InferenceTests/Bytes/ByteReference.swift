import DenseMath
import Inference
import Networks
import PowerOfTwo
import Testing

/// What a network gives whose weights are rounded to bytes, and of whose values some are: node by
/// node, by the plain loops that define the operations.
struct ByteReference {
    let network: Network
    /// The values that are rounded, and those whose ranges they are rounded by.
    let rounded: [String: String]

    func outputs(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        var values = inputs.mapValues { ValueInfo(.float32, $0.shape, constant: $0) }
        for (name, tensor) in inputs { values[name]?.constant = round(tensor, name) }
        for node in network.nodes {
            let operands = node.inputs.enumerated().map { index, name -> ValueInfo? in
                if let known = values[name] { return known }
                guard let tensor = network.parameters[name]?.tensor else { return nil }
                let used = index == 1 && tensor.rank > 1 ? roundedWeight(tensor, node) : tensor
                return ValueInfo(
                    tensor.kind == .float32 ? .float32 : .int64, tensor.shape, constant: used)
            }
            var results = try node.operation.results(of: operands, count: node.outputs.count)
            let tensors = try node.operation.evaluated(operands, as: results)
            for (index, name) in node.outputs.enumerated() {
                results[index].constant = round(tensors[index], name)
                values[name] = results[index]
            }
        }
        return Dictionary(
            uniqueKeysWithValues: network.outputs.compactMap { name in
                values[name]?.constant.map { (name, $0) }
            })
    }

    /// What the bytes of a value stand for.
    func scale(_ name: String) -> ByteScale? {
        rounded[name].flatMap { network.activationRanges?.values[$0] }.map { ByteScale($0) }
    }

    private func round(_ tensor: Tensor, _ name: String) -> Tensor {
        guard let scale = scale(name) else { return tensor }
        return Tensor(shape: tensor.shape, tensor.floats.map { scale.value(scale.byte($0)) })
    }

    private func roundedWeight(_ tensor: Tensor, _ node: Node) -> Tensor {
        let isTransposed: Bool
        switch node.operation {
        case .conv: isTransposed = false
        case .gemm(let gemm): isTransposed = !gemm.transposesB
        case .matMul: isTransposed = true
        default: return tensor
        }
        let weights = ByteWeights(tensor, isTransposed: isTransposed)
        let channels = weights.scales.count
        let length = tensor.count / channels
        return Tensor(
            shape: tensor.shape,
            weights.bytes.indices.map { index in
                let channel = isTransposed ? index % channels : index / length
                return Float(weights.bytes[index]) * weights.scales[channel]
            })
    }
}

extension Network {
    /// With the ranges of its values on random inputs.
    func calibrated(seed: UInt64 = 11) throws -> Network {
        var calibration = RangeCalibration(self)
        for round in 0..<3 as Range<UInt64> {
            try calibration.observe(randomInputs(seed: seed + round))
        }
        var result = self
        result.activationRanges = calibration.ranges
        return result
    }
}

/// Checks that a plan on bytes gives what the reference gives: values that are rounded within
/// `limit` steps and nearly all exactly, others as close as that lets them be.
@discardableResult
func expectBytes(
    _ network: Network, rounding rounded: [String: String], within limit: Float = 1,
    threads: Int = 1, seed: UInt64 = 3,
    _ location: SourceLocation = #_sourceLocation
) throws -> ExecutionPlan {
    let network = try network.calibrated()
    let reference = ByteReference(network: network, rounded: rounded)
    let plan = try ExecutionPlan(network, threads: threads, precision: .int8)
    for round in 0..<2 {
        let inputs = try network.randomInputs(seed: seed + UInt64(round))
        let expected = try reference.outputs(inputs)
        let found = try plan.run(inputs)
        for (name, wanted) in expected {
            let tensor = try #require(found[name], sourceLocation: location)
            #expect(tensor.shape == wanted.shape, sourceLocation: location)
            guard let scale = reference.scale(name) else {
                let error = tensor.relativeDistance(to: wanted)
                #expect(error < 0.02, "\(name) is off by \(error)", sourceLocation: location)
                continue
            }
            let steps = zip(tensor.floats, wanted.floats).map { abs($0 - $1) / scale.scale }
            let other = Double(steps.count { $0 > 0.01 }) / Double(steps.count)
            #expect(
                (steps.max() ?? 0) < limit + 0.01 && other < 0.02,
                "\(name): \(steps.max() ?? 0) steps, \(other) of all differ",
                sourceLocation: location)
        }
    }
    return plan
}
