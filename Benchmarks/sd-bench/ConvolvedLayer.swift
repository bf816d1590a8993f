import SmartDeal

/// A convolution of a network at 224 pixels: square, and padded so that only its stride makes it
/// smaller.
struct ConvolvedLayer {
    let channels: Int
    let filters: Int
    let size: Int
    var taps = 1
    var stride = 1

    var name: String {
        "\(taps)x\(taps) \(channels)->\(filters), \(size)x\(size)"
            + (stride > 1 ? ", stride \(stride)" : "")
    }

    var axis: PackedConvolution.Axis {
        PackedConvolution.Axis(
            inSize: size, outSize: size / stride, taps: taps, stride: stride, padding: taps / 2)
    }

    var weightCount: Int { filters * channels * taps * taps }
    /// Channels times kernel rows: what a group of filters keeps or drops.
    var positions: Int { channels * taps }
    private var pixels: Int { axis.outSize * axis.outSize }
    /// Operations of the dense layer, two a product.
    var operations: Double { 2 * Double(weightCount * pixels) }
    /// Bytes of an image, and of what the layer makes of it.
    var imageBytes: Int { size * size * channels }
    var outputBytes: Int { pixels * filters }

    /// The sizes of the matrix product that the layer is.
    var product: (m: Int, n: Int, k: Int) { (filters, pixels, positions * taps) }

    /// The layers that are swept finely and drawn.
    static let drawn = [
        ConvolvedLayer(channels: 64, filters: 64, size: 56, taps: 3),
        ConvolvedLayer(channels: 256, filters: 64, size: 56),
    ]

    /// All but the first one of ResNet-18, and the shortcut that is slowest.
    static let resNet18 = [
        ConvolvedLayer(channels: 64, filters: 128, size: 56, taps: 3, stride: 2),
        ConvolvedLayer(channels: 64, filters: 128, size: 56, stride: 2),
        ConvolvedLayer(channels: 128, filters: 128, size: 28, taps: 3),
        ConvolvedLayer(channels: 128, filters: 256, size: 28, taps: 3, stride: 2),
        ConvolvedLayer(channels: 256, filters: 256, size: 14, taps: 3),
        ConvolvedLayer(channels: 256, filters: 512, size: 14, taps: 3, stride: 2),
        ConvolvedLayer(channels: 512, filters: 512, size: 7, taps: 3),
    ]

    /// The 1x1 layers of ResNet-50's blocks; its 3x3 ones are those of ResNet-18.
    static let resNet50 = [
        ConvolvedLayer(channels: 64, filters: 256, size: 56),
        ConvolvedLayer(channels: 512, filters: 128, size: 28),
        ConvolvedLayer(channels: 128, filters: 512, size: 28),
        ConvolvedLayer(channels: 1024, filters: 256, size: 14),
        ConvolvedLayer(channels: 256, filters: 1024, size: 14),
        ConvolvedLayer(channels: 2048, filters: 512, size: 7),
        ConvolvedLayer(channels: 512, filters: 2048, size: 7),
    ]

    /// 1x1 layers of MobileNetV2, some whose filters are no multiple of 32 among them.
    static let mobileNetV2 = [
        ConvolvedLayer(channels: 24, filters: 144, size: 56),
        ConvolvedLayer(channels: 192, filters: 32, size: 28),
        ConvolvedLayer(channels: 576, filters: 96, size: 14),
        ConvolvedLayer(channels: 960, filters: 320, size: 7),
        ConvolvedLayer(channels: 320, filters: 1280, size: 7),
    ]
}
