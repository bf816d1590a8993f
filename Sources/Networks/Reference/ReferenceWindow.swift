internal import DenseMath

/// The windows of a convolution or pooling over one image.
struct ReferenceWindows {
    /// A position of a window that lies on the image: which of the kernel, which of the image.
    typealias Tap = (kernel: Int, image: Int)

    /// For each output position, row-major, what lies on the image.
    private(set) var taps: [[Tap]] = [[(0, 0)]]
    /// For each output position how many taps lie on the image or its padding.
    private(set) var paddedCounts: [Int] = [1]

    init(
        image: [Int], kernel: [Int], strides: [Int], dilations: [Int],
        _ window: Operation.ResolvedWindow
    ) {
        for d in image.indices {
            let before = window.padsBegin[d]
            // Along this dimension: the positions on the image of all taps of each window.
            let lines = (0..<window.outputSpatial[d]).map { output in
                (0..<kernel[d]).map { output * strides[d] + $0 * dilations[d] - before }
            }
            let inside = lines.map { line in
                line.enumerated().filter { 0 <= $1 && $1 < image[d] }.map {
                    (kernel: $0, image: $1)
                }
            }
            let padded = lines.map { line in
                line.count { $0 < image[d] + window.padsEnd[d] }
            }
            taps = taps.flatMap { outer in
                inside.map { line in
                    outer.flatMap { tap in
                        line.map {
                            (tap.kernel * kernel[d] + $0.kernel, tap.image * image[d] + $0.image)
                        }
                    }
                }
            }
            paddedCounts = paddedCounts.flatMap { outer in padded.map { outer * $0 } }
        }
    }
}

extension Reference {
    static func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, _ convolution: Operation.Convolution
    ) throws -> Tensor {
        let window = try convolution.resolved(input: x.shape)
        let windows = ReferenceWindows(
            image: Array(x.shape[2...]), kernel: convolution.kernel, strides: convolution.strides,
            dilations: convolution.dilations, window)
        let (imageSize, kernelSize) = (
            x.shape[2...].reduce(1, *), convolution.kernel.reduce(1, *)
        )
        let (images, filters, channels) = (x.shape[0], weight.shape[0], weight.shape[1])
        let filtersPerGroup = filters / convolution.groups
        let biases = bias?.floats
        var result: [Float] = []
        x.withFloats { x in
            weight.withFloats { weight in
                for image in 0..<images {
                    for filter in 0..<filters {
                        let group = filter / filtersPerGroup
                        let firstPlane = (image * convolution.groups + group) * channels
                        for taps in windows.taps {
                            var sum = Double(biases?[filter] ?? 0)
                            for channel in 0..<channels {
                                let plane = (firstPlane + channel) * imageSize
                                let kernel = (filter * channels + channel) * kernelSize
                                for tap in taps {
                                    sum +=
                                        Double(x[plane + tap.image])
                                        * Double(weight[kernel + tap.kernel])
                                }
                            }
                            result.append(Float(sum))
                        }
                    }
                }
            }
        }
        return Tensor(shape: [x.shape[0], filters] + window.outputSpatial, result)
    }

    static func maxPool(_ x: Tensor, _ pooling: Operation.Pooling) throws -> Tensor {
        try pool(x, pooling) { values, _ in values.reduce(-.infinity) { max($0, $1) } }
    }

    static func averagePool(
        _ x: Tensor, _ pooling: Operation.Pooling, countsPadding: Bool
    ) throws -> Tensor {
        try pool(x, pooling) { values, paddedCount in
            let sum = values.reduce(0.0) { $0 + Double($1) }
            return Float(sum / Double(countsPadding ? paddedCount : values.count))
        }
    }

    /// Applies `value` to the elements of each window and to how many there are with padding.
    private static func pool(
        _ x: Tensor, _ pooling: Operation.Pooling, _ value: ([Float], Int) -> Float
    ) throws -> Tensor {
        let window = try pooling.resolved(input: x.shape)
        let windows = ReferenceWindows(
            image: Array(x.shape[2...]), kernel: pooling.kernel, strides: pooling.strides,
            dilations: pooling.dilations, window)
        let imageSize = x.shape[2...].reduce(1, *)
        let elements = x.floats
        var result: [Float] = []
        for plane in 0..<(x.shape[0] * x.shape[1]) {
            for (taps, paddedCount) in zip(windows.taps, windows.paddedCounts) {
                let values = taps.map { elements[plane * imageSize + $0.image] }
                result.append(value(values, paddedCount))
            }
        }
        return Tensor(shape: x.shape.prefix(2) + window.outputSpatial, result)
    }
}
