internal import DenseMath
internal import Networks
internal import PowerOfTwo

/// A convolution of images, or a product of a matrix and constant weights, as the kernels over kept
/// positions see it.
struct SparseGrid {
    let images: Int
    let channels: Int
    let filters: Int
    let groups: Int
    let rows: PackedConvolution.Axis
    let columns: PackedConvolution.Axis
    /// Whether weights lie `[channels, filters]`, as those of products may.
    let isTransposed: Bool

    /// Nil for what the kernels do not have: other than two spatial dimensions, kernels that are too
    /// large.
    init?(
        _ convolution: Operation.Convolution, _ window: Operation.ResolvedWindow, source: [Int],
        target: [Int]
    ) {
        guard source.count == 4, source[1] <= PackedConvolution.largestChannels,
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
        groups = convolution.groups
        rows = axis(0)
        columns = axis(1)
        isTransposed = false
    }

    /// A product of `rows` rows of `inner` elements; nil where they are none, or too long.
    init?(rows: Int, inner: Int, columns: Int, isTransposed: Bool) {
        guard rows > 0, columns > 0, (1...PackedConvolution.largestChannels).contains(inner) else {
            return nil
        }
        images = 1
        channels = inner
        filters = columns
        groups = 1
        self.rows = PackedConvolution.Axis(inSize: rows, outSize: rows)
        self.columns = PackedConvolution.Axis(inSize: 1, outSize: 1)
        self.isTransposed = isTransposed
    }

    /// For every 32 filters the positions, channel and kernel row, at which one has a weight.
    ///
    /// - Parameter weights: `[filters, channels / groups, kernel height, kernel width]`.
    private func keptPositions<Element: Numeric>(
        _ weights: UnsafeBufferPointer<Element>
    ) -> [[Int]] {
        let length = channels / groups * rows.taps
        return stride(from: 0, to: filters, by: 32).map { first in
            // Of each group that has some of the filters.
            Dictionary(grouping: first..<min(first + 32, filters)) { $0 / (filters / groups) }
                .sorted { $0.key < $1.key }
                .flatMap { group, filters in
                    (0..<length).filter { position in
                        filters.contains { filter in
                            let begin = (filter * length + position) * columns.taps
                            return weights[begin..<(begin + columns.taps)].contains { $0 != 0 }
                        }
                    }.map { group * length + $0 }
                }
        }
    }

    /// The multiplications that are left, as a share of those of the dense weights; above 1 where
    /// filters of several groups share their positions.
    func density<Element: Numeric>(_ weights: [Element]) -> Double {
        let kept = weights.inFilters(of: self).withUnsafeBufferPointer { keptPositions($0) }
        let positions = kept.count * (channels / groups) * rows.taps
        return Double(kept.reduce(0) { $0 + $1.count }) / Double(max(1, positions))
    }

    /// Weights of integers as the kernels take them; nil when there are none.
    func packed(
        _ weights: [Int8], _ source: ByteScale, _ epilogue: ConvolutionEpilogue, threads: Int
    ) -> PackedConvolution? {
        weights.inFilters(of: self).withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, groups: groups, rows: rows,
                    columns: columns, weights: $0, kept: keptPositions(bytes),
                    inputZero: source.zero, epilogue: epilogue, threads: threads)
            }
        }
    }

    /// Weights of floats as the kernels take them; nil when there are none.
    func packed(
        _ weights: [Float], bias: [Float], range: ClosedRange<Float>, threads: Int
    ) -> PackedConvolution? {
        weights.inFilters(of: self).withUnsafeBufferPointer { floats in
            floats.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, groups: groups, rows: rows,
                    columns: columns, weights: $0, kept: keptPositions(floats), bias: bias,
                    range: range, threads: threads)
            }
        }
    }

    /// The share of kept positions at and below which computing only those takes less time than
    /// oneDNN does with all.
    ///
    /// Measured on one thread. Convolutions with AVX-512 VNNI: with 80 % kept oneDNN took 0.97 to 1.24
    /// times as long in int8 (layers on a Zen 4; ResNet-18 and 50 on an Ice Lake 1.05 and 1.00
    /// times), and in f32 0.98 to 1.20 and 0.97 and 0.85 times; with 65 % kept the two networks 1.2
    /// and 1.2 times in int8, 1.2 and 1.0 times in f32. With AVX2, int8: 0.87 and 0.8 times with
    /// 65 % kept, 1.0 and 1.0 times with half; f32: 1.0 and 0.84, 1.3 and 1.1 times. Products of
    /// 2 to 256 rows (784 x 300 in int8, 384 x 1536 and 1536 x 384 in f32): 0.7 to 1.3 times with
    /// 80 % kept, 1.0 to 1.7 times with half.
    ///
    /// - Parameter merged: whether what follows is part of the step; oneDNN does it along the way.
    func crossover(inBytes: Bool, merged: Bool) -> Double {
        guard InstructionSet.selected == .avx512, merged, columns.inSize > 1 else { return 0.5 }
        return inBytes ? 0.8 : 0.65
    }
}

extension Array where Element: Numeric {
    /// Weights that lie `[channels, filters]` as `[filters, channels]`.
    fileprivate func inFilters(of grid: SparseGrid) -> [Element] {
        guard grid.isTransposed, count == grid.channels * grid.filters else { return self }
        return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            // By strips that stay in the caches.
            for first in stride(from: 0, to: grid.channels, by: 64) {
                for filter in 0..<grid.filters {
                    for channel in first..<Swift.min(first + 64, grid.channels) {
                        buffer.initializeElement(
                            at: filter * grid.channels + channel,
                            to: self[channel * grid.filters + filter])
                    }
                }
            }
            initialized = count
        }
    }
}
