/// The loops of a layer for one image: every convolution, and products with a constant matrix as
/// convolutions of one pixel.
public struct LayerShape: Sendable, Hashable {
    /// Input channels (C) of all groups.
    public var channels: Int
    /// Output channels (M) of all groups.
    public var filters: Int
    /// Kernel height and width (R, S).
    public var kernelHeight: Int
    public var kernelWidth: Int
    /// Strides (U).
    public var strideHeight: Int
    public var strideWidth: Int
    /// Padding before and after, both dimensions added up: it is never stored nor read.
    public var padHeight: Int
    public var padWidth: Int
    /// The size of the input.
    public var inputHeight: Int
    public var inputWidth: Int
    /// The size of the output (E, F).
    public var outputHeight: Int
    public var outputWidth: Int
    public var groups: Int

    public init(
        channels: Int, filters: Int, kernel: (Int, Int) = (1, 1), stride: (Int, Int) = (1, 1),
        padding: (Int, Int) = (0, 0), input: (Int, Int) = (1, 1), output: (Int, Int) = (1, 1),
        groups: Int = 1
    ) {
        precondition(
            channels > 0 && filters > 0 && groups > 0 && channels % groups == 0
                && filters % groups == 0, "channels and filters are multiples of the groups")
        self.channels = channels
        self.filters = filters
        (kernelHeight, kernelWidth) = kernel
        (strideHeight, strideWidth) = stride
        (padHeight, padWidth) = padding
        (inputHeight, inputWidth) = input
        (outputHeight, outputWidth) = output
        self.groups = groups
    }

    /// Input channels that one filter sees.
    public var channelsPerGroup: Int { channels / groups }
    public var filtersPerGroup: Int { filters / groups }
    /// Pixels of an output channel.
    public var outputPixels: Int { outputHeight * outputWidth }
    /// Weights (M C/g R S).
    public var weights: Int { filters * channelsPerGroup * kernelHeight * kernelWidth }
    /// Outputs of one image.
    public var outputs: Int { filters * outputPixels }
    /// Products of one image, zeros included.
    public var macs: Int { weights * outputPixels }
    /// Inputs of one image.
    public var inputs: Int { channels * inputHeight * inputWidth }
    /// Inputs that some window covers: fewer than ``inputs`` where the stride is larger than the
    /// kernel.
    public var touchedInputs: Int {
        channels * min(inputHeight, outputHeight * min(kernelHeight, strideHeight) + halo(0))
            * min(inputWidth, outputWidth * min(kernelWidth, strideWidth) + halo(1))
    }

    /// What windows reach beyond their strides.
    private func halo(_ dimension: Int) -> Int {
        dimension == 0
            ? max(0, kernelHeight - strideHeight) : max(0, kernelWidth - strideWidth)
    }
}
