internal import PowerOfTwo

/// Rows or columns of a convolution.
struct ConvolutionAxis {
    let inSize: Int
    let kernel: Int
    let stride: Int
    let dilation: Int
    let begin: Int
    let outSize: Int

    init(inSize: Int, kernel: Int, stride: Int, dilation: Int, begin: Int, end: Int) {
        self.inSize = inSize
        self.kernel = kernel
        self.stride = stride
        self.dilation = dilation
        self.begin = begin
        outSize = (inSize + begin + end - (kernel - 1) * dilation - 1) / stride + 1
        precondition(inSize + begin + end > (kernel - 1) * dilation)
    }

    var forward: LanesPass.Axis {
        var axis = LanesPass.Axis(
            inSize: inSize, outSize: outSize, count: outSize, inFirst: -begin, taps: kernel)
        axis.inStep = stride
        axis.tapStep = dilation
        return axis
    }

    /// The pass that finds the gradient of the inputs at `phase`, `phase` + stride, ... : only taps
    /// of one remainder meet them, the last tap first, and their outputs lie side by side.
    func backward(_ phase: Int) -> (axis: LanesPass.Axis, taps: [Int]) {
        let shift = phase + begin
        let taps = (0..<kernel).reversed().filter {
            (shift - $0 * dilation).isMultiple(of: stride)
        }
        var axis = LanesPass.Axis(
            inSize: outSize, outSize: inSize, count: (inSize - phase + stride - 1) / stride,
            inFirst: taps.first.map { (shift - $0 * dilation) / stride } ?? 0, taps: taps.count)
        axis.outFirst = phase
        axis.outStep = stride
        if taps.count > 1 { axis.tapStep = (taps[0] - taps[1]) * dilation / stride }
        return (axis, taps)
    }
}
