internal import CShiftKernels

/// A convolution of images under group masks, packed once for the kernels: of u8 with int8 weights,
/// each filter with a scale of its own, or of floats.
///
/// Images are `[height, width, channels]`, weights `[filters, channels / groups, kernel height,
/// kernel width]`. Every 32 filters share a list of kept positions, channel · kernel height + kernel
/// row, each standing for the whole width of the kernel; channels are counted through all of the
/// image, whatever the groups. A linear layer is the case of one column of pixels. What is
/// computed, to the bit, is documented in `shift_kernels.h`.
package final class PackedConvolution: Sendable {
    /// Rows or columns: output index i and tap t read the input at i stride + t dilation − padding.
    package struct Axis: Sendable, Equatable {
        package var inSize: Int
        package var outSize: Int
        package var taps: Int
        package var stride: Int
        package var dilation: Int
        package var padding: Int

        package init(
            inSize: Int, outSize: Int, taps: Int = 1, stride: Int = 1, dilation: Int = 1,
            padding: Int = 0
        ) {
            self.inSize = inSize
            self.outSize = outSize
            self.taps = taps
            self.stride = stride
            self.dilation = dilation
            self.padding = padding
        }

        fileprivate var c: sdk_convolve_axis {
            sdk_convolve_axis(
                in_size: inSize, out_size: outSize, taps: taps, stride: stride,
                dilation: dilation, padding: padding)
        }
    }

    /// The most channels, and taps along an axis, that the kernels take.
    package static let largestChannels = 1 << 16 - 1
    package static let largestTaps = Int(SDK_CONVOLVE_TAPS)

    /// Parts of the filters that can be computed apart at no cost.
    package let partCount: Int
    /// The rows of the output.
    package let rowCount: Int
    /// Bytes of scratch that a run takes, at any alignment.
    package let scratchBytes: Int
    /// Multiplications of a run, padding of lists and image included.
    package let multiplications: Int
    /// Bytes of an element of the image, and of a residual, and of one of the output.
    package let inputBytes: Int
    package let outputBytes: Int
    private let memory: Memory

    /// Packs weights of integers.
    ///
    /// - Parameters:
    ///   - groups: parts of the filters and channels that see only each other.
    ///   - weights: `[filters, channels / groups, rows.taps, columns.taps]`; those at dropped
    ///     positions are not read.
    ///   - kept: for every 32 filters the positions that they keep, rising; nil keeps all.
    ///   - inputZero: the zero point of the input, which padding has too.
    ///   - threads: how many are to share a run.
    package convenience init(
        filters: Int, channels: Int, groups: Int = 1, rows: Axis, columns: Axis,
        weights: UnsafePointer<Int8>, kept: [[Int]]?, inputZero: UInt8,
        epilogue: ConvolutionEpilogue, threads: Int = 1
    ) {
        precondition(epilogue.scales.count == filters, "one scale for every filter")
        let memory = Memory(filters: filters)
        let correction = memory.ofFilters([Int32](repeating: 0, count: filters))
        memory.convolution.pointee = Self.shape(
            filters: filters, channels: channels, elementBytes: 1, rows, columns)
        memory.convolution.pointee.correction = UnsafePointer(correction)
        memory.convolution.pointee.scale = UnsafePointer(memory.ofFilters(epilogue.scales))
        memory.convolution.pointee.bias = UnsafePointer(memory.ofFilters(epilogue.bias))
        memory.convolution.pointee.residual_scale = epilogue.residualScale
        memory.convolution.pointee.low = epilogue.low
        memory.convolution.pointee.high = epilogue.high
        memory.convolution.pointee.in_zero = inputZero
        memory.convolution.pointee.out_zero = epilogue.outZero
        memory.convolution.pointee.float_output = epilogue.storesFloats ? 1 : 0
        let blocks = FilterBlocks(
            weights, filters: filters, channels: channels, groups: groups,
            taps: rows.taps * columns.taps)
        self.init(in: memory, kept: kept, groups: groups, multiple: 4, threads: threads) { group in
            let packed = memory.allocate(
                Int8.self, group.padded * columns.taps * Memory.groupSize)
            blocks.withWeights(of: group.filters) {
                sdk_convolve_pack(
                    memory.convolution, group.filters.count, $0, group.count, group.positions,
                    packed, correction + group.filters.lowerBound)
            }
            return UnsafeRawPointer(packed)
        }
    }

    /// Packs weights of floats, which what lies outside the image meets as zeros.
    ///
    /// - Parameters:
    ///   - groups: parts of the filters and channels that see only each other.
    ///   - weights: `[filters, channels / groups, rows.taps, columns.taps]`; those at dropped
    ///     positions are not read.
    ///   - kept: for every 32 filters the positions that they keep, rising; nil keeps all.
    ///   - range: what results are clipped to, a residual added.
    ///   - threads: how many are to share a run.
    package convenience init(
        filters: Int, channels: Int, groups: Int = 1, rows: Axis, columns: Axis,
        weights: UnsafePointer<Float>, kept: [[Int]]?, bias: [Float],
        range: ClosedRange<Float> = -Float.infinity...Float.infinity, threads: Int = 1
    ) {
        precondition(bias.count == filters, "one bias for every filter")
        let memory = Memory(filters: filters)
        memory.convolution.pointee = Self.shape(
            filters: filters, channels: channels, elementBytes: MemoryLayout<Float>.stride, rows,
            columns)
        memory.convolution.pointee.bias = UnsafePointer(memory.ofFilters(bias))
        memory.convolution.pointee.low = range.lowerBound
        memory.convolution.pointee.high = range.upperBound
        memory.convolution.pointee.float_output = 1
        let blocks = FilterBlocks(
            weights, filters: filters, channels: channels, groups: groups,
            taps: rows.taps * columns.taps)
        self.init(in: memory, kept: kept, groups: groups, multiple: 1, threads: threads) { group in
            let packed = memory.allocate(
                Float.self, group.padded * columns.taps * Memory.groupSize)
            blocks.withWeights(of: group.filters) {
                sdk_convolve_pack_floats(
                    memory.convolution, group.filters.count, $0, group.count, group.positions,
                    packed)
            }
            return UnsafeRawPointer(packed)
        }
    }

    /// A convolution with its shape alone, which both kinds of weights have.
    private static func shape(
        filters: Int, channels: Int, elementBytes: Int, _ rows: Axis, _ columns: Axis
    ) -> sdk_convolution {
        precondition((1...largestChannels).contains(channels), "\(channels) channels")
        for axis in [rows, columns] {
            precondition(
                (1...largestTaps).contains(axis.taps) && axis.stride > 0 && axis.dilation > 0
                    && axis.padding >= 0 && axis.inSize > 0 && axis.outSize >= 0, "\(axis)")
        }
        var shape = sdk_convolution()
        shape.element_bytes = elementBytes
        shape.in_channels = channels
        shape.out_channels = filters
        shape.rows = rows.c
        shape.columns = columns.c
        shape.window = 1
        // Of a few channels a column fills little of a block: those of a row are one position each.
        let row = channels * columns.taps
        if channels <= 4, row > 4, columns.dilation == 1, columns.stride <= columns.taps,
            columns.taps > 1
        {
            shape.window = columns.taps
            shape.columns.taps = 1
        }
        return shape
    }

    /// - Parameters:
    ///   - memory: with all of its convolution set but lists and groups.
    ///   - multiple: what the number of positions of 32 filters is rounded up to.
    ///   - pack: gives the packed weights of 32 filters.
    private init(
        in memory: Memory, kept: [[Int]]?, groups: Int, multiple: Int, threads: Int,
        pack: (Memory.Group) -> UnsafeRawPointer
    ) {
        let convolution = memory.convolution.pointee
        precondition(
            kept == nil || kept?.count == memory.groupCount, "one list for every 32 filters")
        self.memory = memory
        rowCount = convolution.rows.out_size
        inputBytes = convolution.element_bytes
        outputBytes = convolution.float_output == 0 ? 1 : MemoryLayout<Float>.stride
        let layout = PositionLayout(convolution, groups: groups)
        var products = 0
        let positions = (0..<memory.groupCount).map { index in
            let first = index * Memory.groupSize
            let filters = first..<min(first + Memory.groupSize, convolution.out_channels)
            return layout.positions(kept?[index] ?? layout.all(of: filters))
        }
        let parts = splitsRows(rowCount, threads) ? 1 : threads
        for range in layout.lists(of: positions.map(\.count), multiple, parts: parts) {
            for group in memory.addList(positions, of: range, layout, multiple: multiple) {
                memory.setWeights(pack(group), of: group)
                products += group.padded * Memory.groupSize
            }
        }
        multiplications =
            products * convolution.columns.taps * convolution.rows.out_size
            * convolution.columns.out_size
        memory.finish()
        partCount = memory.convolution.pointee.list_count
        scratchBytes = sdk_convolve_scratch(memory.convolution)
    }

    /// What one of some threads computes that share a run: rows of the output where those can be
    /// shared evenly, else parts of the filters.
    package func share(
        of thread: Int, _ threads: Int
    ) -> (rows: Range<Int>, parts: Range<Int>) {
        func part(_ count: Int) -> Range<Int> {
            count * thread / threads..<count * (thread + 1) / threads
        }
        return splitsRows(rowCount, threads) || partCount < threads
            ? (part(rowCount), 0..<partCount) : (0..<rowCount, part(partCount))
    }

    /// Bytes of packed weights, lists and per-filter numbers.
    package var byteCount: Int { memory.byteCount }

    /// Computes some rows of the output for some parts of the filters.
    ///
    /// - Parameters:
    ///   - input: one image `[height, width, channels]`, u8 or f32 as the weights were packed for.
    ///   - residual: like the output, which it may be; nil without one.
    ///   - output: `[height, width, filters]`, u8 or, of images of f32 and where the epilogue stores
    ///     floats, f32.
    ///   - scratch: ``scratchBytes`` bytes that no other run uses meanwhile.
    package func run(
        rows: Range<Int>, parts: Range<Int>? = nil, input: UnsafeRawPointer,
        residual: UnsafeRawPointer? = nil, output: UnsafeMutableRawPointer,
        scratch: UnsafeMutablePointer<UInt8>, on kernels: ShiftKernels = .selected
    ) {
        let parts = parts ?? 0..<partCount
        if inputBytes == 1 {
            kernels.table.u8_s8_convolve(
                memory.convolution, rows.lowerBound, rows.upperBound, parts.lowerBound,
                parts.upperBound, input.assumingMemoryBound(to: UInt8.self),
                residual?.assumingMemoryBound(to: UInt8.self), output, scratch)
        } else {
            kernels.table.f32_convolve(
                memory.convolution, rows.lowerBound, rows.upperBound, parts.lowerBound,
                parts.upperBound, input.assumingMemoryBound(to: Float.self),
                residual?.assumingMemoryBound(to: Float.self),
                output.assumingMemoryBound(to: Float.self), scratch)
        }
    }
}

private func splitsRows(_ rows: Int, _ threads: Int) -> Bool {
    rows.isMultiple(of: threads) || rows >= 8 * threads
}
