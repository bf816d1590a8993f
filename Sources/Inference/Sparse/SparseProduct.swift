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
        guard kernels != .dense, let grid = product.grid else { return false }
        // Bytes are written by what is merged whole, and residuals are bytes like the results.
        var epilogue = item.mergedEpilogue
        let scale = epilogue.rest.isEmpty ? scale : nil
        if scale == nil, epilogue.addend != nil { epilogue = .none(of: item) }
        let kept = grid.kept(of: weights.bytes)
        guard isSparse(grid, kept.density, merged: epilogue.rest.isEmpty) else { return false }
        let residual = try epilogue.addend.map {
            try readBytes($0, as: product.target.value(.byte))
        }
        let numbers = ConvolutionEpilogue(
            input: sourceScale, weightScales: weights.scales,
            bias: bias(of: product, grid), residual: residual?.scale, range: epilogue.range,
            output: scale)
        let threads = threads
        guard let packed = grid.packed(kept, sourceScale, numbers, threads: threads)
        else { return false }
        let source = try readBytes(item.inputs[0], as: product.source.value(.byte))
        let target = define(
            item.output, in: try product.target.value(scale == nil ? .float : .byte), scale)
        let isTransposed = product.isTransposed
        emitSparse(
            item, epilogue, product.weightName, grid, density: kept.density, packed,
            [source, target, residual],
            // The weights in bytes; the scale and the bias of every filter.
            rebuilt: weights.bytes.count, keptFloats: grid.filters * 2
        ) { dense in
            grid.packed(
                grid.kept(of: ByteWeights(dense, isTransposed: isTransposed).bytes), sourceScale,
                numbers, threads: threads)
        }
        try lowerFused(epilogue.rest, on: item.output)
        return true
    }

    /// Adds a step on floats that computes at kept positions only; false where oneDNN is to compute it.
    mutating func lowerSparse(
        _ item: PlanGraph.Operator, _ product: ByteProduct
    ) throws -> Bool {
        guard bytes == nil, kernels != .dense, let grid = product.grid,
            let weights = graph.constant(product.weightName)
        else { return false }
        let epilogue = item.mergedEpilogue
        guard let kept = sparseWeights(grid, weights, epilogue) else { return false }
        let bias = bias(of: product, grid)
        let threads = threads
        guard
            let packed = grid.packed(
                kept, bias: bias, range: epilogue.range, threads: threads)
        else { return false }
        let residual = try epilogue.addend.map {
            try read($0, as: product.target.value(.float))
        }
        let source = try read(item.inputs[0], as: product.source.value(.float))
        let target = define(item.output, in: try product.target.value(.float))
        emitSparse(
            item, epilogue, product.weightName, grid, density: kept.density, packed,
            [source, target, residual], rebuilt: 0, keptFloats: grid.filters
        ) { dense in
            grid.packed(
                grid.kept(of: dense.floats), bias: bias, range: epilogue.range, threads: threads)
        }
        try lowerFused(epilogue.rest, on: item.output)
        return true
    }

    /// Finds the convolutions of floats that ``lowerSparse(_:_:)`` computes: their neighbours work in
    /// their layout.
    mutating func findSparseConvolutions() throws {
        guard bytes == nil, kernels != .dense else { return }
        for item in graph.operators {
            guard case .conv(let convolution) = item.operation, item.isWeighted(in: graph),
                let weights = graph.constant(item.input(1))
            else { continue }
            let source = graph.shape(item.inputs[0])
            let window = try convolution.resolved(input: source)
            let target = try info(item.output).shape
            if let grid = SparseGrid(convolution, window, source: source, target: target),
                sparseWeights(grid, weights, item.mergedEpilogue) != nil
            {
                hasSparseConvolutions = true
                return
            }
        }
    }

    /// What is left of weights of floats; nil where dense ones take less time.
    private func sparseWeights(
        _ grid: SparseGrid, _ weights: Tensor, _ epilogue: MergedEpilogue
    ) -> SparseGrid.Kept<Float>? {
        let kept = grid.kept(of: weights.floats)
        return isSparse(grid, kept.density, merged: epilogue.rest.isEmpty) ? kept : nil
    }

    /// - Parameter merged: whether all that follows is merged into the step.
    private func isSparse(_ grid: SparseGrid, _ density: Double, merged: Bool) -> Bool {
        kernels == .sparse
            || density <= grid.crossover(inBytes: bytes != nil, merged: merged)
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
        _ item: PlanGraph.Operator, _ epilogue: MergedEpilogue, _ weightName: String,
        _ grid: SparseGrid, density: Double, _ packed: PackedConvolution, _ values: [PlacedValue?],
        rebuilt: Int, keptFloats: Int,
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
            operation: label(item, Array(item.fused.dropLast(epilogue.rest.count))),
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

/// What a step at kept positions does after its sums.
struct MergedEpilogue {
    /// What is added.
    var addend: String?
    /// Between what it is clipped after that.
    var range: ClosedRange<Float> = -.infinity...(.infinity)
    /// What is left to other steps.
    var rest: [PlanGraph.Fused]

    static func none(of item: PlanGraph.Operator) -> Self { Self(rest: item.fused) }
}

extension PlanGraph.Operator {
    /// What of its followers a step at kept positions does.
    var mergedEpilogue: MergedEpilogue {
        var epilogue = MergedEpilogue.none(of: self)
        if case .add(let value)? = epilogue.rest.first {
            epilogue.addend = value
            epilogue.rest.removeFirst()
        }
        if case .function(let function)? = epilogue.rest.first, let range = function.range {
            epilogue.range = range
            epilogue.rest.removeFirst()
        }
        return epilogue
    }
}

extension Networks.Operation.Unary {
    /// Between what it clips; nil for what does something else.
    fileprivate var range: ClosedRange<Float>? {
        switch self {
        case .relu: 0...(.infinity)
        case .clip(let minimum, let maximum) where minimum <= maximum: minimum...maximum
        default: nil
        }
    }
}
