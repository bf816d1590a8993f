internal import COneDNN
package import PowerOfTwo

/// How the bytes that a primitive works on stand for reals; floats stand for themselves.
package struct IntegerScales {
    /// Of the source; nil when it holds floats.
    package let source: ByteScale?
    /// Of the target; nil when it holds floats.
    package let target: ByteScale?
    private let weights: [Float]
    private let weightMask: Int
    private let resultMask: Int

    /// - Parameters:
    ///   - weights: what one of each output channel's signed weight bytes stands for.
    ///   - axes: the dimensions of the weights that count output channels.
    ///   - resultAxis: the dimension of the result that does.
    package init(
        source: ByteScale?, target: ByteScale?, weights: [Float] = [], along axes: [Int] = [],
        resultAxis: Int = 1
    ) {
        self.source = source
        self.target = target
        self.weights = weights
        weightMask = axes.reduce(0) { $0 | 1 << $1 }
        resultMask = 1 << resultAxis
    }

    /// Whether a primitive takes its bias as reals; otherwise in units of its accumulators.
    package static var biasIsReal: Bool { sdn_bias_is_real != 0 }

    func withForm<R>(_ body: (UnsafePointer<sdn_integers>) throws -> R) rethrows -> R {
        try weights.withUnsafeBufferPointer { scales in
            var form = sdn_integers(
                source_scale: source?.scale ?? 1, target_scale: target?.scale ?? 1,
                source_zero: CInt(source?.zero ?? 0), target_zero: CInt(target?.zero ?? 0),
                weight_scales: scales.isEmpty ? nil : scales.baseAddress,
                weight_count: CInt(scales.count), weight_mask: CInt(weightMask),
                result_mask: CInt(resultMask))
            return try body(&form)
        }
    }
}
