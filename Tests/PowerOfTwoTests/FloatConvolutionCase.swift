import PowerOfTwo

/// A convolution of floats at random: shape, weights, image.
struct FloatConvolutionCase {
    let shape: ConvolutionShape
    let weights: [Float]
    let bias: [Float]
    let image: [Float]
    let residual: [Float]?
    let range: ClosedRange<Float>

    init(_ random: inout TestRandom) {
        shape = ConvolutionShape(&random)
        weights = random.floats(shape.weightCount)
        image = random.floats(shape.inputCount)
        residual = random.next() % 2 == 0 ? random.floats(shape.outputCount) : nil
        bias = random.floats(shape.filters)
        let ranges = [-Float.infinity...Float.infinity, 0...Float.infinity, 0...0.5, -1...1]
        range = ranges[Int(random.next() % UInt64(ranges.count))]
    }

    func packed() -> PackedConvolution {
        let weights = Input(weights)
        return PackedConvolution(
            filters: shape.filters, channels: shape.channels, groups: shape.groups,
            rows: shape.rows, columns: shape.columns, weights: weights.pointer, kept: shape.kept,
            bias: bias,
            range: range, threads: shape.threads)
    }

    /// An output in f64, and the sum of the magnitudes that it is made from.
    func plain(_ at: Int) -> (value: Double, magnitude: Double) {
        let first = Double(bias[at % shape.filters]) + Double(residual?[at] ?? 0)
        var (sum, magnitude) = (first, abs(first) + 1)
        shape.forEachProduct(ofOutput: at) { value, weight in
            let product = Double(image[value]) * Double(weights[weight])
            sum += product
            magnitude += abs(product)
        }
        sum = min(max(sum, Double(range.lowerBound)), Double(range.upperBound))
        return (sum, magnitude)
    }
}
