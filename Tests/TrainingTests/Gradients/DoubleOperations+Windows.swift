import Networks

extension DoubleOperations {
    /// Over one or two spatial dimensions.
    static func convolution(
        _ x: DoubleTensor, weight: DoubleTensor, bias: DoubleTensor?,
        _ convolution: Networks.Operation.Convolution
    ) throws -> DoubleTensor {
        let window = try convolution.resolved(input: x.shape)
        // One spatial dimension is the second of two.
        let fill = 2 - convolution.kernel.count
        func two(_ list: [Int], _ missing: Int) -> [Int] {
            Array(repeating: missing, count: fill) + list
        }
        let (input, output) = (two(Array(x.shape[2...]), 1), two(window.outputSpatial, 1))
        let (kernel, strides) = (two(convolution.kernel, 1), two(convolution.strides, 1))
        let (dilations, pads) = (two(convolution.dilations, 1), two(window.padsBegin, 0))
        let (batch, outputs, inputs) = (x.shape[0], weight.shape[0], weight.shape[1])
        let filtersPerGroup = outputs / convolution.groups
        let (inputPlane, outputPlane) = (input[0] * input[1], output[0] * output[1])

        var result = [Double](repeating: 0, count: batch * outputs * outputPlane)
        result.withUnsafeMutableBufferPointer { result in
            x.values.withUnsafeBufferPointer { x in
                for image in 0..<batch {
                    for filter in 0..<outputs {
                        let to = (image * outputs + filter) * outputPlane
                        for i in 0..<outputPlane { result[to + i] = bias?.values[filter] ?? 0 }
                        for channel in 0..<inputs {
                            let group = filter / filtersPerGroup
                            let plane = image * convolution.groups * inputs + group * inputs
                            let from = (plane + channel) * inputPlane
                            for tap in 0..<(kernel[0] * kernel[1]) {
                                let factor = weight.values[
                                    (filter * inputs + channel) * kernel[0] * kernel[1] + tap]
                                let top = tap / kernel[1] * dilations[0] - pads[0]
                                let left = tap % kernel[1] * dilations[1] - pads[1]
                                for row in 0..<output[0] {
                                    let y = row * strides[0] + top
                                    guard y >= 0, y < input[0] else { continue }
                                    for column in 0..<output[1] {
                                        let position = column * strides[1] + left
                                        guard position >= 0, position < input[1] else { continue }
                                        result[to + row * output[1] + column] +=
                                            factor * x[from + y * input[1] + position]
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return DoubleTensor(shape: [batch, outputs] + window.outputSpatial, values: result)
    }

    /// Each element is what `value` makes of the elements of its window that are inside, and of the
    /// number of those that are inside or in the padding.
    static func pool(
        _ x: DoubleTensor, _ pooling: Networks.Operation.Pooling, _ shape: [Int],
        _ value: (_ inside: [Double], _ withPadding: Int) -> Double
    ) throws -> DoubleTensor {
        let window = try pooling.resolved(input: x.shape)
        return DoubleTensor(shape: shape) { position in
            var inside: [Double] = []
            var withPadding = 0
            for tap in 0..<pooling.kernel.reduce(1, *) {
                var rest = tap
                var from = position
                var (isInside, isPadded) = (true, true)
                for i in pooling.kernel.indices.reversed() {
                    let at =
                        position[i + 2] * pooling.strides[i]
                        + rest % pooling.kernel[i] * pooling.dilations[i] - window.padsBegin[i]
                    rest /= pooling.kernel[i]
                    from[i + 2] = at
                    let size = x.shape[i + 2]
                    isInside = isInside && at >= 0 && at < size
                    isPadded = isPadded && at < size + window.padsEnd[i]
                }
                if isInside { inside.append(x[from]) }
                if isPadded { withPadding += 1 }
            }
            return value(inside, withPadding)
        }
    }

    /// Each element is what `value` makes of a whole channel of an image.
    static func planes(
        _ x: DoubleTensor, _ shape: [Int], _ value: (ArraySlice<Double>) -> Double
    ) -> DoubleTensor {
        let size = x.shape[2...].reduce(1, *)
        return DoubleTensor(
            shape: shape,
            values: (0..<(x.shape[0] * x.shape[1])).map {
                value(x.values[($0 * size)..<(($0 + 1) * size)])
            })
    }
}
