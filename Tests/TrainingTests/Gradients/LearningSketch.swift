import DenseMath
import Networks

/// A network put together node by node, all of whose values depend on parameters that learn.
final class LearningSketch {
    private(set) var network = Network(name: "sketch")
    /// Parameters that do not learn.
    private(set) var constants: Set<String> = []
    /// What is known of each value.
    private var info: [String: ValueInfo] = [:]
    private var generator: SplitMix64
    private var count = 0
    /// The network's input.
    let images = "images"
    let inputShape: [Int]

    init(inputShape: [Int], seed: UInt64) {
        self.inputShape = inputShape
        generator = SplitMix64(seed: seed)
        network.inputs = [.init(images, .float32, inputShape.map { .fixed($0) })]
        info[images] = ValueInfo(.float32, inputShape)
    }

    func shape(_ value: String) -> [Int] { info[value]?.shape ?? [] }

    /// A parameter that learns.
    func parameter(_ shape: [Int], in range: ClosedRange<Float> = -1...1) -> String {
        parameter(random(shape, range))
    }

    /// A parameter that does not learn.
    func constant(_ shape: [Int], in range: ClosedRange<Float> = -1...1) -> String {
        let name = parameter(random(shape, range))
        constants.insert(name)
        return name
    }

    func integers(_ values: [Int64], shape: [Int]? = nil) -> String {
        parameter(Tensor(shape: shape ?? [values.count], integers: values))
    }

    /// A value of any shape, each element the sum of an element of a parameter in `range` and a
    /// small one that depends on the images.
    func value(_ shape: [Int], in range: ClosedRange<Float> = -1...1) throws -> String {
        let mean = try add(
            .reduce(.mean, axes: Array(1..<inputShape.count), keepsDimensions: true), images)
        let small = try add(.binary(.multiply), mean, constant([1], in: 0.01...0.01))
        var image = try add(
            .reshape(allowsZero: false), small,
            integers([Int64(inputShape[0])] + shape.dropFirst().map { _ in 1 }))
        if shape.first != inputShape[0] {
            let one = try add(.reduce(.mean, axes: nil, keepsDimensions: true), small)
            image = try add(.reshape(allowsZero: false), one, integers(shape.map { _ in 1 }))
        }
        return try add(.binary(.add), parameter(shape, in: range), image)
    }

    @discardableResult
    func add(_ operation: Networks.Operation, _ inputs: String...) throws -> String {
        let name = newName(operation.name)
        try add(operation, inputs, outputs: [name])
        return name
    }

    func add(_ operation: Networks.Operation, _ inputs: [String], outputs: [String]) throws {
        let node = Node(newName("node"), operation, inputs: inputs, outputs: outputs)
        let results = try node.results(of: inputs.map { $0.isEmpty ? nil : info[$0] })
        for (name, result) in zip(outputs, results) where !name.isEmpty { info[name] = result }
        network.nodes.append(node)
    }

    func convolution(
        _ x: String, to outputs: Int, kernel: Int = 3, stride: Int = 1, groups: Int = 1,
        bias: Bool = false
    ) throws -> String {
        let inputs = shape(x)[1] / groups
        let reach = 1 / Float(inputs * kernel * kernel).squareRoot()
        let pads = [kernel / 2, kernel / 2]
        let weight = parameter([outputs, inputs, kernel, kernel], in: -reach...reach)
        let operation = Networks.Operation.conv(
            .init(
                kernel: [kernel, kernel], strides: [stride, stride], groups: groups,
                padding: .explicit(pads, pads)))
        return bias
            ? try add(operation, x, weight, parameter([outputs]))
            : try add(operation, x, weight)
    }

    func linear(_ x: String, to outputs: Int) throws -> String {
        let inputs = shape(x)[1]
        let reach = 1 / Float(inputs).squareRoot()
        return try add(
            .gemm(.init(transposesB: true)), x, parameter([outputs, inputs], in: -reach...reach),
            parameter([outputs]))
    }

    func batchNormalization(_ x: String) throws -> String {
        let channels = [shape(x)[1]]
        return try add(
            .batchNormalization(epsilon: 1e-3), x, parameter(channels, in: 0.5...1.5),
            parameter(channels), parameter(channels), parameter(channels, in: 0.5...2))
    }

    /// The network whose scores are the elements of `value`, as many for each image.
    func scoring(_ value: String) throws -> Network {
        let scores = try add(
            .reshape(allowsZero: false), value, integers([Int64(inputShape[0]), -1]))
        var result = network
        result.outputs = [scores]
        return result
    }

    private func random(_ shape: [Int], _ range: ClosedRange<Float>) -> Tensor {
        Tensor(
            shape: shape,
            (0..<shape.reduce(1, *)).map { _ in Float.random(in: range, using: &generator) })
    }

    private func parameter(_ tensor: Tensor) -> String {
        let name = newName("parameter")
        network.parameters[name] = .dense(tensor)
        info[name] = ValueInfo(
            tensor.kind == .float32 ? .float32 : .int64, tensor.shape, constant: tensor)
        return name
    }

    func newName(_ base: String) -> String {
        count += 1
        return "\(base)\(count)"
    }
}
