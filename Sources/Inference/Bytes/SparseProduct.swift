internal import DenseMath
internal import DensePrimitives
internal import Networks
internal import PowerOfTwo

/// A convolution of images as the kernels over kept positions see it.
struct SparseGrid {
    let images: Int
    let channels: Int
    let filters: Int
    let rows: PackedConvolution.Axis
    let columns: PackedConvolution.Axis

    /// Nil for what the kernels do not have: several groups of channels, other than two spatial
    /// dimensions, kernels that are too large.
    init?(
        _ convolution: Operation.Convolution, _ window: Operation.ResolvedWindow, source: [Int],
        target: [Int]
    ) {
        guard convolution.groups == 1, source.count == 4,
            source[1] <= PackedConvolution.largestChannels,
            convolution.kernel.allSatisfy({ $0 <= PackedConvolution.largestTaps })
        else { return nil }
        func axis(_ index: Int) -> PackedConvolution.Axis {
            PackedConvolution.Axis(
                inSize: source[index + 2], outSize: target[index + 2],
                taps: convolution.kernel[index], stride: convolution.strides[index],
                dilation: convolution.dilations[index], padding: window.padsBegin[index])
        }
        images = source[0]
        channels = source[1]
        filters = target[1]
        rows = axis(0)
        columns = axis(1)
    }

    /// For every 32 filters the positions, channel and kernel row, at which one has a weight.
    func keptPositions(_ weights: ByteWeights) -> [[Int]] {
        let length = channels * rows.taps
        return stride(from: 0, to: filters, by: 32).map { first in
            (0..<length).filter { position in
                (first..<min(first + 32, filters)).contains { filter in
                    let begin = (filter * length + position) * columns.taps
                    return weights.bytes[begin..<(begin + columns.taps)].contains { $0 != 0 }
                }
            }
        }
    }

    /// Weights as the kernels take them; nil when there are none.
    func packed(
        _ weights: ByteWeights, _ kept: [[Int]], _ source: ByteScale,
        _ epilogue: ConvolutionEpilogue
    ) -> PackedConvolution? {
        weights.bytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, rows: rows, columns: columns,
                    weights: $0, kept: kept, inputZero: source.zero, epilogue: epilogue)
            }
        }
    }

    /// Whether computing at kept positions only takes less time than oneDNN's dense convolution.
    ///
    /// - Parameter density: the share of positions that are kept.
    func isFaster(atDensity density: Double) -> Bool { density <= Self.crossover }

    /// With this share kept, oneDNN took 0.97 to 1.24 times as long for layers of ResNet-18 and 50 at
    /// 224, on one thread with AVX-512 VNNI; least of 50 runs each, in blocks of 25 by turns.
    static let crossover = 0.8
}

extension PlanBuilder {
    /// Adds a step that computes at kept positions only; false where oneDNN is to compute it.
    mutating func lowerSparse(
        _ item: PlanGraph.Operator, _ product: ByteProduct, _ weights: ByteWeights,
        source sourceScale: ByteScale, target scale: ByteScale?
    ) throws -> Bool {
        guard convolutions != .dense, let grid = product.grid,
            let (addend, range) = item.clippedSum, scale != nil || addend == nil
        else { return false }
        let kept = grid.keptPositions(weights)
        let positions = kept.count * grid.channels * grid.rows.taps
        let density = Double(kept.reduce(0) { $0 + $1.count }) / Double(max(1, positions))
        guard convolutions == .sparse || grid.isFaster(atDensity: density) else { return false }
        let residual = try addend.map {
            try readBytes($0, as: product.target.value(.byte))
        }
        let bias = product.biasName.flatMap { graph.constant($0)?.floats }
        let epilogue = ConvolutionEpilogue(
            input: sourceScale, weightScales: weights.scales,
            bias: bias ?? Array(repeating: 0, count: grid.filters), residual: residual?.scale,
            range: range, output: scale)
        guard let packed = grid.packed(weights, kept, sourceScale, epilogue) else { return false }
        let source = try readBytes(item.inputs[0], as: product.source.value(.byte))
        let target = define(
            item.output, in: try product.target.value(scale == nil ? .float : .byte), scale)
        let run = SparseRun(
            grid: grid, threads: threads, convolutionScratch: packed.scratchBytes,
            outputBytes: scale == nil ? 4 : 1)
        let make: () -> PackedConvolution?
        if let kept = streamedSource(product.weightName) {
            let (threads, isTransposed) = (threads, product.isTransposed)
            // The weights in bytes, and as the kernel takes them.
            keepPacked(kept, rebuilt: kept.denseBytes / 4 + packed.byteCount)
            // The scale and the bias of every filter.
            packedByteCount += grid.filters * 2 * MemoryLayout<Float>.stride
            make = {
                let weights = ByteWeights(kept.dense(threads: threads), isTransposed: isTransposed)
                return grid.packed(weights, grid.keptPositions(weights), sourceScale, epilogue)
            }
        } else {
            packedByteCount += packed.byteCount
            make = { packed }
        }
        emit(
            operation: label(item, item.fused), kernel: "kept positions:\(isa)",
            density: density, scratch: run.scratchBytes,
            [source, target] + (residual.map { [$0] } ?? [])
        ) { addresses, scratch in
            {
                guard let packed = make() else { return }
                run(
                    packed, addresses[0], addresses.count > 2 ? addresses[2] : nil, addresses[1],
                    scratch)
            }
        }
        return true
    }

    private var isa: String { InstructionSet.selected.rawValue }
}

/// A convolution at kept positions, split between threads.
private struct SparseRun {
    let grid: SparseGrid
    let threads: Int
    /// Of one thread.
    let convolutionScratch: Int
    let outputBytes: Int

    /// Of each thread, so that no two share a line of the cache.
    private var scratchStep: Int { (convolutionScratch + 63) / 64 * 64 }
    var scratchBytes: Int { scratchStep * threads }

    func callAsFunction(
        _ packed: PackedConvolution, _ source: UnsafeMutableRawPointer,
        _ residual: UnsafeMutableRawPointer?,
        _ target: UnsafeMutableRawPointer, _ scratch: UnsafeMutableRawPointer
    ) {
        let sourceStep = grid.rows.inSize * grid.columns.inSize * grid.channels
        let targetStep = grid.rows.outSize * grid.columns.outSize * grid.filters
        // Groups compact the same rows each for itself: they cost nothing to take apart.
        let splitsGroups = packed.groupCount >= 2 * threads
        let parts = splitsGroups ? packed.groupCount : packed.rowCount
        for image in 0..<grid.images {
            let input = (source + image * sourceStep).assumingMemoryBound(to: UInt8.self)
            let addend = residual.map {
                UnsafePointer(($0 + image * targetStep).assumingMemoryBound(to: UInt8.self))
            }
            let output = target + image * targetStep * outputBytes
            ThreadTeam.run(threads, threads: threads) { thread in
                let part = (parts * thread / threads)..<(parts * (thread + 1) / threads)
                packed.run(
                    rows: splitsGroups ? 0..<packed.rowCount : part,
                    groups: splitsGroups ? part : nil, input: input, residual: addend,
                    output: output,
                    scratch: (scratch + thread * scratchStep).assumingMemoryBound(to: UInt8.self))
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
