internal import DenseMath
internal import Networks

/// A network as a plan trains it: operations on numbered values, each with a place in memory of
/// one of a few orders, conversions between these, and what is computed together merged.
struct TrainingGraph {
    /// The order of a value's elements.
    enum Storage: Equatable {
        /// Row-major.
        case plain
        /// Channels innermost: N, spatial..., C.
        case channelsLast
        /// Images innermost, 16 at a time: N / 16, C, H, W, 16.
        case lanes
    }

    /// Where a value comes from.
    enum Origin {
        case input
        case constant(Tensor)
        case variable(any Variable)
        /// The result of an operation.
        case step
    }

    struct Value {
        let name: String
        let shape: [Int]
        let storage: Storage
        let origin: Origin
        /// Whether the loss depends on variables through it.
        let needsGradient: Bool
        let isInteger: Bool
    }

    /// What a step computes.
    enum Kind {
        case operation(Networks.Operation)
        /// Inputs X, scale, bias, mean, variance and perhaps a value that is added to the result;
        /// then, if asked for, ReLU.
        case batchNormalization(epsilon: Float, relu: Bool)
        /// ReLU of a sum of two values of one shape.
        case addRelu
        /// The same value in another order.
        case convert
        /// Rounds to the levels of training in few bits; the gradient passes unchanged.
        case quantize
        /// Rounds a weight so, each filter in a range of its own; `filterAxis` 0, or 1 for columns.
        case quantizeWeight(filterAxis: Int)
        /// Leaves the value alone and rounds its gradient.
        case quantizeGradient
    }

    struct Step {
        /// The node that it computes.
        let node: String
        let kind: Kind
        /// Value numbers; -1 for an optional one left out.
        let inputs: [Int]
        let outputs: [Int]
    }

    private(set) var values: [Value] = []
    private(set) var steps: [Step] = []
    /// The scores that the loss is of.
    private(set) var scores = -1
    private(set) var input = -1
    /// The storage of images and feature maps.
    let imageStorage: Storage

    private let network: Network
    private let infos: [String: ValueInfo]
    private var numbers: [String: Int] = [:]
    private var converted: [Int: [(storage: Storage, value: Int)]] = [:]
    /// What each rounded value is the rounded one of.
    private var rounded: [Int: Int] = [:]
    private let quantizes: Bool
    private let quantizesGradients: Bool

    init(
        _ network: Network, variables: [String: any Variable], inputShape: [Int],
        imageStorage: Storage, quantizes: Bool, quantizesGradients: Bool
    ) throws {
        guard network.inputs.count == 1, let first = network.inputs.first,
            let output = network.outputs.first
        else {
            throw TrainingError(
                .invalidInput,
                "training takes a network of one input, found \(network.inputs.count)",
                path: network.name)
        }
        self.network = network
        self.imageStorage = imageStorage
        self.quantizes = quantizes
        self.quantizesGradients = quantizesGradients
        infos = try network.inferred(inputShapes: [first.name: inputShape])
        input = add(
            Value(
                name: first.name, shape: inputShape, storage: .plain, origin: .input,
                needsGradient: false, isInteger: first.elementType != .float32))
        numbers[first.name] = input
        for name in network.parameters.keys.sorted() {
            if let variable = variables[name] {
                numbers[name] = add(
                    Value(
                        name: name, shape: variable.shape, storage: .plain,
                        origin: .variable(variable), needsGradient: true, isInteger: false))
            }
        }
        let scoresName = Self.scoresName(network, output)
        let uses = Self.uses(network, keeping: scoresName)
        var skipped = Set<Int>()
        for (index, node) in network.nodes.enumerated() where !skipped.contains(index) {
            if let merged = mergedFollower(of: index, uses) {
                try addMerged(node, network.nodes[merged])
                skipped.insert(merged)
            } else {
                try add(node)
            }
        }
        guard let number = numbers[scoresName] else {
            throw TrainingError(
                .invalidInput, "the output '\(output)' is no result of the network",
                path: network.name)
        }
        scores = convert(number, to: .plain, node: "loss")
        if imageStorage == .lanes { mergeSums() }
        dropUnused()
    }

    // MARK: Values

    private mutating func add(_ value: Value) -> Int {
        values.append(value)
        return values.count - 1
    }

    /// The number of a value; constants get theirs here.
    private mutating func number(of name: String) throws -> Int {
        if let number = numbers[name] { return number }
        guard let info = infos[name] else {
            throw TrainingError(.invalidInput, "there is no value '\(name)'", path: network.name)
        }
        guard let constant = info.constant ?? network.parameters[name]?.tensor else {
            throw TrainingError(.invalidInput, "there is no value '\(name)'", path: network.name)
        }
        let number = add(
            Value(
                name: name, shape: info.shape, storage: .plain, origin: .constant(constant),
                needsGradient: false, isInteger: info.elementType != .float32))
        numbers[name] = number
        return number
    }

    /// The value in the given order, by a step of its own where it is in another.
    private mutating func convert(_ number: Int, to storage: Storage, node: String) -> Int {
        let value = values[number]
        guard value.storage != storage else { return number }
        if let known = converted[number]?.first(where: { $0.storage == storage }) {
            return known.value
        }
        let result = add(
            Value(
                name: value.name, shape: value.shape, storage: storage, origin: .step,
                needsGradient: value.needsGradient, isInteger: false))
        steps.append(Step(node: node, kind: .convert, inputs: [number], outputs: [result]))
        converted[number, default: []].append((storage, result))
        converted[result, default: []].append((value.storage, number))
        return result
    }

    // MARK: Steps

    private mutating func add(_ node: Node) throws {
        if case .unary(.identity) = node.operation, let name = node.input(0),
            let output = node.outputs.first
        {
            numbers[output] = try number(of: name)
            return
        }
        if case .cast(.float32) = node.operation, let name = node.input(0),
            let output = node.outputs.first, infos[name]?.elementType == .float32
        {
            numbers[output] = try number(of: name)
            return
        }
        let isLearned = node.inputs.contains { name in
            guard let number = numbers[name] else { return false }
            return !isConstant(number)
        }
        // What depends on constants only is one.
        guard isLearned || !node.outputs.allSatisfy({ infos[$0]?.constant != nil || $0.isEmpty })
        else { return }
        if case .shape = node.operation { return }
        switch node.operation {
        case .batchNormalization(let epsilon):
            try addStep(node, .batchNormalization(epsilon: epsilon, relu: false), node.outputs)
        default: try addStep(node, .operation(node.operation), node.outputs)
        }
    }

    /// A batch normalisation or sum and the ReLU after it, as one.
    private mutating func addMerged(_ node: Node, _ relu: Node) throws {
        if case .batchNormalization(let epsilon) = node.operation {
            try addStep(node, .batchNormalization(epsilon: epsilon, relu: true), relu.outputs)
        } else {
            try addStep(node, .addRelu, relu.outputs)
        }
    }

    private mutating func addStep(_ node: Node, _ kind: Kind, _ outputs: [String]) throws {
        let storage = storage(for: node)
        var inputs: [Int] = []
        for (index, name) in node.inputs.enumerated() {
            guard !name.isEmpty else {
                inputs.append(-1)
                continue
            }
            var number = try number(of: name)
            if takesImages(node.operation, input: index) {
                number = convert(number, to: storage, node: node.name)
                if quantizes, multiplies(node.operation) {
                    number = addQuantized(number, .quantize, node.name)
                }
            } else if !isConstant(number) || !values[number].isInteger {
                number = convert(number, to: .plain, node: node.name)
                if quantizes, multiplies(node.operation), index < 2 {
                    number =
                        weight(number) == nil
                        ? addQuantized(number, .quantize, node.name)
                        : addQuantized(
                            number, .quantizeWeight(filterAxis: filterAxis(node.operation)),
                            node.name)
                }
            }
            inputs.append(number)
        }
        let needsGradient = inputs.contains { $0 >= 0 && values[$0].needsGradient }
        var results: [Int] = []
        for name in outputs {
            guard !name.isEmpty, let info = infos[name] else {
                results.append(-1)
                continue
            }
            let givesImages = takesImages(node.operation, input: 0) && storage != .plain
            let number = add(
                Value(
                    name: name, shape: info.shape, storage: givesImages ? storage : .plain,
                    origin: .step, needsGradient: needsGradient && info.elementType == .float32,
                    isInteger: info.elementType != .float32))
            results.append(number)
            numbers[name] = number
        }
        steps.append(Step(node: node.name, kind: kind, inputs: inputs, outputs: results))
        if quantizesGradients, multiplies(node.operation), needsGradient,
            let result = results.first,
            let name = outputs.first
        {
            numbers[name] = addQuantized(result, .quantizeGradient, node.name)
        }
    }

    private mutating func addQuantized(_ number: Int, _ kind: Kind, _ node: String) -> Int {
        let value = values[number]
        let result = add(
            Value(
                name: value.name, shape: value.shape, storage: value.storage, origin: .step,
                needsGradient: value.needsGradient, isInteger: false))
        steps.append(Step(node: node, kind: kind, inputs: [number], outputs: [result]))
        rounded[result] = number
        return result
    }

    /// The dimension of a weight that counts its filters.
    private func filterAxis(_ operation: Networks.Operation) -> Int {
        switch operation {
        case .gemm(let gemm): gemm.transposesB ? 0 : 1
        case .matMul: 1
        default: 0
        }
    }

    /// The variable that a value is, rounded or not.
    func weight(_ number: Int) -> (any Variable)? {
        if case .variable(let variable) = values[number].origin { return variable }
        return rounded[number].flatMap(weight)
    }

    private func isConstant(_ number: Int) -> Bool {
        if case .constant = values[number].origin { true } else { false }
    }

    /// Whether training in few bits rounds the operands of an operation.
    private func multiplies(_ operation: Networks.Operation) -> Bool {
        switch operation {
        case .conv, .gemm, .matMul: true
        default: false
        }
    }

    /// The order that a node works in.
    private func storage(for node: Node) -> Storage {
        guard let name = node.input(0), let info = infos[name], info.shape.count >= 3 else {
            return .plain
        }
        switch node.operation {
        case .conv(let convolution):
            if imageStorage == .lanes, convolution.groups > 1 { return .channelsLast }
        case .batchNormalization, .maxPool, .averagePool, .globalAveragePool, .globalMaxPool,
            .unary:
            break
        case .binary(let function):
            // Sums of feature maps; what is broadcast is computed row-major.
            guard function == .add, let other = node.input(1), infos[other]?.shape == info.shape,
                numbers[other].map({ !isConstant($0) }) ?? false,
                numbers[name].map({ !isConstant($0) }) ?? false
            else { return .plain }
        default: return .plain
        }
        // A value stays in the order it is in where both do.
        if let number = numbers[name], values[number].storage == .channelsLast, !isConv(node) {
            return .channelsLast
        }
        return info.shape.count == 4 ? imageStorage : .channelsLast
    }

    private func isConv(_ node: Node) -> Bool {
        if case .conv = node.operation { true } else { false }
    }

    private func takesImages(_ operation: Networks.Operation, input: Int) -> Bool {
        switch operation {
        case .conv, .batchNormalization, .maxPool, .averagePool, .globalAveragePool,
            .globalMaxPool, .unary:
            input == 0
        case .binary: true
        default: false
        }
    }

    // MARK: Merging

    /// How often each value is used, outputs included.
    private static func uses(_ network: Network, keeping output: String) -> [String: Int] {
        var uses: [String: Int] = [output: 1]
        for node in network.nodes { for name in node.inputs { uses[name, default: 0] += 1 } }
        return uses
    }

    /// The ReLU that alone uses the result of a batch normalisation or of a sum of feature maps.
    private func mergedFollower(of index: Int, _ uses: [String: Int]) -> Int? {
        let node = network.nodes[index]
        guard let output = node.outputs.first, uses[output] == 1 else { return nil }
        switch node.operation {
        case .batchNormalization: break
        case .binary(.add):
            guard let first = node.input(0), let second = node.input(1),
                infos[first]?.shape == infos[second]?.shape,
                [first, second].allSatisfy({ numbers[$0].map { !isConstant($0) } ?? false })
            else { return nil }
        default: return nil
        }
        return network.nodes.indices.dropFirst(index + 1).first { next in
            network.nodes[next].operation == .unary(.relu)
                && network.nodes[next].inputs.first == output
        }
    }

    /// The value that the loss takes: scores, not the probabilities that a last softmax makes.
    private static func scoresName(_ network: Network, _ output: String) -> String {
        for node in network.nodes where node.outputs.first == output {
            if case .softmax = node.operation, let scores = node.input(0) { return scores }
        }
        return output
    }

    /// Makes sums a part of the batch normalisation that alone gives one of their operands.
    private mutating func mergeSums() {
        var uses: [Int: Int] = [:]
        var producers: [Int: Int] = [:]
        for (index, step) in steps.enumerated() {
            for input in step.inputs { uses[input, default: 0] += 1 }
            for output in step.outputs { producers[output] = index }
        }
        var removed = Set<Int>()
        for (index, step) in steps.enumerated() {
            let relu: Bool
            switch step.kind {
            case .addRelu: relu = true
            case .operation(.binary(.add)): relu = false
            default: continue
            }
            guard values[step.outputs[0]].storage == .lanes else { continue }
            for (operand, other) in [(0, 1), (1, 0)] {
                guard uses[step.inputs[operand]] == 1,
                    let producer = producers[step.inputs[operand]],
                    case .batchNormalization(let epsilon, relu: false) = steps[producer].kind,
                    steps[producer].inputs.count == 5
                else { continue }
                removed.insert(producer)
                steps[index] = Step(
                    node: steps[producer].node,
                    kind: .batchNormalization(epsilon: epsilon, relu: relu),
                    inputs: steps[producer].inputs + [step.inputs[other]], outputs: step.outputs)
                break
            }
        }
        steps = steps.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
    }

    /// Removes steps whose results nothing uses.
    private mutating func dropUnused() {
        var used: Set<Int> = [scores]
        var kept: [Step] = []
        for step in steps.reversed() where step.outputs.contains(where: used.contains) {
            used.formUnion(step.inputs)
            kept.append(step)
        }
        steps = kept.reversed()
    }
}
