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
    /// large, nothing to read or write.
    init?(
        _ convolution: Operation.Convolution, _ window: Operation.ResolvedWindow, source: [Int],
        target: [Int]
    ) {
        guard source.count == 4, source[1] <= PackedConvolution.largestChannels,
            !source.contains(0), !target.contains(0),
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

    /// Weights as the kernels take them, with what is left of them.
    struct Kept<Element: Numeric> {
        /// `[filters, channels / groups, kernel height, kernel width]`.
        fileprivate let weights: [Element]
        /// For every 32 filters.
        fileprivate let positions: [[Int]]
        /// The multiplications that are left, as a share of those of the dense weights; above 1 where
        /// filters of several groups share their positions.
        let density: Double
    }

    func kept<Element: Numeric>(of weights: [Element]) -> Kept<Element> {
        let weights = weights.inFilters(of: self)
        let kept = weights.withUnsafeBufferPointer { keptPositions($0) }
        let positions = kept.count * (channels / groups) * rows.taps
        let count = kept.reduce(0) { $0 + $1.count }
        return Kept(
            weights: weights, positions: kept, density: Double(count) / Double(max(1, positions)))
    }

    /// Weights of integers as the kernels take them; nil when there are none.
    func packed(
        _ kept: Kept<Int8>, _ source: ByteScale, _ epilogue: ConvolutionEpilogue, threads: Int
    ) -> PackedConvolution? {
        kept.weights.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, groups: groups, rows: rows,
                    columns: columns, weights: $0, kept: kept.positions,
                    inputZero: source.zero, epilogue: epilogue, threads: threads)
            }
        }
    }

    /// Weights of floats as the kernels take them; nil when there are none.
    func packed(
        _ kept: Kept<Float>, bias: [Float], range: ClosedRange<Float>, threads: Int
    ) -> PackedConvolution? {
        kept.weights.withUnsafeBufferPointer { floats in
            floats.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, groups: groups, rows: rows,
                    columns: columns, weights: $0, kept: kept.positions, bias: bias,
                    range: range, threads: threads)
            }
        }
    }

    /// The share of kept positions at and below which computing only those takes less time than
    /// oneDNN does with all.
    ///
    /// Measured on one thread. With AVX-512 VNNI in int8, layers of ResNet-18, ResNet-50 and
    /// MobileNetV2: kernels of several taps pay from 77 to 91 % on, 1x1 kernels from 68 to 93 % on an
    /// Ice Lake, a little earlier on a Zen 4. Whole networks, oneDNN's time / this (ResNet-18, 50):
    /// in f32 0.97 and 0.85 with 80 % kept, 1.2 and 1.0 with 65 %; with AVX2 in int8 0.87 and 0.8 with
    /// 65 %, 1.0 and 1.0 with half, in f32 1.0 and 0.84, 1.3 and 1.1. Products of 2 to 256 rows
    /// (784 x 300 in int8, 384 x 1536 and 1536 x 384 in f32): 0.7 to 1.3 with 80 % kept, 1.0 to 1.7
    /// with half.
    ///
    /// - Parameter merged: whether what follows is part of the step; oneDNN does it along the way.
    func crossover(inBytes: Bool, merged: Bool) -> Double {
        guard InstructionSet.selected == .avx512, merged, columns.inSize > 1 else { return 0.5 }
        guard inBytes else { return 0.65 }
        return rows.taps * columns.taps > 1 ? 0.8 : 0.7
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
