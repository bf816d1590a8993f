internal import DenseMath
internal import DensePrimitives
internal import Networks
internal import PowerOfTwo

extension PlanBuilder {
    /// Where a constant comes from, if it is to stay packed.
    func streamedSource(_ value: String) -> PackedSource? {
        rebuilding == .streaming ? graph.sources[value] : nil
    }

    /// A place for the elements of a packed weight, found at the strides of `layout`, that a step of
    /// its own fills whenever the plan runs; its memory is another value's before and after.
    ///
    /// - Parameter roundsToBytes: nil for floats; for bytes, whether output channels are the last
    ///   dimension.
    mutating func streamed(
        _ source: PackedSource, seenAs layout: Layout, in target: Layout,
        roundsToBytes isTransposed: Bool? = nil
    ) throws -> PlacedValue {
        let place = unnamed(in: target)
        let primitive = try Primitive.reorder(from: layout, to: target)
        let (stream, threads) = (stream, threads)
        keepPacked(source, rebuilt: isTransposed == nil ? 0 : source.denseBytes / 4)
        emit(
            operation: "Rebuild", kernel: "shift-add:\(InstructionSet.selected.rawValue)",
            density: graph.densities[source.name] ?? 1,
            scratch: primitive.scratch?.byteCount ?? 0, [place]
        ) { addresses, scratch in
            func write(_ elements: UnsafeRawBufferPointer) throws {
                guard let start = elements.baseAddress else { return }
                let done = try primitive.bound(
                    to: [
                        (.source, layout, UnsafeMutableRawPointer(mutating: start)),
                        (.target, target, addresses[0]),
                    ], scratch: scratch
                ).run(on: stream)
                guard done else {
                    throw OneDNN.Failure(what: "weights '\(source.name)'", status: 0)
                }
            }
            return {
                let dense = source.dense(threads: threads)
                if let isTransposed {
                    let rounded = ByteWeights(dense, isTransposed: isTransposed)
                    try rounded.bytes.withUnsafeBytes { try write($0) }
                } else {
                    try dense.withBytes { try write($0) }
                }
            }
        }
        return place
    }

    /// Counts a weight that a step keeps packed.
    ///
    /// - Parameter rebuilt: bytes that it takes, beside its floats, while it is used.
    mutating func keepPacked(_ source: PackedSource, rebuilt: Int) {
        packedSources[source.name] = source.parameter.weight.byteCount
        packedByteCount += source.factorBytes
        rebuiltByteCount = max(rebuiltByteCount, source.denseBytes + rebuilt)
    }
}
