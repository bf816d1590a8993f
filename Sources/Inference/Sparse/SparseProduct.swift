internal import DenseMath
internal import DensePrimitives
internal import Networks
internal import PowerOfTwo

extension PlanBuilder {
    /// Adds a step on bytes that computes at kept positions only; false where oneDNN is to compute it.
    mutating func lowerSparse(
        _ item: PlanGraph.Operator, _ product: ByteProduct, _ weights: ByteWeights,
        source sourceScale: ByteScale, target scale: ByteScale?
    ) throws -> Bool {
        guard kernels != .dense, let grid = product.grid,
            let (addend, range) = item.clippedSum, scale != nil || addend == nil
        else { return false }
        let kept = weights.bytes.withUnsafeBufferPointer { grid.keptPositions($0) }
        let density = grid.density(kept)
        guard isSparse(density) else { return false }
        let residual = try addend.map {
            try readBytes($0, as: product.target.value(.byte))
        }
        let epilogue = ConvolutionEpilogue(
            input: sourceScale, weightScales: weights.scales,
            bias: bias(of: product, grid), residual: residual?.scale, range: range, output: scale)
        guard let packed = grid.packed(weights, sourceScale, epilogue) else { return false }
        let source = try readBytes(item.inputs[0], as: product.source.value(.byte))
        let target = define(
            item.output, in: try product.target.value(scale == nil ? .float : .byte), scale)
        let isTransposed = product.isTransposed
        emitSparse(
            item, product.weightName, grid, density: density, packed, [source, target, residual],
            // The weights in bytes; the scale and the bias of every filter.
            rebuilt: weights.bytes.count, keptFloats: grid.filters * 2
        ) { dense in
            grid.packed(ByteWeights(dense, isTransposed: isTransposed), sourceScale, epilogue)
        }
        return true
    }

    /// Adds a step on floats that computes at kept positions only; false where oneDNN is to compute it.
    mutating func lowerSparse(
        _ item: PlanGraph.Operator, _ product: ByteProduct
    ) throws -> Bool {
        guard let density = sparseDensities[item.output], let grid = product.grid,
            let (addend, range) = item.clippedSum, let weights = graph.constant(product.weightName)
        else { return false }
        let bias = bias(of: product, grid)
        guard let packed = grid.packed(weights, bias: bias, range: range) else { return false }
        let residual = try addend.map { try read($0, as: product.target.value(.float)) }
        let source = try read(item.inputs[0], as: product.source.value(.float))
        let target = define(item.output, in: try product.target.value(.float))
        emitSparse(
            item, product.weightName, grid, density: density, packed, [source, target, residual],
            rebuilt: 0, keptFloats: grid.filters
        ) { dense in
            grid.packed(dense, bias: bias, range: range)
        }
        return true
    }

    /// Finds the convolutions of floats that ``lowerSparse(_:_:)`` computes.
    mutating func findSparseConvolutions() throws {
        guard bytes == nil, kernels != .dense else { return }
        for item in graph.operators {
            guard case .conv(let convolution) = item.operation, item.isWeighted(in: graph),
                item.clippedSum != nil, let weights = graph.constant(item.input(1))
            else { continue }
            let source = graph.shape(item.inputs[0])
            let window = try convolution.resolved(input: source)
            let target = try info(item.output).shape
            guard let grid = SparseGrid(convolution, window, source: source, target: target),
                !target.contains(0)
            else { continue }
            let density = grid.density(weights.withFloats { grid.keptPositions($0) })
            if isSparse(density) { sparseDensities[item.output] = density }
        }
    }

    private func isSparse(_ density: Double) -> Bool {
        kernels == .sparse || density <= SparseGrid.crossover
    }

    private func bias(of product: ByteProduct, _ grid: SparseGrid) -> [Float] {
        product.biasName.flatMap { graph.constant($0)?.floats }
            ?? Array(repeating: 0, count: grid.filters)
    }

    /// Adds the step.
    ///
    /// - Parameters:
    ///   - values: source, target and, if there is one, residual.
    ///   - rebuilt: bytes of weights, beside their floats and ``PackedConvolution/byteCount``, that
    ///     packing takes.
    ///   - keptFloats: floats that packing takes from one run to the next.
    ///   - pack: packs weights that were rebuilt.
    private mutating func emitSparse(
        _ item: PlanGraph.Operator, _ weightName: String, _ grid: SparseGrid, density: Double,
        _ packed: PackedConvolution, _ values: [PlacedValue?], rebuilt: Int, keptFloats: Int,
        pack: @escaping (_ dense: Tensor) -> PackedConvolution?
    ) {
        let run = SparseRun(packed, grid, threads: threads)
        let make: () -> PackedConvolution?
        if let kept = streamedSource(weightName) {
            let threads = threads
            keepPacked(kept, rebuilt: rebuilt + packed.byteCount)
            packedByteCount += keptFloats * MemoryLayout<Float>.stride
            make = { pack(kept.dense(threads: threads)) }
        } else {
            packedByteCount += packed.byteCount
            make = { packed }
        }
        emit(
            operation: label(item, item.fused),
            kernel: "kept positions:\(InstructionSet.selected.rawValue)",
            density: graph.densities[weightName] ?? density, scratch: run.scratchBytes,
            values.compactMap { $0 }
        ) { addresses, scratch in
            {
                guard let packed = make() else { return }
                run(
                    packed, addresses[0], addresses.count > 2 ? addresses[2] : nil, addresses[1],
                    scratch)
            }
        }
    }
}

extension PlanGraph.Operator {
    /// What is added to its result and between what it is clipped after that; nil when something
    /// else is done to it.
    var clippedSum: (addend: String?, range: ClosedRange<Float>)? {
        var rest = fused[...]
        var addend: String?
        if case .add(let value)? = rest.first {
            addend = value
            rest = rest.dropFirst()
        }
        guard let follower = rest.first else { return (addend, -.infinity...(.infinity)) }
        guard rest.count == 1, case .function(let function) = follower else { return nil }
        switch function {
        case .relu: return (addend, 0...(.infinity))
        case .clip(let minimum, let maximum) where minimum <= maximum:
            return (addend, minimum...maximum)
        default: return nil
        }
    }
}
