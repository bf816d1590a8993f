internal import DenseMath
internal import DensePrimitives
internal import Networks
internal import PowerOfTwo

/// A convolution or product of bytes with constant weights, as a primitive sees it.
struct ByteProduct {
    /// A value's layouts: as others see it, and as the primitive does.
    struct Operand {
        let value: (Layout.Element) throws -> Layout
        let primitive: (Layout.Element) throws -> Layout

        /// With channels last for both.
        init(channelsLast shape: [Int]) {
            value = { try Layout(channelsLast: shape, $0) }
            primitive = value
        }

        /// Row-major, a matrix to the primitive.
        init(plain shape: [Int], rows: Int, columns: Int) {
            value = { try Layout(plain: shape, $0) }
            primitive = { try Layout(plain: [rows, columns], $0) }
        }
    }

    let weightName: String
    /// Where the primitive finds the constant's elements.
    let weights: Layout
    /// Whether the constant's last dimension counts output channels, and not its first.
    let isTransposed: Bool
    /// The dimensions of ``weights`` that count output channels.
    let channelAxes: [Int]
    let biasName: String?
    /// The bias as the primitive sees it.
    let biasShape: [Int]
    let source: Operand
    let target: Operand
    /// The convolution as the kernels over kept positions see it; nil for what they do not have.
    var grid: SparseGrid?
    let make:
        (
            _ source: Layout, _ weights: Layout, _ bias: Layout?, _ target: Layout,
            _ posts: [PostOperation], _ integers: IntegerScales?
        ) throws -> Primitive
}

extension PlanBuilder {
    /// Adds the steps of a product of bytes; false, with nothing added, where there is none.
    mutating func lowerByBytes(
        _ item: PlanGraph.Operator, _ product: ByteProduct
    ) throws -> Bool {
        guard let bytes, bytes.takesBytes(item, in: graph),
            let sourceScale = scaleOfBytes(item.inputs[0]),
            let tensor = graph.constant(product.weightName)
        else { return false }
        let weights = ByteWeights(tensor, isTransposed: product.isTransposed)
        let biasLayout = try product.biasName.map { _ in try Layout(plain: product.biasShape) }
        func primitive(_ fused: [PlanGraph.Fused], _ scale: ByteScale?) throws -> Primitive? {
            let made = try? product.make(
                product.source.primitive(.byte), Layout(any: product.weights.shape, .signedByte),
                biasLayout, product.target.primitive(scale == nil ? .float : .byte),
                posts(fused, inBytes: scale != nil),
                IntegerScales(
                    source: sourceScale, target: scale, weights: weights.scales,
                    along: product.channelAxes))
            return made.flatMap { $0.isSlow ? nil : $0 }
        }
        // Floats are written for those that work on floats, and where merging is not possible.
        var merged = item
        var scale = bytes.isWritten(item.output) ? bytes.scale(of: item.output) : nil
        if item.addends.contains(where: { scaleOfBytes($0) == nil }) { scale = nil }
        if try lowerSparse(item, product, weights, source: sourceScale, target: scale) {
            return true
        }
        var chosen = try primitive(item.fused, scale)
        if chosen == nil {
            merged.fused = []
            scale = item.fused.isEmpty ? scale : nil
            chosen = try primitive([], scale)
        }
        guard let chosen else { return false }
        let source = try readBytes(item.inputs[0], as: product.source.value(.byte))
        let weightsLayout = try chosen.weightsLayout(product.weights.shape)
        let packed =
            if let kept = streamedSource(product.weightName) {
                try streamed(
                    kept, seenAs: product.weights, in: weightsLayout,
                    roundsToBytes: product.isTransposed)
            } else {
                try constant(
                    of: weights, seenAs: product.weights, in: weightsLayout,
                    named: product.weightName)
            }
        let layout = try product.target.value(scale == nil ? .float : .byte)
        let target = try target(
            merged, in: layout, scale, shape: info(item.output).shape, reading: [source])
        var arguments: [(Primitive.Argument, PlacedValue)] = [
            (.source, source.seen(as: try product.source.primitive(.byte))), (.weights, packed),
            (.target, target.seen(as: try product.target.primitive(scale == nil ? .float : .byte))),
        ]
        if let name = product.biasName, let biasLayout {
            let bias = try readPlain(biasOfBytes(name, weights, sourceScale))
            arguments.append((.bias, bias.seen(as: biasLayout)))
        }
        try emit(
            chosen, operation: label(item, merged.fused),
            density: graph.densities[product.weightName] ?? 1, arguments)
        if merged.fused.count < item.fused.count { try lowerFused(item.fused, on: item.output) }
        return true
    }

    /// A bias in the units in which a product of bytes takes it.
    private mutating func biasOfBytes(
        _ name: String, _ weights: ByteWeights, _ source: ByteScale
    ) throws -> String {
        guard !IntegerScales.biasIsReal, let bias = graph.constant(name) else { return name }
        let values = zip(bias.floats, weights.scales).map { $0 / ($1 * source.scale) }
        return graph.addConstant(name + " of bytes", Tensor(shape: [values.count], values))
    }

    private mutating func constant(
        of weights: ByteWeights, seenAs source: Layout, in layout: Layout, named name: String
    ) throws -> PlacedValue {
        try weights.bytes.withUnsafeBytes {
            try constant(of: $0, seenAs: source, in: layout, named: name)
        }
    }
}

extension PlanGraph.Operator {
    /// The values that are added to its result before it is written.
    fileprivate var addends: [String] {
        fused.compactMap { if case .add(let value) = $0 { value } else { nil } }
    }
}
