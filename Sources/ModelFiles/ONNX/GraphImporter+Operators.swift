internal import DenseMath
internal import Networks

extension GraphImporter {
    /// The nodes that compute an operator of ONNX's own set.
    ///
    /// - Throws: ``NotComputed``; ``ModelFileError`` `.invalidNode`.
    mutating func standardNodes(of node: NodeReader) throws -> [Node] {
        if let function = Self.functions[node.type] {
            return [try node.node(.unary(function))]
        }
        if let function = Self.binaryFunctions[node.type] {
            return [try node.node(.binary(function), inputs: 2...2)]
        }
        switch node.type {
        case "Conv":
            return [try node.node(.conv(convolution(node)), inputs: 2...3)]
        case "Gemm":
            let gemm = Operation.Gemm(
                alpha: try node.float("alpha", default: 1),
                beta: try node.float("beta", default: 1),
                transposesA: try node.flag("transA"), transposesB: try node.flag("transB"))
            return [try node.node(.gemm(gemm), inputs: 2...3)]
        case "MatMul": return [try node.node(.matMul, inputs: 2...2)]
        case "BatchNormalization":
            guard try !node.flag("training_mode") else { throw NotComputed() }
            let epsilon = try node.float("epsilon", default: 1e-5)
            return [try node.node(.batchNormalization(epsilon: epsilon), inputs: 5...5)]
        case "LayerNormalization":
            let operation = Operation.layerNormalization(
                axis: try node.integer("axis", default: -1),
                epsilon: try node.float("epsilon", default: 1e-5))
            return [try node.node(operation, inputs: 2...3)]
        case "MaxPool": return [try node.node(.maxPool(pooling(node)))]
        case "AveragePool":
            let operation = Operation.averagePool(
                try pooling(node), countsPadding: try node.flag("count_include_pad"))
            return [try node.node(operation)]
        case "GlobalAveragePool": return [try node.node(.globalAveragePool)]
        case "GlobalMaxPool": return [try node.node(.globalMaxPool)]
        case "Where": return [try node.node(.where, inputs: 3...3)]
        case "LeakyRelu", "Elu", "HardSigmoid", "Gelu", "Swish", "Clip", "Identity", "Dropout",
            "Cast":
            return [try functionWithAttributes(node)]
        case "Min", "Max", "Sum": return try chain(node)
        case "Mod": return try remainder(node)
        case "Softmax", "LogSoftmax": return try softmax(node)
        case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
            "ReduceL2", "ReduceSumSquare":
            return try reduction(node)
        default: return [try shapeNode(node)]
        }
    }

    private static let functions: [String: Operation.Unary] = [
        "Relu": .relu, "Sigmoid": .sigmoid, "HardSwish": .hardSwish, "Tanh": .tanh, "Erf": .erf,
        "Exp": .exp, "Log": .log, "Sqrt": .sqrt, "Reciprocal": .reciprocal, "Neg": .negate,
        "Abs": .absolute, "Floor": .floor, "Ceil": .ceil, "Not": .not,
    ]

    private static let binaryFunctions: [String: Operation.Binary] = [
        "Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide, "Pow": .power,
        "Equal": .equal, "Less": .less, "LessOrEqual": .lessOrEqual, "Greater": .greater,
        "GreaterOrEqual": .greaterOrEqual, "And": .and, "Or": .or,
    ]

    // MARK: Windows

    private mutating func convolution(_ node: NodeReader) throws -> Operation.Convolution {
        let kernel: [Int]
        if let sizes = try node.integers("kernel_shape") {
            kernel = sizes
        } else if let shape = try node.input(1).flatMap({ try shape(ofWeight: $0) }),
            shape.count > 2
        {
            kernel = Array(shape[2...])
        } else {
            throw NotComputed()
        }
        let window = try window(node, kernel: kernel)
        let groups = try node.integer("group", default: 1)
        guard groups > 0 else { throw node.invalid("its group is \(groups)") }
        return Operation.Convolution(
            kernel: kernel, strides: window.strides, dilations: window.dilations, groups: groups,
            padding: window.padding)
    }

    private func pooling(_ node: NodeReader) throws -> Operation.Pooling {
        guard let kernel = try node.integers("kernel_shape") else {
            throw node.invalid("it has no kernel_shape")
        }
        let window = try window(node, kernel: kernel)
        return Operation.Pooling(
            kernel: kernel, strides: window.strides, dilations: window.dilations,
            padding: window.padding, roundsUp: try node.flag("ceil_mode"))
    }

    private func window(
        _ node: NodeReader, kernel: [Int]
    ) throws -> (strides: [Int]?, dilations: [Int]?, padding: Operation.SpatialPadding) {
        func sizes(_ key: String, count: Int, from least: Int) throws -> [Int]? {
            guard let values = try node.integers(key) else { return nil }
            guard values.count == count, values.allSatisfy({ $0 >= least }) else {
                throw node.invalid(
                    "its \(key) is \(values.prefix(16)), expected \(count) numbers from \(least)")
            }
            return values
        }
        guard !kernel.isEmpty, kernel.count <= 16, kernel.allSatisfy({ $0 > 0 }) else {
            throw node.invalid("its kernel_shape is \(kernel.prefix(16))")
        }
        let rank = kernel.count
        let pads = try sizes("pads", count: 2 * rank, from: 0) ?? []
        let padding: Operation.SpatialPadding
        switch try node.text("auto_pad", default: "NOTSET") {
        case "NOTSET", "":
            padding = .explicit(Array(pads.prefix(rank)), Array(pads.suffix(pads.count / 2)))
        case "VALID": padding = .explicit([], [])
        case "SAME_UPPER": padding = .sameUpper
        case "SAME_LOWER": padding = .sameLower
        case let other: throw node.invalid("its auto_pad is '\(printable(other))'")
        }
        return (
            try sizes("strides", count: rank, from: 1),
            try sizes("dilations", count: rank, from: 1), padding
        )
    }

    // MARK: Element by element

    private mutating func functionWithAttributes(_ node: NodeReader) throws -> Node {
        switch node.type {
        case "LeakyRelu":
            return try node.node(.unary(.leakyRelu(alpha: node.float("alpha", default: 0.01))))
        case "Elu":
            return try node.node(.unary(.elu(alpha: node.float("alpha", default: 1))))
        case "HardSigmoid":
            let alpha = try node.float("alpha", default: 0.2)
            let beta = try node.float("beta", default: 0.5)
            return try node.node(.unary(.hardSigmoid(alpha: alpha, beta: beta)))
        case "Gelu":
            switch try node.text("approximate", default: "none") {
            case "none": return try node.node(.unary(.gelu(approximately: false)))
            case "tanh": return try node.node(.unary(.gelu(approximately: true)))
            case let other: throw node.invalid("its approximate is '\(printable(other))'")
            }
        case "Swish":
            guard try node.float("alpha", default: 1) == 1 else { throw NotComputed() }
            return try node.node(.unary(.silu))
        case "Clip":
            let minimum = try bound(node, 1) ?? -.infinity
            let maximum = try bound(node, 2) ?? .infinity
            return try node.node(
                .unary(.clip(minimum: minimum, maximum: maximum)), inputs: 1...3, keeping: 1)
        case "Cast":
            guard let element = ONNXElement(rawValue: Int32(try node.integer("to", default: 0))),
                let target = element.castTarget
            else { throw NotComputed() }
            return try node.node(.cast(target))
        default:  // Identity, Dropout
            if let mode = node.input(2) {
                guard let value = try constant(mode), value.kind == .int64,
                    !value.integers.contains(1)
                else { throw NotComputed() }
            }
            let identity = try node.node(.unary(.identity), inputs: 1...3, keeping: 1)
            alias(node.outputs[0], of: node.inputs[0])
            return identity
        }
    }

    /// A bound of `Clip`, nil when left out.
    private mutating func bound(_ node: NodeReader, _ index: Int) throws -> Float? {
        guard let name = node.input(index) else { return nil }
        guard let value = try constant(name), value.kind == .float32 else { throw NotComputed() }
        guard value.count == 1 else {
            throw node.invalid("its bound '\(printable(name))' has \(value.count) elements")
        }
        return value.floats[0]
    }

    /// Operators of any number of inputs, two at a time.
    private mutating func chain(_ node: NodeReader) throws -> [Node] {
        let function: Operation.Binary =
            switch node.type {
            case "Min": .minimum
            case "Max": .maximum
            default: .add
            }
        try node.require(inputs: 1...(1 << 16))
        guard node.inputs.count > 1 else { return [try node.node(.unary(.identity))] }
        guard node.outputs.count == 1 else { throw node.invalid("it has more than one output") }
        guard !node.inputs.contains("") else {
            throw node.invalid("an input that it needs is left out")
        }
        var nodes: [Node] = []
        var result = node.inputs[0]
        for (index, input) in node.inputs.enumerated().dropFirst() {
            let isLast = index == node.inputs.count - 1
            let output =
                isLast ? node.outputs[0] : newName(node.outputs[0], "part\(index)")
            nodes.append(
                Node(
                    isLast ? node.name : "\(node.name)/part\(index)", .binary(function),
                    inputs: [result, input], outputs: [output]))
            result = output
        }
        return nodes
    }

    /// The remainder of integers with the sign of the divisor: a - a / b b, where division cuts
    /// towards 0, has that of a; adding b and doing it once more gives it the other.
    private mutating func remainder(_ node: NodeReader) throws -> [Node] {
        let last = try node.node(.binary(.subtract), inputs: 2...2)
        // Only integers may leave it out.
        guard try !node.flag("fmod") else { throw NotComputed() }
        var nodes: [Node] = []
        func step(_ suffix: String, _ function: Operation.Binary, _ a: String, _ b: String)
            -> String
        {
            let output = newName(node.outputs[0], suffix)
            nodes.append(
                Node(
                    "\(node.name)/\(suffix)", .binary(function), inputs: [a, b], outputs: [output]))
            return output
        }
        let (a, b) = (node.inputs[0], node.inputs[1])
        let first = step("product", .multiply, step("quotient", .divide, a, b), b)
        let raised = step("raised", .add, step("remainder", .subtract, a, first), b)
        let second = step("product2", .multiply, step("quotient2", .divide, raised, b), b)
        return nodes + [
            Node(last.name, last.operation, inputs: [raised, second], outputs: last.outputs)
        ]
    }

    // MARK: Over dimensions

    private mutating func reduction(_ node: NodeReader) throws -> [Node] {
        let axesAreInput = opset >= (node.type == "ReduceSum" ? 13 : 18)
        var axes = try axesAreInput ? integers(node, 1) : node.integers("axes")
        if axes?.isEmpty ?? true {
            if try node.flag("noop_with_empty_axes") {
                guard
                    ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"]
                        .contains(node.type)
                else { throw NotComputed() }
                return [
                    try node.node(
                        .unary(.identity), inputs: 1...(axesAreInput ? 2 : 1), keeping: 1)
                ]
            }
            axes = nil
        }
        let keeps = try node.flag("keepdims", default: true)
        let kind: Operation.Reduction =
            switch node.type {
            case "ReduceMean": .mean
            case "ReduceMax": .maximum
            case "ReduceMin": .minimum
            case "ReduceProd": .product
            default: .sum
            }
        var last = try node.node(
            .reduce(kind, axes: axes, keepsDimensions: keeps), inputs: 1...(axesAreInput ? 2 : 1),
            keeping: 1)
        let output = node.outputs[0]
        var nodes: [Node] = []
        if node.type == "ReduceL1" {
            let magnitude = newName(output, "magnitude")
            nodes.append(
                Node(
                    "\(node.name)/magnitude", .unary(.absolute), inputs: last.inputs,
                    outputs: [magnitude]))
            last.inputs = [magnitude]
        } else if node.type == "ReduceL2" || node.type == "ReduceSumSquare" {
            let square = newName(output, "square")
            nodes.append(
                Node(
                    "\(node.name)/square", .binary(.multiply),
                    inputs: [last.inputs[0], last.inputs[0]], outputs: [square]))
            last.inputs = [square]
        }
        guard node.type == "ReduceL2" else { return nodes + [last] }
        let sum = newName(output, "sum")
        last.outputs = [sum]
        last.name = "\(node.name)/sum"
        return nodes + [
            last, Node(node.name, .unary(.sqrt), inputs: [sum], outputs: [output]),
        ]
    }

    private mutating func softmax(_ node: NodeReader) throws -> [Node] {
        // Before opset 13 it went over all dimensions from the axis on, flattened.
        let flattens = opset < 13
        let axis = try node.integer("axis", default: flattens ? 1 : -1)
        guard flattens, axis != -1 else { return try softmax(node, axis: axis) }
        let (input, output) = (try node.node(.softmax(axis: -1)).inputs[0], node.outputs[0])
        let shape = newName(output, "shape")
        let flat = newName(output, "flat")
        let result = newName(output, "result")
        var inner = try softmax(node, axis: -1, from: flat, to: result)
        inner.insert(
            contentsOf: [
                Node(
                    "\(node.name)/shape", .shape(start: 0, end: nil), inputs: [input],
                    outputs: [shape]),
                Node(
                    "\(node.name)/flatten", .flatten(axis: axis), inputs: [input], outputs: [flat]),
            ], at: 0)
        return inner + [
            Node(
                "\(node.name)/reshape", .reshape(allowsZero: false), inputs: [result, shape],
                outputs: [output])
        ]
    }

    private mutating func softmax(
        _ node: NodeReader, axis: Int, from input: String? = nil, to output: String? = nil
    ) throws -> [Node] {
        var whole = try node.node(.softmax(axis: axis))
        if let input { whole.inputs = [input] }
        if let output { whole.outputs = [output] }
        guard node.type == "LogSoftmax" else { return [whole] }
        // x - max - log(sum(exp(x - max))), which cannot overflow.
        var nodes: [Node] = []
        func name(_ suffix: String) -> String { newName(node.outputs[0], suffix) }
        func step(_ suffix: String, _ operation: Operation, _ inputs: String...) -> String {
            let output = name(suffix)
            nodes.append(
                Node("\(node.name)/\(suffix)", operation, inputs: inputs, outputs: [output]))
            return output
        }
        let largest = step(
            "max", .reduce(.maximum, axes: [axis], keepsDimensions: true), whole.inputs[0])
        let below = step("below", .binary(.subtract), whole.inputs[0], largest)
        let powers = step("exp", .unary(.exp), below)
        let sum = step("sum", .reduce(.sum, axes: [axis], keepsDimensions: true), powers)
        let logarithm = step("log", .unary(.log), sum)
        return nodes + [
            Node(
                node.name, .binary(.subtract), inputs: [below, logarithm], outputs: whole.outputs)
        ]
    }

    /// A constant input of integers, nil when left out.
    mutating func integers(_ node: NodeReader, _ index: Int) throws -> [Int]? {
        guard let name = node.input(index) else { return nil }
        guard let value = try constant(name), value.kind == .int64 else { throw NotComputed() }
        guard value.rank <= 1, value.count <= 1 << 16 else {
            throw node.invalid("its input '\(printable(name))' has the shape \(value.shape)")
        }
        return try value.integers.map { try node.number($0, "input '\(printable(name))'") }
    }
}

extension ONNXElement {
    /// The type that a value is in after a cast to this one; nil when that would not wrap round
    /// where this one does.
    fileprivate var castTarget: ScalarType? {
        switch self {
        case .float, .float16, .bfloat16, .double: .float32
        case .int64: .int64
        case .int32: .int32
        case .uint8: .uint8
        case .int8: .int8
        case .bool: .bool
        case .int16, .uint16, .uint32, .uint64: nil
        }
    }
}
