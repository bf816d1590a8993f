internal import DensePrimitives
internal import DenseMath
internal import Networks
internal import PowerOfTwo

extension PlanBuilder {
    /// Adds the steps that compute an operator: by plain loops where oneDNN cannot.
    mutating func lower(_ item: PlanGraph.Operator) throws {
        guard hasPrimitives(item) else { return try lowerByReference(item) }
        do {
            try lowerByPrimitives(item)
        } catch is OneDNN.Failure {
            try lowerByReference(item)
        }
    }

    /// Whether oneDNN takes such shapes: of not too many dimensions, with elements.
    private func hasPrimitives(_ item: PlanGraph.Operator) -> Bool {
        let shapes = (item.inputs + item.outputs).filter { !$0.isEmpty }.map(graph.known)
        return !item.output.isEmpty
            && shapes.allSatisfy { value in
                value.shape.count <= Layout.maximumRank
                    && (value.elementType != .float32 || !value.shape.contains(0))
            }
    }

    private mutating func lowerByPrimitives(_ item: PlanGraph.Operator) throws {
        switch item.operation {
        case .conv(let convolution): try lowerConvolution(item, convolution)
        case .gemm(let gemm): try lowerGemm(item, gemm)
        case .matMul: try lowerMatMul(item)
        case .batchNormalization(let epsilon):
            try lowerBatchNormalization(item, epsilon: epsilon)
        case .layerNormalization(let axis, let epsilon):
            try lowerLayerNormalization(item, axis: axis, epsilon: epsilon)
        case .softmax(let axis): try lowerSoftmax(item, axis: axis)
        case .unary(let function): try lowerUnary(item, function)
        case .binary(let function): try lowerBinary(item, function)
        case .maxPool(let pooling): try lowerPooling(item, pooling, .maximum)
        case .averagePool(let pooling, let countsPadding):
            try lowerPooling(item, pooling, countsPadding ? .averageWithPadding : .average)
        case .globalAveragePool: try lowerGlobalPooling(item, .average)
        case .globalMaxPool: try lowerGlobalPooling(item, .maximum)
        case .reduce(.mean, let axes, _): try lowerMean(item, axes: axes)
        case .reshape, .flatten, .squeeze, .unsqueeze: try lowerView(item)
        case .transpose(let permutation): try lowerTranspose(item, permutation)
        case .concat(let axis): try lowerConcat(item, axis: axis)
        case .slice: try lowerSlice(item)
        case .split(let axis, _): try lowerSplit(item, axis: axis)
        case .expand: try lowerExpand(item)
        case .pad(.constant): try lowerPad(item)
        case .gather(let axis): try lowerGather(item, axis: axis)
        default: try lowerByReference(item)
        }
    }

    /// Runs the plain loops that define the operation.
    mutating func lowerByReference(_ item: PlanGraph.Operator) throws {
        var operands: [ValueInfo?] = []
        var sources: [(index: Int, place: PlacedValue)] = []
        for (index, value) in item.inputs.enumerated() {
            guard !value.isEmpty else {
                operands.append(nil)
                continue
            }
            var known = graph.known(value)
            known.constant = graph.parameters[value]?.tensor
            operands.append(known)
            if known.constant == nil { sources.append((index, try readPlain(value))) }
        }
        var targets: [(index: Int, place: PlacedValue)] = []
        for (index, value) in item.outputs.enumerated() where !value.isEmpty {
            targets.append((index, try define(value, plain: info(value))))
        }
        emit(kernel: "reference", sources.map(\.place) + targets.map(\.place)) { addresses in
            {
                var operands = operands
                for (address, (index, place)) in zip(addresses, sources) {
                    operands[index]?.constant = Tensor(
                        place.elementType.kind, uninitialized: place.shape
                    ) { bytes in
                        bytes.copyMemory(
                            from: UnsafeRawBufferPointer(start: address, count: bytes.count))
                    }
                }
                let tensors = try item.evaluated(operands)
                for (address, (index, _)) in zip(addresses.dropFirst(sources.count), targets) {
                    tensors[index].withBytes { bytes in
                        if let start = bytes.baseAddress {
                            address.copyMemory(from: start, byteCount: bytes.count)
                        }
                    }
                }
            }
        }
        try lowerFused(item.fused, on: item.output)
    }

    /// Adds steps of their own for operations merged into one that could not do them.
    mutating func lowerFused(_ fused: [PlanGraph.Fused], on value: String) throws {
        for follower in fused {
            let place = try read(value)
            switch follower {
            case .function(let function):
                let functions = function.primitives
                let posts = functions.dropFirst().map { PostOperation.function($0) }
                guard let first = functions.first else { continue }
                try emit(
                    .function(first, place.layout, posts: posts), operation: function.name,
                    [(.source, place), (.target, place)])
            case .add(let other):
                let operand = try read(other, as: place.layout)
                try emit(
                    .binary(.add, place.layout, operand.layout, target: place.layout, posts: []),
                    operation: "Add",
                    [(.source, place), (.secondSource, operand), (.target, place)])
            }
        }
    }

    /// The merged operations as a primitive does them that writes floats, or bytes.
    func posts(_ fused: [PlanGraph.Fused], inBytes: Bool = false) -> [PostOperation] {
        fused.flatMap { follower -> [PostOperation] in
            switch follower {
            case .function(let function): return function.primitives.map { .function($0) }
            case .add(let value):
                guard inBytes, let scale = scaleOfBytes(value) else { return [.sum()] }
                return [.sum(scale: scale.scale, zero: Int(scale.zero))]
            }
        }
    }

    /// The place that a result goes to: where the value to be added lies, if there is one and it
    /// can be overwritten, or a copy of it.
    ///
    /// - Parameters:
    ///   - scale: what the bytes stand for, when the result is bytes.
    ///   - sources: what is read while the result is written.
    mutating func target(
        _ item: PlanGraph.Operator, in layout: Layout, _ scale: ByteScale? = nil, shape: [Int],
        reading sources: [PlacedValue]
    ) throws -> PlacedValue {
        let addend = item.fused.compactMap { fused in
            if case .add(let value) = fused { value } else { nil }
        }.first
        guard let addend else { return define(item.output, in: layout, scale) }
        var place =
            try scale == nil ? read(addend, as: layout) : readBytes(addend, as: layout)
        if !isLastUse(place) || sources.contains(where: { $0.buffer === place.buffer }) {
            place = try copy(place, in: layout, place.scale)
        }
        return define(item.output, replacing: place, shape: shape, scale)
    }

    /// A primitive with the operations merged into it or, where it would be slow or impossible,
    /// without; then they remain to be done.
    func fusing(
        _ fused: [PlanGraph.Fused], _ make: ([PostOperation]) throws -> Primitive
    ) throws -> (primitive: Primitive, fused: [PlanGraph.Fused], remaining: [PlanGraph.Fused]) {
        guard !fused.isEmpty else { return (try make([]), [], []) }
        if let primitive = try? make(posts(fused)), !primitive.isSlow {
            return (primitive, fused, [])
        }
        return (try make([]), [], fused)
    }
}

extension Primitive {
    /// Whether it is one of oneDNN's plain loops.
    var isSlow: Bool { implementation.hasPrefix("ref") || implementation.hasPrefix("simple:any") }
}
