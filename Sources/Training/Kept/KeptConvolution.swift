internal import DensePrimitives
package import PowerOfTwo

/// A convolution and its gradients that compute only the kept rows of the weight.
///
/// Activations lie in batch lanes: [N / 16][C][H][W][16], the images of a block side by side.
/// Weights and their gradients are dense, [F, C, kh, kw]; what stands at rows that
/// are not kept is not read, and its gradient is zero. The same threads give the same bits.
package final class KeptConvolution: Sendable {
    /// [F, H, W] of the output.
    package let outputShape: [Int]
    /// Bytes of scratch that every call takes.
    package let scratchByteCount: Int

    private let kernels: ShiftKernels
    private let threads: Int
    private let blocks: Int
    private let kernelWidth: Int
    private let weightCount: Int
    private let inputCount: Int
    private let outputCount: Int
    private let rows: KeptRows
    private let forwardPass: KeptPass
    private let gradientPass: KeptPass
    private let dataPasses: [KeptPass]

    /// Prepares a convolution; the batch is a multiple of 16.
    ///
    /// - Parameters:
    ///   - inputShape: [C, H, W].
    ///   - weightShape: [F, C, kh, kw].
    ///   - strides: of rows and columns, as dilations and padding.
    ///   - kept: positions c kh + ky of every group of 32 filters; nil keeps all.
    package init(
        batch: Int, inputShape: [Int], weightShape: [Int], strides: [Int], dilations: [Int],
        paddingBegin: [Int], paddingEnd: [Int], kept: KeptPositions?, threads: Int,
        kernels: ShiftKernels = .selected
    ) {
        let (filters, channels) = (weightShape[0], weightShape[1])
        precondition(batch > 0 && batch.isMultiple(of: LanesPass.lanes))
        precondition(inputShape[0] == channels && max(filters, channels) < 1 << 16)
        precondition(kept == nil || kept?.unit == weightShape[3])
        let axes = (0..<2).map { axis in
            ConvolutionAxis(
                inSize: inputShape[1 + axis], kernel: weightShape[2 + axis],
                stride: strides[axis], dilation: dilations[axis], begin: paddingBegin[axis],
                end: paddingEnd[axis])
        }
        let rows = KeptRows(
            kept, filters: filters, channels: channels, kernelHeight: weightShape[2])
        let geometry = LanesPass(
            inChannels: channels, outChannels: filters, rows: axes[0].forward,
            columns: axes[1].forward)
        var forward = KeptPass(
            geometry, rowTaps: Array(0..<weightShape[2]), columnTaps: Array(0..<weightShape[3]),
            isTransposed: false)
        var gradient = forward
        forward.setTiles(pixels: 56, bytes: Self.correlationBytes)
        forward.setStarts(rows)
        gradient.setTiles(pixels: 98, bytes: Self.gradientBytes)
        var data: [KeptPass] = []
        for row in 0..<min(strides[0], inputShape[1]) {
            for column in 0..<min(strides[1], inputShape[2]) {
                let (y, x) = (axes[0].backward(row), axes[1].backward(column))
                var pass = KeptPass(
                    LanesPass(
                        inChannels: filters, outChannels: channels, rows: y.axis, columns: x.axis),
                    rowTaps: y.taps, columnTaps: x.taps, isTransposed: true)
                pass.setTiles(pixels: 56, bytes: Self.correlationBytes)
                pass.setStarts(rows)
                data.append(pass)
            }
        }
        self.kernels = kernels
        let threads = max(1, threads)
        self.threads = threads
        self.rows = rows
        blocks = batch / LanesPass.lanes
        kernelWidth = weightShape[3]
        weightCount = weightShape.reduce(1, *)
        inputCount = inputShape.reduce(LanesPass.lanes, *)
        outputShape = [filters] + axes.map(\.outSize)
        outputCount = outputShape.reduce(LanesPass.lanes, *)
        forwardPass = forward
        gradientPass = gradient
        dataPasses = data
        let correlations = ([forward] + data).map {
            Self.aligned($0.packedCount) + threads * Self.aligned($0.geometry.scratchCount)
        }
        let gradients =
            threads * Self.aligned(gradient.geometry.scratchCount)
            + (threads - 1) * Self.aligned(weightCount)
        let floats = max(gradients, correlations.max() ?? 0)
        scratchByteCount = (floats + Self.line) * MemoryLayout<Float>.stride
    }

    /// What the copies of the input may take of the second-level cache.
    private static let correlationBytes = 48 << 10
    private static let gradientBytes = 256 << 10
    /// Floats of a cache line.
    private static let line = 16

    private static func aligned(_ count: Int) -> Int { (count + line - 1) / line * line }

    /// y = weights * x + bias, [N / 16][F][H'][W'][16].
    package func forward(
        x: UnsafePointer<Float>, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        correlate(
            forwardPass, weights, bias: bias, from: x, inputCount, to: y, outputCount,
            floats(scratch))
    }

    /// dx, the gradient of x.
    package func backwardData(
        dy: UnsafePointer<Float>, weights: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutableRawPointer
    ) {
        for pass in dataPasses {
            correlate(
                pass, weights, bias: nil, from: dy, outputCount, to: dx, inputCount,
                floats(scratch))
        }
    }

    /// dw, the gradient of the weights, and that of the bias where `dBias` is given.
    package func backwardWeights(
        x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: UnsafeMutablePointer<Float>,
        dBias: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer
    ) {
        let pass = gradientPass.geometry
        let base = floats(scratch)
        let panel = Self.aligned(pass.scratchCount)
        let parts = base + threads * panel
        let partCount = Self.aligned(weightCount)
        nonisolated(unsafe) let (x, dy, base0, dw0) = (x, dy, base, dw)
        nonisolated(unsafe) let parts0 = parts
        onTeam { worker in
            let to = worker == 0 ? dw0 : parts0 + (worker - 1) * partCount
            to.update(repeating: 0, count: weightCount)
            forEachBand(pass.rows, worker) { block, band in
                kernels.lanesWeightGradient(
                    pass, rows: band, group: rows.group, starts: rows.starts, kept: rows.rows,
                    input: x + block * inputCount, gradient: dy + block * outputCount,
                    weights: to, scratch: base0 + worker * panel)
            }
        }
        for worker in 1..<threads {
            let part = parts + (worker - 1) * partCount
            for index in 0..<weightCount { dw[index] += part[index] }
        }
        if let dBias { addBias(dy, dBias) }
    }

    /// The sums of dy over images and pixels.
    private func addBias(_ dy: UnsafePointer<Float>, _ dBias: UnsafeMutablePointer<Float>) {
        let filters = outputShape[0]
        let plane = outputCount / filters
        nonisolated(unsafe) let (dy, dBias) = (dy, dBias)
        onTeam { worker in
            for filter in worker * filters / threads..<(worker + 1) * filters / threads {
                var total = 0.0
                for block in 0..<blocks {
                    let from = UnsafeRawPointer(dy + block * outputCount + filter * plane)
                    var sum = SIMD16<Float>()
                    for offset in stride(from: 0, to: plane * 4, by: 64) {
                        sum += from.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
                    }
                    total += Double(sum.sum())
                }
                dBias[filter] = Float(total)
            }
        }
    }

    private func correlate(
        _ pass: KeptPass, _ weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        from input: UnsafePointer<Float>, _ inputStride: Int,
        to output: UnsafeMutablePointer<Float>, _ outputStride: Int,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        pass.pack(weights, rows, kernelWidth: kernelWidth, into: scratch)
        let panel = Self.aligned(pass.geometry.scratchCount)
        nonisolated(unsafe) let (packed, bias, input, output) = (scratch, bias, input, output)
        nonisolated(unsafe) let panels = scratch + Self.aligned(pass.packedCount)
        onTeam { worker in
            forEachBand(pass.geometry.rows, worker) { block, band in
                kernels.lanesCorrelate(
                    pass.geometry, rows: band, starts: pass.starts, entries: packed, bias: bias,
                    input: input + block * inputStride, output: output + block * outputStride,
                    scratch: panels + worker * panel)
            }
        }
    }

    /// The blocks, or bands of tiles of rows of them, that fall to a worker: always the same.
    private func forEachBand(
        _ axis: LanesPass.Axis, _ worker: Int, _ body: (_ block: Int, _ band: Range<Int>) -> Void
    ) {
        let tiles = (axis.count + axis.tile - 1) / axis.tile
        let bands = blocks.isMultiple(of: threads) ? 1 : min(threads, tiles)
        let count = blocks * bands
        for index in worker * count / threads..<(worker + 1) * count / threads {
            let (block, band) = index.quotientAndRemainder(dividingBy: bands)
            let begin = band * tiles / bands * axis.tile
            let end = min(axis.count, (band + 1) * tiles / bands * axis.tile)
            if begin < end { body(block, begin..<end) }
        }
    }

    /// Runs one call for every worker, in parallel.
    private func onTeam(_ body: @Sendable (_ worker: Int) -> Void) {
        ThreadTeam.run(threads, threads: threads, body)
    }

    /// The scratch from its first cache line on.
    private func floats(_ scratch: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
        scratch.alignedUp(toMultipleOf: 64).assumingMemoryBound(to: Float.self)
    }
}
