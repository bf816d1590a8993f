internal import DenseMath
internal import Networks

extension GraphImporter {
    /// The node of an operator that moves elements or makes shapes.
    ///
    /// - Throws: ``NotComputed``; ``ModelFileError`` `.invalidNode`.
    mutating func shapeNode(_ node: NodeReader) throws -> Node {
        switch node.type {
        case "Reshape":
            return try node.node(.reshape(allowsZero: node.flag("allowzero")), inputs: 2...2)
        case "Flatten":
            return try node.node(.flatten(axis: node.integer("axis", default: 1)))
        case "Squeeze":
            let axes = try axes(node)
            return try node.node(
                .squeeze(axes: axes), inputs: 1...(opset < 13 ? 1 : 2), keeping: 1)
        case "Unsqueeze":
            guard let axes = try axes(node) else { throw node.invalid("it has no axes") }
            return try node.node(
                .unsqueeze(axes: axes), inputs: 1...(opset < 13 ? 1 : 2), keeping: 1)
        case "Transpose": return try node.node(.transpose(permutation: node.integers("perm")))
        case "Concat":
            guard node.attribute("axis") != nil else { throw node.invalid("it has no axis") }
            guard !node.inputs.contains("") else {
                throw node.invalid("an input that it needs is left out")
            }
            return try node.node(
                .concat(axis: node.integer("axis", default: 0)), inputs: 1...(1 << 16))
        case "Split": return try split(node)
        case "Slice": return try node.node(.slice, inputs: 3...5)
        case "Gather":
            return try node.node(.gather(axis: node.integer("axis", default: 0)), inputs: 2...2)
        case "Pad":
            guard
                let mode = Operation.Padding(rawValue: try node.text("mode", default: "constant"))
            else { throw NotComputed() }
            return try node.node(.pad(mode), inputs: 2...(opset < 18 ? 3 : 4))
        case "Expand": return try node.node(.expand, inputs: 2...2)
        case "Shape":
            let start = try node.integer("start", default: 0)
            let end = try node.attribute("end").map { _ in try node.integer("end", default: 0) }
            return try node.node(.shape(start: start, end: end))
        case "ConstantOfShape": return try node.node(.constantOfShape(value: filler(node)))
        case "Range": return try node.node(.range, inputs: 3...3)
        default: throw NotComputed()
        }
    }

    private mutating func axes(_ node: NodeReader) throws -> [Int]? {
        try opset < 13 ? node.integers("axes") : integers(node, 1)
    }

    private mutating func split(_ node: NodeReader) throws -> Node {
        let sizes = try opset < 13 ? node.integers("split") : integers(node, 1)
        try node.require(inputs: 1...(opset < 13 ? 1 : 2))
        if let sizes, sizes.count < node.outputs.count || sizes.contains(where: { $0 < 0 }) {
            throw node.invalid(
                "its sizes are \(sizes.prefix(16)), it has \(node.outputs.count) outputs")
        }
        // Outputs that nobody uses at the end are parts all the same.
        let count =
            try sizes?.count ?? node.integer("num_outputs", default: node.proto.output.count)
        guard count >= node.outputs.count, count <= 1 << 16 else {
            throw node.invalid("it has \(node.outputs.count) outputs of \(count)")
        }
        let unused = [String](repeating: "", count: count - node.outputs.count)
        return Node(
            node.name, .split(axis: try node.integer("axis", default: 0), sizes: sizes),
            inputs: Array(node.inputs.prefix(1)), outputs: node.outputs + unused)
    }

    /// The element that `ConstantOfShape` repeats.
    private func filler(_ node: NodeReader) throws -> Operation.Constant {
        guard let proto = node.tensor("value") else { return .float(0) }
        guard let element = ONNXElement(rawValue: proto.dataType) else { throw NotComputed() }
        let value = try model.tensor(proto)
        guard value.count == 1 else {
            throw node.invalid("its value has \(value.count) elements, expected 1")
        }
        return value.kind == .float32
            ? .float(value.floats[0]) : .integer(value.integers[0], element.scalarType)
    }
}
