internal import CShiftKernels

/// A convolution of u8 images with int8 weights under group masks, packed once for the kernels.
///
/// Images are `[height, width, channels]`, weights `[filters, channels, height, width]`; only one
/// group of channels. Groups of 32 filters share a list of kept positions, channel · kernel height
/// + kernel row, and a position is kept with the whole width of the kernel.
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
            inSize: Int, outSize: Int, taps: Int, stride: Int = 1, dilation: Int = 1,
            padding: Int = 0
        ) {
            self.inSize = inSize
            self.outSize = outSize
            self.taps = taps
            self.stride = stride
            self.dilation = dilation
            self.padding = padding
        }
    }

    /// The most channels and taps along an axis that kernels take.
    package static let largestChannels = 1 << 16 - 1
    package static let largestTaps = Int(SDK_CONVOLVE_TAPS)
}
