internal import DenseMath
internal import PowerOfTwo

/// Rounds buffers to levels that few bits can tell apart, and gives back floats.
///
/// In the backward pass gradients go through unchanged (the straight-through estimator), those of
/// values that were beyond the ends of their range too, as in the authors' `UniformQuantize`.
/// Results do not depend on the number of threads.
package struct FakeQuantizer: Sendable {
    package let options: Quantization
    package let threads: Int
    private let kernels = ShiftKernels.selected

    /// Elements that are worth a thread of their own.
    private static let share = 1 << 15

    package init(_ options: Quantization, threads: Int) {
        self.options = options
        self.threads = threads
    }

    /// Rounds the values that a convolution or product takes, between the mean over the images of
    /// their minima and the mean of their maxima (the authors' `QuantMeasure`), and moves the
    /// running range. `out` may be `x`.
    package func quantiseActivations(
        _ x: UnsafePointer<Float>, _ layout: SampleLayout, _ running: ActivationRange,
        into out: UnsafeMutablePointer<Float>
    ) {
        let range = ValueRange(meanOf: ranges(x, layout))
        running.move(to: range, momentum: options.momentum)
        quantise(x, layout, to: range, into: out)
    }

    /// Rounds the values of a convolution or product of a network that does not learn, in a range
    /// that training has found.
    package func quantise(
        _ x: UnsafePointer<Float>, _ layout: SampleLayout, to range: ValueRange,
        into out: UnsafeMutablePointer<Float>
    ) {
        let (zero, top) = (range.minimum, ValueRange.top(bits: options.activationBits))
        let step = range.step(bits: options.activationBits)
        nonisolated(unsafe) let (x, out) = (x, out)
        forEachPart(of: layout.count) { [kernels] part in
            withUnsafePointer(to: zero) { zero in
                withUnsafePointer(to: step) { step in
                    kernels.fakeQuantise(
                        rows: part.count, lanes: 1, x: x + part.lowerBound, zero: zero,
                        scale: step, top: top, into: out + part.lowerBound)
                }
            }
        }
    }

    /// Rounds a weight, each filter in the range of its own, as the authors' `QConv2d` does. `out`
    /// may be `weight`.
    package func quantiseWeights(
        _ weight: UnsafePointer<Float>, filters layout: SampleLayout,
        into out: UnsafeMutablePointer<Float>
    ) {
        let ranges = ranges(weight, layout)
        let top = ValueRange.top(bits: options.weightBits)
        let zeros = ranges.map(\.minimum)
        let steps = ranges.map { $0.step(bits: options.weightBits) }
        nonisolated(unsafe) let (weight, out) = (weight, out)
        ParallelLoop.run(layout.blocks, threads: threads(for: layout.count)) { [kernels] block in
            zeros.withUnsafeBufferPointer { zeros in
                steps.withUnsafeBufferPointer { steps in
                    guard let zero = zeros.baseAddress, let step = steps.baseAddress else { return }
                    let (first, start) = (block * layout.lanes, block * layout.blockCount)
                    kernels.fakeQuantise(
                        rows: layout.elements, lanes: layout.lanes, x: weight + start,
                        zero: zero + first, scale: step + first, top: top, into: out + start)
                }
            }
        }
    }

    /// Rounds the gradient of the result of a convolution or product up or down by chance, so that
    /// the mean is right, in the range of the whole batch (the authors' `quantize_grad`, whose
    /// reduction is `extreme`). `out` may be `gradient`.
    ///
    /// - Parameters:
    ///   - step: the number of the update.
    ///   - node: the number of the node; chance depends on the seed, both and the element.
    package func quantiseGradient(
        _ gradient: UnsafePointer<Float>, _ layout: SampleLayout, step index: Int, node: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        let bits = options.gradientBits ?? 8
        let range = ValueRange(of: ranges(gradient, layout))
        let (top, step) = (ValueRange.top(bits: bits), range.step(bits: bits))
        let key = Self.key(seed: options.seed, step: index, node: node)
        nonisolated(unsafe) let (gradient, out) = (gradient, out)
        forEachPart(of: layout.count) { [kernels] part in
            kernels.fakeQuantiseRandomly(
                count: part.count, first: part.lowerBound, key: key,
                x: gradient + part.lowerBound, zero: range.minimum, scale: step, top: top,
                into: out + part.lowerBound)
        }
    }

    /// The range of each sample.
    func ranges(_ x: UnsafePointer<Float>, _ layout: SampleLayout) -> [ValueRange] {
        nonisolated(unsafe) let x = x
        var least = [Float](repeating: 0, count: layout.samples)
        var largest = least
        least.withUnsafeMutableBufferPointer { least in
            largest.withUnsafeMutableBufferPointer { largest in
                guard let low = least.baseAddress, let high = largest.baseAddress else { return }
                nonisolated(unsafe) let (lows, highs) = (low, high)
                ParallelLoop.run(layout.blocks, threads: threads(for: layout.count)) {
                    [kernels] block in
                    let first = block * layout.lanes
                    kernels.minmax(
                        rows: layout.elements, lanes: layout.lanes,
                        x: x + block * layout.blockCount, least: lows + first,
                        largest: highs + first)
                }
            }
        }
        return zip(least, largest).map { ValueRange($0, $1) }
    }

    private func threads(for count: Int) -> Int { min(threads, max(1, count / Self.share)) }

    private func forEachPart(of count: Int, _ body: @Sendable (Range<Int>) -> Void) {
        ParallelLoop.run((count + Self.share - 1) / Self.share, threads: threads) { part in
            body((part * Self.share)..<min((part + 1) * Self.share, count))
        }
    }

    private static func key(seed: UInt64, step: Int, node: Int) -> UInt64 {
        [step, node, 0].reduce(seed) { key, number in
            var generator = SplitMix64(seed: key ^ UInt64(truncatingIfNeeded: number))
            return generator.next()
        }
    }
}
