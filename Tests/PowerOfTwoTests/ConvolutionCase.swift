import PowerOfTwo

/// A convolution of integers at random: shape, weights, image.
struct ConvolutionCase {
    let shape: ConvolutionShape
    let weights: [Int8]
    let weightScales: [Float]
    let bias: [Float]
    let image: [UInt8]
    let residual: [UInt8]?
    let input: ByteScale
    let residualScale: ByteScale
    let output: ByteScale?
    let range: ClosedRange<Float>

    init(_ random: inout TestRandom) {
        func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
        shape = ConvolutionShape(&random)
        // The extremes often: sums of their products saturate where they may not.
        let isExtreme = random.next() % 4 == 0
        weights = random.bytes(shape.weightCount).map {
            isExtreme ? ($0 % 2 == 0 ? -128 : 127) : Int8(bitPattern: $0)
        }
        image = random.bytes(shape.inputCount).map {
            isExtreme ? ($0 % 8 == 0 ? 0 : 255) : $0
        }
        residual = random.next() % 2 == 0 ? random.bytes(shape.outputCount) : nil
        input = ByteScale(scale: 0.02, zero: pick([0, 0, 3, 128, 255]))
        residualScale = ByteScale(scale: 0.5, zero: pick([0, 7, 200]))
        output = pick([
            nil, ByteScale(scale: 0.25, zero: 0), ByteScale(scale: 1, zero: 10),
            ByteScale(scale: 2, zero: 255),
        ])
        // Now and then scales that take sums out of every range.
        let unit: Float = pick([0.001, 0.001, 0.01, 1e30, 0])
        weightScales = (0..<shape.filters).map { _ in unit * Float(1 + random.signed()) }
        bias = random.floats(shape.filters).map { 40 * $0 }
        range = pick([-Float.infinity...Float.infinity, 0...Float.infinity, 0...6, -20...30])
    }

    func packed() -> PackedConvolution {
        let epilogue = ConvolutionEpilogue(
            input: input, weightScales: weightScales, bias: bias,
            residual: residual.map { _ in residualScale }, range: range, output: output)
        let weights = Input(weights)
        return PackedConvolution(
            filters: shape.filters, channels: shape.channels, groups: shape.groups,
            rows: shape.rows, columns: shape.columns, weights: weights.pointer, kept: shape.kept,
            inputZero: input.zero, epilogue: epilogue, threads: shape.threads)
    }

    /// The plain sum in f64 of an output, on the scales of input and weights.
    func plainSum(_ at: Int) -> Double {
        var sum = 0.0
        shape.forEachProduct(ofOutput: at) { value, weight in
            sum += Double(Int(image[value]) - Int(input.zero)) * Double(weights[weight])
        }
        return sum * Double(input.scale) * Double(weightScales[at % shape.filters])
    }
}
