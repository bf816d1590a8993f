internal import CShiftKernels

/// A convolution of images under group masks, packed once for the kernels: of u8 with int8 weights,
/// each filter with a scale of its own, or of floats.
///
/// Images are `[height, width, channels]`, weights `[filters, channels, kernel height, kernel
/// width]`; all filters see all channels. Every 32 filters share a list of kept positions, channel · kernel height + kernel row, each standing for the
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
    /// Bytes of an element of the image, and of a residual, and of one of the output.
    package let inputBytes: Int
    package let outputBytes: Int
    private let memory: Memory

    /// Packs weights of integers.
    ///
    /// - Parameters:
    ///   - weights: `[filters, channels, rows.taps, columns.taps]`; those at dropped positions are
    ///     not read.
    ///   - kept: for every 32 filters the positions that they keep, rising; nil keeps all.
    ///   - inputZero: the zero point of the input, which padding has too.
    package convenience init(
        filters: Int, channels: Int, rows: Axis, columns: Axis, weights: UnsafePointer<Int8>,
        kept: [[Int]]?, inputZero: UInt8, epilogue: ConvolutionEpilogue
    ) {
        precondition(epilogue.scales.count == filters, "one scale for every filter")
        let memory = Memory(filters: filters)
        var parts = Self.parts(filters: filters, channels: channels, rows, columns)
        let correction = memory.ofFilters([Int32](repeating: 0, count: filters))
        parts.element_bytes = 1
        parts.correction = UnsafePointer(correction)
        parts.scale = UnsafePointer(memory.ofFilters(epilogue.scales))
        parts.bias = UnsafePointer(memory.ofFilters(epilogue.bias))
        parts.residual_scale = epilogue.residualScale
        parts.low = epilogue.low
        parts.high = epilogue.high
        parts.in_zero = inputZero
        parts.out_zero = epilogue.outZero
        parts.float_output = epilogue.storesFloats ? 1 : 0
        self.init(parts, in: memory, kept: kept, multiple: 4) { group, list in
            let packed = memory.allocate(Int8.self, list.padded * columns.taps * Memory.group)
            sdk_convolve_pack(
                group.count, channels, rows.taps, columns.taps,
                weights + group.lowerBound * channels * rows.taps * columns.taps, list.count,
                list.positions, inputZero, packed, correction + group.lowerBound)
            return UnsafeRawPointer(packed)
        }
    }

    /// Packs weights of floats, which what lies outside the image meets as zeros.
    ///
    /// - Parameters:
    ///   - weights: `[filters, channels, rows.taps, columns.taps]`; those at dropped positions are
    ///     not read.
    ///   - kept: for every 32 filters the positions that they keep, rising; nil keeps all.
    ///   - range: what results are clipped to, a residual added.
    package convenience init(
        filters: Int, channels: Int, rows: Axis, columns: Axis, weights: UnsafePointer<Float>,
        kept: [[Int]]?, bias: [Float],
        range: ClosedRange<Float> = -Float.infinity...Float.infinity
    ) {
        precondition(bias.count == filters, "one bias for every filter")
        let memory = Memory(filters: filters)
        var parts = Self.parts(filters: filters, channels: channels, rows, columns)
        parts.element_bytes = MemoryLayout<Float>.stride
        parts.bias = UnsafePointer(memory.ofFilters(bias))
        parts.low = range.lowerBound
        parts.high = range.upperBound
        parts.float_output = 1
        self.init(parts, in: memory, kept: kept, multiple: 1) { group, list in
            let packed = memory.allocate(Float.self, list.padded * columns.taps * Memory.group)
            sdk_convolve_pack_floats(
                group.count, channels, rows.taps, columns.taps,
                weights + group.lowerBound * channels * rows.taps * columns.taps, list.count,
                list.positions, packed)
            return UnsafeRawPointer(packed)
        }
    }

    /// What both kinds of weights have.
    private static func parts(
        filters: Int, channels: Int, _ rows: Axis, _ columns: Axis
    ) -> sdk_convolution {
        precondition((1...largestChannels).contains(channels), "\(channels) channels")
        for axis in [rows, columns] {
            precondition(
                (1...largestTaps).contains(axis.taps) && axis.stride > 0 && axis.dilation > 0
                    && axis.padding >= 0 && axis.inSize > 0 && axis.outSize >= 0, "\(axis)")
        }
        var parts = sdk_convolution()
        parts.in_channels = channels
        parts.out_channels = filters
        parts.rows = rows.c
        parts.columns = columns.c
        return parts
    }

    /// - Parameters:
    ///   - multiple: what the length of a list is rounded up to.
    ///   - pack: gives the packed weights of the filters of a group.
    private init(
        _ parts: sdk_convolution, in memory: Memory, kept: [[Int]]?, multiple: Int,
        pack: (_ group: Range<Int>, _ list: Memory.List) -> UnsafeRawPointer
    ) {
        let (filters, channels, taps) = (parts.out_channels, parts.in_channels, parts.rows.taps)
        groupCount = memory.groupCount
        precondition(kept == nil || kept?.count == groupCount, "one list for every group")
        self.memory = memory
        rowCount = parts.rows.out_size
        inputBytes = parts.element_bytes
        outputBytes = parts.float_output == 0 ? 1 : MemoryLayout<Float>.stride
        let all = kept == nil ? Array(0..<channels * taps) : []
        var products = 0
        for group in 0..<groupCount {
            // By row tap, then channel: what lies together in the image is moved together.
            let positions = (kept?[group] ?? all).map {
                (tap: $0 % taps, channel: $0 / taps)
            }.sorted { ($0.tap, $0.channel) < ($1.tap, $1.channel) }
            precondition(positions.allSatisfy { $0.channel < channels }, "a position too high")
            let list = memory.list(
                positions.map { UInt32($0.channel << 16 | $0.tap) }, multiple: multiple)
            let first = group * Memory.group
            memory.add(
                group, list, pack(first..<min(first + Memory.group, filters), list),
                elementBytes: inputBytes, channels: channels)
            products += list.padded * Memory.group
        }
        multiplications =
            products * parts.columns.taps * parts.rows.out_size * parts.columns.out_size
        memory.convolution.pointee = parts
        memory.convolution.pointee.groups = UnsafePointer(memory.groups)
        scratchBytes = sdk_convolve_scratch(memory.convolution)
    }

    /// Bytes of packed weights, lists and per-filter numbers.
    package var byteCount: Int { memory.byteCount }

    /// Computes some rows of the output for some groups of filters.
    ///
    /// - Parameters:
    ///   - input: one image `[height, width, channels]`, u8 or f32 as the weights were packed for.
    ///   - residual: like the output, which it may be; nil without one.
    ///   - output: `[height, width, filters]`, u8 or, of images of f32 and where the epilogue stores
    ///     floats, f32.
    ///   - scratch: ``scratchBytes`` bytes that no other run uses meanwhile.
    package func run(
        rows: Range<Int>, groups: Range<Int>? = nil, input: UnsafeRawPointer,
        residual: UnsafeRawPointer? = nil, output: UnsafeMutableRawPointer,
        scratch: UnsafeMutablePointer<UInt8>, on kernels: ShiftKernels = .selected
    ) {
        let groups = groups ?? 0..<groupCount
        if inputBytes == 1 {
            kernels.table.u8_s8_convolve(
                memory.convolution, rows.lowerBound, rows.upperBound, groups.lowerBound,
                groups.upperBound, input.assumingMemoryBound(to: UInt8.self),
                residual?.assumingMemoryBound(to: UInt8.self), output, scratch)
        } else {
            kernels.table.f32_convolve(
                memory.convolution, rows.lowerBound, rows.upperBound, groups.lowerBound,
                groups.upperBound, input.assumingMemoryBound(to: Float.self),
                residual?.assumingMemoryBound(to: Float.self),
                output.assumingMemoryBound(to: Float.self), scratch)
        }
    }
}

/// What the kernels read; never written once a convolution is packed.
private final class Memory: @unchecked Sendable {
    /// Positions of a group, padded at the end.
    struct List {
        let positions: UnsafeMutablePointer<UInt32>
        let count: Int
        let padded: Int
    }

    /// Filters of a group.
    static let group = Int(SDK_CONVOLVE_FILTERS)

    let groupCount: Int
    let convolution = UnsafeMutablePointer<sdk_convolution>.allocate(capacity: 1)
    let groups: UnsafeMutablePointer<sdk_convolve_group>
    private(set) var byteCount = 0
    private var owned: [UnsafeMutableRawPointer] = []

    init(filters: Int) {
        groupCount = (filters + Self.group - 1) / Self.group
        groups = .allocate(capacity: max(groupCount, 1))
    }

    deinit {
        for pointer in owned { pointer.deallocate() }
        convolution.deallocate()
        groups.deallocate()
    }

    /// Memory of its own for `count` elements, aligned to lines of the cache.
    func allocate<Element>(
        _ type: Element.Type, _ count: Int
    ) -> UnsafeMutablePointer<Element> {
        let bytes = max(count * MemoryLayout<Element>.stride, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        owned.append(raw)
        byteCount += bytes
        return raw.bindMemory(to: Element.self, capacity: count)
    }

    /// One number for each filter, and zeros up to whole groups.
    func ofFilters<Element: Numeric>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
        let count = groupCount * Self.group
        let result = allocate(Element.self, count)
        for index in 0..<count {
            (result + index).initialize(to: index < values.count ? values[index] : 0)
        }
        return result
    }

    func list(_ positions: [UInt32], multiple: Int) -> List {
        let padded = (positions.count + multiple - 1) / multiple * multiple
        let list = allocate(UInt32.self, padded)
        for k in 0..<padded {
            (list + k).initialize(to: k < positions.count ? positions[k] : positions[0])
        }
        return List(positions: list, count: positions.count, padded: padded)
    }

    func add(
        _ group: Int, _ list: List, _ weights: UnsafeRawPointer, elementBytes: Int, channels: Int
    ) {
        let count = sdk_convolve_plan(elementBytes, channels, list.count, list.positions, nil)
        let steps = allocate(sdk_convolve_step.self, count)
        _ = sdk_convolve_plan(elementBytes, channels, list.count, list.positions, steps)
        (groups + group).initialize(
            to: sdk_convolve_group(
                kept: list.padded, positions: list.positions, weights: weights, steps: steps,
                step_count: count))
    }
}
