public import Networks
internal import ONNXSchema
internal import PowerOfTwo

extension ONNXModel {
    /// The file of a network whose values and weights are bytes: QuantizeLinear and DequantizeLinear
    /// wherever running it on bytes rounds, and weights as signed bytes with a scale for each output
    /// channel.
    ///
    /// - Parameters:
    ///   - network: with dense weights.
    ///   - rounding: what is rounded, as `Network.preparedForBytes()` gives it.
    ///   - opset: 13 to 21; before, scales of channels were not to be had.
    /// - Throws: as ``init(network:opset:path:)``.
    public init(
        network: Network, rounding: ByteRounding, opset: Int = 17, path: String = "model.onnx"
    ) throws {
        guard opset >= 13 else {
            throw ModelFileError(
                code: .unsupportedOpset,
                message: "opset \(opset) was asked for; bytes need 13 to 21", path: path)
        }
        var plain = network
        plain.activationRanges = nil
        var exporter = try GraphExporter(plain, opset: opset, path: path, rounding: rounding)
        self.init(try exporter.model(), path: path)
    }
}

extension GraphExporter {
    /// Adds the nodes that compute what `node` does with what it reads and gives rounded.
    mutating func addRounded(_ node: Node, _ rounding: ByteRounding) throws {
        var node = node
        if let scale = rounding.read[node.inputs.first ?? ""], let weight = byteWeight(of: node) {
            if rounding.kept[node.inputs[0]] == nil {
                node.inputs[0] = once("\(node.inputs[0])/rounded") { exporter in
                    let name = exporter.newName(node.inputs[0], "rounded")
                    exporter.addRounding(node.inputs[0], to: name, scale)
                    return name
                }
            }
            if node.inputs.count > 2, let bias = bias(of: node, count: weight.bytes.scales.count) {
                let scales = weight.bytes.scales.map { $0 * scale.scale }
                node.inputs[2] = addIntegers(
                    zip(bias, scales).map { Int32(clamping: Int(($0 / $1).rounded())) }, scales,
                    node.inputs[2])
            }
            let name = node.inputs[1]
            node.inputs[1] = once("\(name)/bytes along \(weight.axis)") {
                let shape = $0.network.parameters[name]?.shape ?? []
                return $0.addBytes(weight.bytes, shape, weight.axis, name)
            }
        }
        let output = node.outputs.first ?? ""
        guard let scale = rounding.kept[output] else { return try add(node) }
        node.outputs[0] = newName(output, "reals")
        try add(node)
        addRounding(node.outputs[0], to: output, scale)
    }

    /// The constant weight of a convolution or product as bytes, and the dimension of its channels.
    private func byteWeight(of node: Node) -> (bytes: ByteWeights, axis: Int)? {
        guard node.inputs.count > 1, case .dense(let tensor)? = network.parameters[node.inputs[1]],
            tensor.kind == .float32, tensor.rank > 1
        else { return nil }
        switch node.operation {
        case .conv: return (ByteWeights(tensor), 0)
        case .gemm(let gemm):
            return (
                ByteWeights(tensor, isTransposed: !gemm.transposesB), gemm.transposesB ? 0 : 1
            )
        case .matMul: return (ByteWeights(tensor, isTransposed: true), 1)
        default: return nil
        }
    }

    /// A bias with a number for each channel.
    private func bias(of node: Node, count: Int) -> [Float]? {
        if case .gemm(let gemm) = node.operation, gemm.alpha != 1 || gemm.beta != 1 { return nil }
        guard case .dense(let tensor)? = network.parameters[node.inputs[2]],
            tensor.shape == [count], tensor.kind == .float32
        else { return nil }
        return tensor.floats
    }

    /// A value rounded to bytes and made reals again.
    private mutating func addRounding(_ value: String, to result: String, _ scale: ByteScale) {
        let factor = addInitializer(
            .raw("", .float, [], WeightConversion.bytes(from: [scale.scale], as: .f32)),
            result, "scale")
        let zero = addInitializer(.raw("", .uint8, [], [scale.zero]), result, "zero")
        let bytes = newName(result, "bytes")
        add("QuantizeLinear", "\(result)/round", [value, factor, zero], [bytes])
        add("DequantizeLinear", "\(result)/reals", [bytes, factor, zero], [result])
    }

    private mutating func addBytes(
        _ weights: ByteWeights, _ shape: [Int], _ axis: Int, _ name: String
    ) -> String {
        let bytes = addInitializer(
            .raw("", .int8, shape, weights.bytes.map { UInt8(bitPattern: $0) }), name, "bytes")
        return addReals(bytes, weights.scales, .int8, axis, name)
    }

    private mutating func addIntegers(
        _ values: [Int32], _ scales: [Float], _ name: String
    ) -> String {
        let bytes = values.flatMap { value in
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        let integers = addInitializer(.raw("", .int32, [values.count], bytes), name, "integers")
        return addReals(integers, scales, .int32, 0, name)
    }

    private mutating func addReals(
        _ integers: String, _ scales: [Float], _ type: Onnx_TensorProto.DataType, _ axis: Int,
        _ name: String
    ) -> String {
        let factors = addInitializer(
            .raw("", .float, [scales.count], WeightConversion.bytes(from: scales, as: .f32)),
            name, "scales")
        let width = type == .int32 ? 4 : 1
        let zeros = addInitializer(
            .raw("", type, [scales.count], Array(repeating: 0, count: scales.count * width)),
            name, "zeros")
        let result = newName(name, "reals")
        add(
            "DequantizeLinear", result, [integers, factors, zeros], [result],
            ["axis": .integer(axis)])
        return result
    }
}
