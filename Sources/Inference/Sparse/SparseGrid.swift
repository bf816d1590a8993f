internal import DenseMath
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
    func keptPositions<Element: Numeric>(_ weights: UnsafeBufferPointer<Element>) -> [[Int]] {
        let length = channels * rows.taps
        return stride(from: 0, to: filters, by: 32).map { first in
            (0..<length).filter { position in
                (first..<min(first + 32, filters)).contains { filter in
                    let begin = (filter * length + position) * columns.taps
                    return weights[begin..<(begin + columns.taps)].contains { $0 != 0 }
                }
            }
        }
    }

    /// The share of positions that are kept.
    func density(_ kept: [[Int]]) -> Double {
        let positions = kept.count * channels * rows.taps
        return Double(kept.reduce(0) { $0 + $1.count }) / Double(max(1, positions))
    }

    /// Weights of integers as the kernels take them; nil when there are none.
    func packed(
        _ weights: ByteWeights, _ source: ByteScale, _ epilogue: ConvolutionEpilogue
    ) -> PackedConvolution? {
        weights.bytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, rows: rows, columns: columns,
                    weights: $0, kept: keptPositions(bytes), inputZero: source.zero,
                    epilogue: epilogue)
            }
        }
    }

    /// Weights of floats as the kernels take them; nil when there are none.
    func packed(
        _ weights: Tensor, bias: [Float], range: ClosedRange<Float>
    ) -> PackedConvolution? {
        weights.withFloats { floats in
            floats.baseAddress.map {
                PackedConvolution(
                    filters: filters, channels: channels, rows: rows, columns: columns,
                    weights: $0, kept: keptPositions(floats), bias: bias, range: range)
            }
        }
    }

    /// The share of kept positions at and below which computing only those takes less time than
    /// oneDNN's dense convolution.
    ///
    /// With this share kept, oneDNN took 0.97 to 1.24 times as long in int8 and 0.98 to 1.20 times in
    /// f32, for layers of ResNet-18 and 50 at 224, on one thread with AVX-512 VNNI; least of 50 runs
    /// each and more, by turns in blocks of 25 and of 5.
    static let crossover = 0.8
}
