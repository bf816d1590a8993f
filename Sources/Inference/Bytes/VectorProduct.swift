internal import DenseMath
internal import DensePrimitives
internal import Networks
internal import PowerOfTwo

extension PlanBuilder {
    /// Adds a step that multiplies one row by a packed weight without rebuilding it; false where
    /// there is none, or where oneDNN is to compute it. On one thread with AVX-512 oneDNN's product
    /// of bytes took 1.2 (512 x 1000), 1.8 (784 x 300) and 1.9 times (2048 x 1000) as long with all
    /// weights in the caches, and reads twice the bytes where they are not.
    ///
    /// The row is rounded to int8 with a scale of its own, so it comes as floats, and so does the
    /// result.
    mutating func lowerVector(
        _ item: PlanGraph.Operator, _ product: ByteProduct, inner: Int, columns: Int
    ) throws -> Bool {
        guard let bytes, bytes.takesBytes(item, in: graph), kernels != .dense,
            let source = graph.sources[product.weightName],
            source.factors.allSatisfy({ $0.values.count == 1 }),
            source.parameter.isTransposed == product.isTransposed,
            let panels = PanelWeight(source.parameter.weight),
            panels.geometry.filterCount == columns, panels.geometry.filterLength == inner
        else { return false }
        let factor = source.factors.reduce(1) { $0 * $1.values[0] }
        let bias = product.biasName.flatMap { graph.constant($0)?.floats }
        // What is merged is done at once where it is a limit, else by steps of its own.
        let epilogue = item.mergedEpilogue
        let limits = epilogue.rest.isEmpty && epilogue.addend == nil ? epilogue.range : nil
        let row = try readPlain(item.inputs[0])
        let target = try define(item.output, plain: info(item.output))
        let threads = threads
        packedByteCount += panels.byteCount + (bias?.count ?? 0) * MemoryLayout<Float>.stride
        emit(
            operation: label(item, limits == nil ? [] : item.fused),
            kernel: "packed:\(InstructionSet.selected.rawValue)",
            density: graph.densities[source.name] ?? 1, scratch: 0, [row, target]
        ) { addresses, _ in
            let x = addresses[0].assumingMemoryBound(to: Float.self)
            let y = addresses[1].assumingMemoryBound(to: Float.self)
            return {
                panels.multiply(x, into: y, on: .selected, threads: threads) { count, body in
                    ThreadTeam.run(count, threads: threads, body)
                }
                finish(y, columns, factor: factor, bias: bias, limits: limits)
            }
        }
        if limits == nil { try lowerFused(item.fused, on: item.output) }
        return true
    }
}

/// y = factor y + bias between limits; NaN becomes the lower one.
private func finish(
    _ y: UnsafeMutablePointer<Float>, _ count: Int, factor: Float, bias: [Float]?,
    limits: ClosedRange<Float>?
) {
    if let bias {
        for i in 0..<count { y[i] = y[i] * factor + bias[i] }
    } else if factor != 1 {
        for i in 0..<count { y[i] *= factor }
    }
    guard let limits, limits != -.infinity...(.infinity) else { return }
    for i in 0..<count {
        let raised = y[i] > limits.lowerBound ? y[i] : limits.lowerBound
        y[i] = raised < limits.upperBound ? raised : limits.upperBound
    }
}
