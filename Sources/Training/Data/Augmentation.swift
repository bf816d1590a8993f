internal import DenseMath

/// Random changes to training images that leave their class as it is.
public struct Augmentation: Sendable, Equatable {
    /// Images are cut out of themselves with a black border of so many pixels around them.
    public var crop: Int
    /// Whether every second image, by chance, is mirrored left to right.
    public var flip: Bool

    public init(crop: Int = 0, flip: Bool = false) {
        self.crop = crop
        self.flip = flip
    }

    /// Changes images `[N, C, H, W]`.
    ///
    /// - Parameters:
    ///   - black: what a pixel of 0 is after normalisation, by channel.
    ///   - random: the stream of the image at an index of the batch.
    func applied(
        to images: Tensor, black: [Float], random: (Int) -> SplitMix64
    ) -> Tensor {
        guard crop > 0 || flip else { return images }
        let shape = images.shape
        let (channels, height, width) = (shape[1], shape[2], shape[3])
        return Tensor(.float32, uninitialized: shape) { bytes in
            let out = bytes.assumingMemoryBound(to: Float.self)
            images.withFloats { from in
                for image in 0..<shape[0] {
                    var stream = random(image)
                    let top = Int.random(in: 0...2 * crop, using: &stream) - crop
                    let left = Int.random(in: 0...2 * crop, using: &stream) - crop
                    let isFlipped = flip && stream.next() & 1 == 1
                    for row in 0..<channels * height {
                        let (channel, y) = (row / height, row % height)
                        let begin = (image * channels * height + row) * width
                        let target = UnsafeMutableBufferPointer(
                            rebasing: out[begin..<begin + width])
                        let isInside = (0..<height).contains(y + top)
                        let source =
                            ((image * channels + channel) * height + (isInside ? y + top : 0))
                            * width
                        for x in 0..<width {
                            let column = (isFlipped ? width - 1 - x : x) + left
                            target[x] =
                                isInside && (0..<width).contains(column)
                                ? from[source + column] : black[channel]
                        }
                    }
                }
            }
        }
    }
}
