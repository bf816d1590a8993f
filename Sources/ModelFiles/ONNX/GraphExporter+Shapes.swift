internal import DenseMath
internal import Networks
internal import ONNXSchema

extension GraphExporter {
    /// Adds the node of an operation that moves elements or makes shapes.
    mutating func addShapeNode(_ node: Node) throws {
        switch node.operation {
        case .reduce(let reduction, let axes, let keeps):
            let asInput = opset >= (reduction == .sum ? 13 : 18)
            add(node, axes: axes, asInput: asInput, ["keepdims": .integer(keeps ? 1 : 0)])
        case .squeeze(let axes): add(node, axes: axes, asInput: opset >= 13)
        case .unsqueeze(let axes): add(node, axes: axes, asInput: opset >= 13)
        case .reshape(let allowsZero):
            // Without the attribute only a 0 in the shape, of an empty tensor, means another thing.
            let shape = network.parameters[node.inputs[1]]?.tensor
            guard opset >= 14 || !allowsZero || !(shape?.integers.contains(0) ?? false) else {
                throw refusal(node, "dimensions of 0 need opset 14")
            }
            add("Reshape", node, ["allowzero": allowsZero && opset >= 14 ? .integer(1) : nil])
        case .flatten(let axis): add("Flatten", node, ["axis": .integer(axis)])
        case .transpose(let permutation):
            add("Transpose", node, ["perm": permutation.map { .integers($0) }])
        case .concat(let axis): add("Concat", node, ["axis": .integer(axis)])
        case .split(let axis, let sizes): addSplit(node, axis: axis, sizes: sizes)
        case .gather(let axis): add("Gather", node, ["axis": .integer(axis)])
        case .pad(let mode):
            guard opset >= 18 || node.input(3) == nil else {
                throw refusal(node, "its axes need opset 18")
            }
            add("Pad", node, ["mode": .text(mode.rawValue)])
        case .shape(let start, let end): addShape(node, start: start, end: end)
        case .constantOfShape(let value):
            let tensor =
                switch value {
                case .float(let number): Onnx_TensorProto(Tensor(shape: [1], [number]), name: "")
                case .integer(let number, let type): Onnx_TensorProto(number, type)
                }
            add("ConstantOfShape", node, ["value": .tensor(tensor)])
        case .cast(let type):
            add("Cast", node, ["to": .integer(Int(type.onnxElement.rawValue))])
        default: throw refusal(node, "it has no ONNX form")
        }
    }

    private mutating func add(
        _ node: Node, axes: [Int]?, asInput: Bool,
        _ others: KeyValuePairs<String, AttributeValue?> = [:]
    ) {
        guard let axes else {
            add(node.operation.name, node, others)
            return
        }
        guard asInput else {
            let own: KeyValuePairs<String, AttributeValue?> = ["axes": .integers(axes)]
            add(node.operation.name, node.name, node.inputs, node.outputs, own, others)
            return
        }
        let input = integers(axes, of: node, "axes")
        add(node.operation.name, node.name, node.inputs + [input], node.outputs, others)
    }

    private mutating func integers(_ values: [Int], of node: Node, _ suffix: String) -> String {
        newConstant(
            Tensor(shape: [values.count], integers: values.map { Int64($0) }),
            node.outputs.first { !$0.isEmpty } ?? node.name, suffix)
    }

    private mutating func addSplit(_ node: Node, axis: Int, sizes: [Int]?) {
        guard let sizes else {
            add(
                "Split", node,
                [
                    "axis": .integer(axis),
                    "num_outputs": opset < 18 ? nil : .integer(node.outputs.count),
                ])
            return
        }
        if opset < 13 {
            add("Split", node, ["axis": .integer(axis), "split": .integers(sizes)])
        } else {
            let input = integers(sizes, of: node, "sizes")
            add(
                "Split", node.name, node.inputs + [input], node.outputs,
                ["axis": .integer(axis)])
        }
    }

    private mutating func addShape(_ node: Node, start: Int, end: Int?) {
        if start == 0, end == nil {
            add("Shape", node)
        } else if opset >= 15 {
            add("Shape", node, ["start": .integer(start), "end": end.map { .integer($0) }])
        } else {
            let whole = newName(node.outputs[0], "whole")
            add("Shape", "\(node.name)/whole", node.inputs, [whole])
            let first = integers([start], of: node, "start")
            let last = integers([end ?? Int(Int32.max)], of: node, "end")
            add("Slice", node.name, [whole, first, last], node.outputs)
        }
    }
}

extension Onnx_TensorProto {
    /// A tensor of one integer.
    fileprivate init(_ value: Int64, _ type: ScalarType) {
        self.init()
        dims = [1]
        dataType = type.onnxElement.rawValue
        if type == .int64 {
            int64Data = [value]
        } else {
            int32Data = [Int32(truncatingIfNeeded: value)]
        }
    }
}
