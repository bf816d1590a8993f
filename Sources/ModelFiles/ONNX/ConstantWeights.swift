internal import ONNXSchema

extension ONNXModel {
    /// The model with the weights that are `Constant` nodes as initializers, where they can be
    /// packed; the same values under the same names.
    ///
    /// A weight is a tensor of floats of two or more dimensions that a Conv, Gemm, MatMul or
    /// Gather takes directly.
    func liftingConstantWeights() -> ONNXModel {
        var operands = Set<String>()
        for node in proto.graph.node where node.domain.isEmpty {
            switch node.opType {
            case "Conv", "Gemm", "MatMul": operands.formUnion(node.input)
            case "Gather": operands.formUnion(node.input.prefix(1))
            default: break
            }
        }
        let known = Set(proto.graph.initializer.map(\.name))
        var result = self
        var kept: [Onnx_NodeProto] = []
        for node in proto.graph.node {
            guard node.opType == "Constant", node.domain.isEmpty, node.attribute.count == 1,
                node.attribute[0].name == "value", node.attribute[0].hasT,
                let name = node.output.first, operands.contains(name), !known.contains(name),
                node.attribute[0].t.dims.count >= 2,
                let type = ONNXElement(rawValue: node.attribute[0].t.dataType),
                type.elementType.isWeightType
            else {
                kept.append(node)
                continue
            }
            var tensor = node.attribute[0].t
            tensor.name = name
            result.proto.graph.initializer.append(tensor)
        }
        guard kept.count < proto.graph.node.count else { return self }
        result.proto.graph.node = kept
        return result
    }
}
