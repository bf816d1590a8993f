internal import CShiftKernels

/// A convolution of u8 images with int8 weights under group masks, packed once for the kernels.
///
/// Images are `[height, width, channels]`, weights `[filters, channels, kernel height, kernel
/// width]`, each filter with a scale of its own; all filters see all channels. Every 32 filters
/// share a list of kept positions, channel · kernel height + kernel row, each standing for the
/// whole width of the kernel. A linear layer is the case of images of one pixel. What is computed,
/// to the bit, is documented in `shift_kernels.h`.
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

    /// The groups of 32 filters.
    package let groupCount: Int
    /// The rows of the output.
    package let rowCount: Int
    /// Bytes of scratch that a run takes, at any alignment.
    package let scratchBytes: Int
    /// Multiplications of a run, padding of lists and image included.
    package let multiplications: Int
    private let memory: Memory

    /// Packs weights.
    ///
    /// - Parameters:
    ///   - weights: `[filters, channels, rows.taps, columns.taps]`; those at dropped positions are
    ///     not read.
    ///   - kept: for every 32 filters the positions that they keep, rising; nil keeps all.
    ///   - inputZero: the zero point of the input, which padding has too.
    package init(
        filters: Int, channels: Int, rows: Axis, columns: Axis, weights: UnsafePointer<Int8>,
        kept: [[Int]]?, inputZero: UInt8, epilogue: ConvolutionEpilogue
    ) {
        let size = Int(SDK_CONVOLVE_FILTERS)
        let groupCount = (filters + size - 1) / size
        self.groupCount = groupCount
        rowCount = rows.outSize
        precondition((1...Self.largestChannels).contains(channels), "\(channels) channels")
        for axis in [rows, columns] {
            precondition(
                (1...Self.largestTaps).contains(axis.taps) && axis.stride > 0 && axis.dilation > 0
                    && axis.padding >= 0 && axis.inSize > 0 && axis.outSize >= 0, "\(axis)")
        }
        precondition(epilogue.scales.count == filters, "one scale for every filter")
        precondition(kept == nil || kept?.count == groupCount, "one list for every group")

        memory = Memory(filters: filters, groups: groupCount, epilogue)
        let all = kept == nil ? Array(0..<channels * rows.taps) : []
        var multiplications = 0
        for group in 0..<groupCount {
            // By row tap, then channel: what lies together in the image is moved together.
            let positions = (kept?[group] ?? all).map {
                (tap: $0 % rows.taps, channel: $0 / rows.taps)
            }.sorted { ($0.tap, $0.channel) < ($1.tap, $1.channel) }
            precondition(positions.allSatisfy { $0.channel < channels }, "a position too high")
            memory.pack(
                group: group, positions.map { UInt32($0.channel << 16 | $0.tap) },
                channels: channels, rowTaps: rows.taps, columnTaps: columns.taps,
                weights: weights + group * size * channels * rows.taps * columns.taps,
                filters: min(size, filters - group * size), inputZero: inputZero)
            multiplications +=
                (positions.count + 3) / 4 * 4 * columns.taps * size * rows.outSize * columns.outSize
        }
        self.multiplications = multiplications
        memory.convolution.pointee = sdk_convolution(
            in_channels: channels, out_channels: filters, rows: rows.c, columns: columns.c,
            groups: UnsafePointer(memory.groups), correction: UnsafePointer(memory.correction),
            scale: UnsafePointer(memory.scale), bias: UnsafePointer(memory.bias),
            residual_scale: epilogue.residualScale, low: epilogue.low, high: epilogue.high,
            in_zero: inputZero, out_zero: epilogue.outZero,
            float_output: epilogue.storesFloats ? 1 : 0)
        scratchBytes = sdk_convolve_scratch(memory.convolution)
    }

    /// Bytes of packed weights, lists and per-filter numbers.
    package var byteCount: Int { memory.byteCount }

    /// Computes some rows of the output for some groups of filters.
    ///
    /// - Parameters:
    ///   - input: one image, u8 `[height, width, channels]`.
    ///   - residual: u8 like the output, which it may be; nil without one.
    ///   - output: `[height, width, filters]`, u8, or f32 where the epilogue stores floats.
    ///   - scratch: ``scratchBytes`` bytes that no other run uses meanwhile.
    package func run(
        rows: Range<Int>, groups: Range<Int>? = nil, input: UnsafePointer<UInt8>,
        residual: UnsafePointer<UInt8>? = nil, output: UnsafeMutableRawPointer,
        scratch: UnsafeMutablePointer<UInt8>, on kernels: ShiftKernels = .selected
    ) {
        let groups = groups ?? 0..<groupCount
        kernels.table.u8_s8_convolve(
            memory.convolution, rows.lowerBound, rows.upperBound, groups.lowerBound,
            groups.upperBound, input, residual, output, scratch)
    }
}

/// What the kernels read; never written once a convolution is packed.
private final class Memory: @unchecked Sendable {
    let convolution = UnsafeMutablePointer<sdk_convolution>.allocate(capacity: 1)
    let groups: UnsafeMutablePointer<sdk_convolve_group>
    let correction: UnsafeMutablePointer<Int32>
    let scale: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>
    private(set) var byteCount = 0
    private var owned: [UnsafeMutableRawPointer] = []

    init(filters: Int, groups count: Int, _ epilogue: ConvolutionEpilogue) {
        let padded = max(count, 1) * Int(SDK_CONVOLVE_FILTERS)
        groups = .allocate(capacity: max(count, 1))
        correction = .allocate(capacity: padded)
        correction.initialize(repeating: 0, count: padded)
        scale = .allocate(capacity: padded)
        scale.initialize(repeating: 0, count: padded)
        bias = .allocate(capacity: padded)
        bias.initialize(repeating: 0, count: padded)
        for filter in 0..<filters {
            scale[filter] = epilogue.scales[filter]
            bias[filter] = epilogue.bias[filter]
        }
        byteCount = padded * 12
    }

    deinit {
        for pointer in owned { pointer.deallocate() }
        convolution.deallocate()
        groups.deallocate()
        correction.deallocate()
        scale.deallocate()
        bias.deallocate()
    }

    /// Memory of its own for `count` elements, aligned to lines of the cache.
    private func allocate<Element>(
        _ type: Element.Type, _ count: Int
    ) -> UnsafeMutablePointer<Element> {
        let bytes = max(count * MemoryLayout<Element>.stride, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        owned.append(raw)
        byteCount += bytes
        return raw.bindMemory(to: Element.self, capacity: count)
    }

    func pack(
        group: Int, _ positions: [UInt32], channels: Int, rowTaps: Int, columnTaps: Int,
        weights: UnsafePointer<Int8>, filters: Int, inputZero: UInt8
    ) {
        let kept = positions.count
        let padded = (kept + 3) / 4 * 4
        let list = allocate(UInt32.self, padded)
        for k in 0..<padded { (list + k).initialize(to: k < kept ? positions[k] : positions[0]) }
        let packed = allocate(Int8.self, padded * columnTaps * Int(SDK_CONVOLVE_FILTERS))
        sdk_convolve_pack(
            filters, channels, rowTaps, columnTaps, weights, kept, list, inputZero, packed,
            correction + group * Int(SDK_CONVOLVE_FILTERS))
        let count = sdk_convolve_plan(channels, kept, list, nil)
        let steps = allocate(sdk_convolve_step.self, count)
        _ = sdk_convolve_plan(channels, kept, list, steps)
        (groups + group).initialize(
            to: sdk_convolve_group(
                kept: padded, positions: list, weights: packed, steps: steps, step_count: count))
    }
}
