internal import DenseMath
internal import Networks
internal import ONNXSchema

extension GraphExporter {
    /// Adds the nodes that compute what `node` does.
    mutating func add(_ node: Node) throws {
        switch node.operation {
        case .conv(let convolution):
            add(
                "Conv", node,
                [
                    "kernel_shape": .integers(convolution.kernel),
                    "strides": .integers(convolution.strides),
                    "dilations": .integers(convolution.dilations),
                    "group": .integer(convolution.groups),
                    "pads": convolution.padding.pads, "auto_pad": convolution.padding.autoPad,
                ])
        case .gemm(let gemm):
            add(
                "Gemm", node,
                [
                    "alpha": .float(gemm.alpha), "beta": .float(gemm.beta),
                    "transA": .integer(gemm.transposesA ? 1 : 0),
                    "transB": .integer(gemm.transposesB ? 1 : 0),
                ])
        case .batchNormalization(let epsilon):
            add("BatchNormalization", node, ["epsilon": .float(epsilon)])
        case .layerNormalization(let axis, let epsilon):
            try addLayerNormalization(node, axis: axis, epsilon: epsilon)
        case .softmax(let axis): addSoftmax(node, axis: axis)
        case .unary(let function): addFunction(node, function)
        case .binary(let function): addBinary(node, function)
        case .maxPool(let pooling):
            add("MaxPool", node, pooling, ["dilations": .integers(pooling.dilations)])
        case .averagePool(let pooling, let countsPadding):
            let isDilated = pooling.dilations.contains { $0 != 1 }
            guard opset >= 19 || !isDilated else {
                throw refusal(node, "its dilations need opset 19")
            }
            add(
                "AveragePool", node, pooling,
                [
                    "count_include_pad": .integer(countsPadding ? 1 : 0),
                    "dilations": isDilated ? .integers(pooling.dilations) : nil,
                ])
        case .matMul, .where, .globalAveragePool, .globalMaxPool, .slice, .expand, .range:
            add(node.operation.name, node)
        case .foreign: throw refusal(node, "it is an operator that only passes through files")
        default: try addShapeNode(node)
        }
    }

    /// Adds one node with the name, inputs and outputs of a network's.
    mutating func add(
        _ type: String, _ node: Node, _ attributes: KeyValuePairs<String, AttributeValue?> = [:]
    ) {
        add(type, node.name, node.inputs, node.outputs, attributes)
    }

    private mutating func add(
        _ type: String, _ node: Node, _ pooling: Operation.Pooling,
        _ others: KeyValuePairs<String, AttributeValue?>
    ) {
        let common: KeyValuePairs<String, AttributeValue?> = [
            "kernel_shape": .integers(pooling.kernel), "strides": .integers(pooling.strides),
            "pads": pooling.padding.pads, "auto_pad": pooling.padding.autoPad,
            "ceil_mode": .integer(pooling.roundsUp ? 1 : 0),
        ]
        add(type, node.name, node.inputs, node.outputs, common, others)
    }

    /// Adds a node in the place of a part of `node`; the output's name is made from the node's.
    private mutating func step(
        _ suffix: String, of node: Node, _ type: String, _ inputs: String...,
        attributes: KeyValuePairs<String, AttributeValue?> = [:]
    ) -> String {
        let output = newName(node.outputs[0], suffix)
        add(type, "\(node.name)/\(suffix)", inputs, [output], attributes)
        return output
    }

    private mutating func number(_ value: Float, of node: Node, _ suffix: String) -> String {
        newConstant(Tensor(shape: [], [value]), node.outputs[0], suffix)
    }

    // MARK: Functions

    private mutating func addFunction(_ node: Node, _ function: Operation.Unary) {
        let x = node.inputs[0]
        switch function {
        case .leakyRelu(let alpha), .elu(let alpha):
            add(function.name, node, ["alpha": .float(alpha)])
        case .hardSigmoid(let alpha, let beta):
            add("HardSigmoid", node, ["alpha": .float(alpha), "beta": .float(beta)])
        case .clip(let minimum, let maximum):
            let low = minimum == -.infinity ? "" : number(minimum, of: node, "minimum")
            let high = maximum == .infinity ? "" : number(maximum, of: node, "maximum")
            let bounds = high.isEmpty ? (low.isEmpty ? [] : [low]) : [low, high]
            add("Clip", node.name, [x] + bounds, node.outputs)
        case .hardSwish where opset < 14:
            let gate = step(
                "gate", of: node, "HardSigmoid", x,
                attributes: ["alpha": .float(1 / 6), "beta": .float(0.5)])
            add("Mul", node.name, [x, gate], node.outputs)
        case .silu:
            let gate = step("gate", of: node, "Sigmoid", x)
            add("Mul", node.name, [x, gate], node.outputs)
        case .gelu(let approximately):
            guard opset < 20 else {
                add("Gelu", node, ["approximate": .text(approximately ? "tanh" : "none")])
                return
            }
            addGelu(node, approximately: approximately)
        default: add(function.name, node)
        }
    }

    /// x / 2 (1 + erf(x / √2)), or √(2/π) (x + 0.044715 x³) through tanh for the erf.
    private mutating func addGelu(_ node: Node, approximately: Bool) {
        let x = node.inputs[0]
        let bent: String
        if approximately {
            let square = step("square", of: node, "Mul", x, x)
            let cubic = step(
                "cubic", of: node, "Mul", square, number(0.044715, of: node, "cubic_factor"))
            let factor = step("factor", of: node, "Add", cubic, number(1, of: node, "unit"))
            let inner = step("inner", of: node, "Mul", x, factor)
            let scaled = step(
                "scaled", of: node, "Mul", inner,
                number((2 / Float.pi).squareRoot(), of: node, "scale"))
            bent = step("tanh", of: node, "Tanh", scaled)
        } else {
            let scaled = step(
                "scaled", of: node, "Div", x, number(Float(2).squareRoot(), of: node, "root"))
            bent = step("erf", of: node, "Erf", scaled)
        }
        let gate = step("gate", of: node, "Add", bent, number(1, of: node, "one"))
        let product = step("product", of: node, "Mul", x, gate)
        add("Mul", node.name, [product, number(0.5, of: node, "half")], node.outputs)
    }

    private mutating func addBinary(_ node: Node, _ function: Operation.Binary) {
        // Opset 12 is the first with these two.
        guard opset < 12, function == .lessOrEqual || function == .greaterOrEqual else {
            add(function.name, node)
            return
        }
        let isLess = function == .lessOrEqual
        let strict = step(
            "strict", of: node, isLess ? "Less" : "Greater", node.inputs[0], node.inputs[1])
        let equal = step("equal", of: node, "Equal", node.inputs[0], node.inputs[1])
        add("Or", node.name, [strict, equal], node.outputs)
    }

    // MARK: Over dimensions

    private mutating func addSoftmax(_ node: Node, axis: Int) {
        // Before opset 13 it went over all dimensions from the axis on.
        if opset >= 13 || axis == -1 {
            add("Softmax", node, ["axis": .integer(axis)])
            return
        }
        let attributes: KeyValuePairs<String, AttributeValue?> = [
            "axes": .integers([axis]), "keepdims": .integer(1),
        ]
        let largest = step(
            "max", of: node, "ReduceMax", node.inputs[0], attributes: attributes)
        let below = step("below", of: node, "Sub", node.inputs[0], largest)
        let powers = step("exp", of: node, "Exp", below)
        let sum = step("sum", of: node, "ReduceSum", powers, attributes: attributes)
        add("Div", node.name, [powers, sum], node.outputs)
    }

    private mutating func addLayerNormalization(
        _ node: Node, axis: Int, epsilon: Float
    ) throws {
        if opset >= 17 {
            add(
                "LayerNormalization", node,
                ["axis": .integer(axis), "epsilon": .float(epsilon)])
            return
        }
        // From the end, because the rank is not known; the scale has the dimensions normalised.
        let count = axis < 0 ? -axis : network.parameters[node.inputs[1]]?.shape.count
        guard let count, count > 0 else {
            throw refusal(node, "before opset 17 its axis \(axis) must count from the end")
        }
        let attributes: KeyValuePairs<String, AttributeValue?> = [
            "axes": .integers(Array(-count..<0)), "keepdims": .integer(1),
        ]
        let x = node.inputs[0]
        let mean = step("mean", of: node, "ReduceMean", x, attributes: attributes)
        let centred = step("centred", of: node, "Sub", x, mean)
        let square = step("square", of: node, "Mul", centred, centred)
        let variance = step("variance", of: node, "ReduceMean", square, attributes: attributes)
        let padded = step(
            "padded", of: node, "Add", variance, number(epsilon, of: node, "epsilon"))
        let deviation = step("deviation", of: node, "Sqrt", padded)
        let normal = step("normal", of: node, "Div", centred, deviation)
        guard let bias = node.input(2) else {
            add("Mul", node.name, [normal, node.inputs[1]], node.outputs)
            return
        }
        let scaled = step("scaled", of: node, "Mul", normal, node.inputs[1])
        add("Add", node.name, [scaled, bias], node.outputs)
    }
}

extension Operation.SpatialPadding {
    /// The attribute `pads`, where it is given in numbers.
    fileprivate var pads: AttributeValue? {
        guard case .explicit(let before, let after) = self, !before.isEmpty else { return nil }
        return .integers(before + after)
    }

    /// The attribute `auto_pad`, where it is not.
    fileprivate var autoPad: AttributeValue? {
        switch self {
        case .explicit: nil
        case .sameUpper: .text("SAME_UPPER")
        case .sameLower: .text("SAME_LOWER")
        }
    }
}
