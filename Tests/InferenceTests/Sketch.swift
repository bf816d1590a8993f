import DenseMath
import Inference
import Networks
import Testing

/// A network put together node by node, with seeded random parameters.
final class Sketch {
    private(set) var network = Network(name: "sketch")
    /// What is known of each value.
    private(set) var info: [String: ValueInfo] = [:]
    private var generator: SplitMix64
    private var count = 0

    init(seed: UInt64 = 1) { generator = SplitMix64(seed: seed) }

    func shape(_ value: String) -> [Int] { info[value]?.shape ?? [] }

    func input(
        _ shape: [Int], _ type: ScalarType = .float32, as name: String? = nil
    ) -> String {
        let name = name ?? newName("input")
        network.inputs.append(.init(name, type, shape.map { .fixed($0) }))
        info[name] = ValueInfo(type, shape)
        return name
    }

    func parameter(_ tensor: Tensor) -> String {
        let name = newName("parameter")
        network.parameters[name] = .dense(tensor)
        info[name] = ValueInfo(
            tensor.kind == .float32 ? .float32 : .int64, tensor.shape, constant: tensor)
        return name
    }

    func parameter(_ shape: [Int], in range: ClosedRange<Float> = -1...1) -> String {
        var elements: [Float] = []
        for _ in 0..<shape.reduce(1, *) {
            elements.append(Float.random(in: range, using: &generator))
        }
        return parameter(Tensor(shape: shape, elements))
    }

    func constant(_ value: Float, _ shape: [Int] = []) -> String {
        parameter(Tensor(shape: shape, Array(repeating: value, count: shape.reduce(1, *))))
    }

    func integers(_ values: [Int64]) -> String {
        parameter(Tensor(shape: [values.count], integers: values))
    }

    @discardableResult
    func add(
        _ operation: Networks.Operation, _ inputs: String..., as name: String? = nil
    ) throws -> String {
        let name = name ?? newName(operation.name)
        try add(operation, inputs, outputs: [name])
        return name
    }

    func add(
        _ operation: Networks.Operation, _ inputs: [String], outputs: [String]
    ) throws {
        let node = Node(newName("node"), operation, inputs: inputs, outputs: outputs)
        let results = try node.results(of: inputs.map { $0.isEmpty ? nil : info[$0] })
        for (name, result) in zip(outputs, results) where !name.isEmpty { info[name] = result }
        network.nodes.append(node)
    }

    /// A convolution that keeps the spatial sizes when `kernel` is odd and `stride` 1.
    func conv(
        _ x: String, to outputs: Int, kernel: Int = 3, stride: Int = 1, dilation: Int = 1,
        groups: Int = 1, bias: Bool = false, as name: String? = nil
    ) throws -> String {
        let spatial = shape(x).count - 2
        let inputs = shape(x)[1] / groups
        let size = Array(repeating: kernel, count: spatial)
        let reach = 1 / Float(inputs * size.reduce(1, *)).squareRoot()
        let pads = Array(repeating: (kernel - 1) * dilation / 2, count: spatial)
        var operands = [x, parameter([outputs, inputs] + size, in: -reach...reach)]
        if bias { operands.append(parameter([outputs])) }
        let operation = Networks.Operation.conv(
            .init(
                kernel: size, strides: size.map { _ in stride },
                dilations: size.map { _ in dilation }, groups: groups,
                padding: .explicit(pads, pads)))
        let name = name ?? newName("conv")
        try add(operation, operands, outputs: [name])
        return name
    }

    func batchNormalization(_ x: String) throws -> String {
        let channels = [shape(x)[1]]
        return try add(
            .batchNormalization(epsilon: 1e-3), x, parameter(channels, in: 0.5...1.5),
            parameter(channels), parameter(channels), parameter(channels, in: 0.5...2))
    }

    /// The network with these outputs.
    func giving(_ outputs: String...) -> Network { giving(outputs) }

    func giving(_ outputs: [String]) -> Network {
        var result = network
        result.outputs = outputs
        return result
    }

    private func newName(_ base: String) -> String {
        count += 1
        return "\(base)\(count)"
    }
}

/// Checks that a plan gives what the plain loops give, for two sets of inputs one after another.
///
/// - Returns: the plan.
@discardableResult
func expectAgreement(
    _ network: Network, threads: Int = 1, seed: UInt64 = 7, _ comment: String = "",
    _ location: SourceLocation = #_sourceLocation
) throws -> ExecutionPlan {
    let plan = try ExecutionPlan(network, threads: threads)
    for round in 0..<2 {
        let inputs = try network.randomInputs(seed: seed &+ UInt64(round))
        let expected = try network.evaluated(inputs)
        let found = try plan.run(inputs)
        #expect(found.keys.sorted() == expected.keys.sorted(), sourceLocation: location)
        for (name, wanted) in expected {
            let tensor = try #require(found[name], sourceLocation: location)
            guard wanted.kind == .float32 else {
                #expect(tensor == wanted, "\(name) \(comment)", sourceLocation: location)
                continue
            }
            let error = tensor.relativeDistance(to: wanted)
            #expect(
                error < 1e-4, "\(name) is off by \(error), run \(round) \(comment)",
                sourceLocation: location)
        }
    }
    return plan
}

extension ExecutionPlan {
    /// What its steps compute, changes of layout left out.
    var operations: [String] { steps.map(\.operation).filter { $0 != "Reorder" } }
}
