import PowerOfTwo

/// A convolution of integers at random: sizes, masks, weights, image.
struct ConvolutionCase {
    let filters: Int
    let channels: Int
    let rows: PackedConvolution.Axis
    let columns: PackedConvolution.Axis
    let kept: [[Int]]?
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
        func axis(sizes: [Int], taps: [Int]) -> PackedConvolution.Axis {
            var axis = PackedConvolution.Axis(
                inSize: pick(sizes), outSize: 0, taps: pick(taps), stride: pick([1, 1, 2, 3]),
                dilation: pick([1, 1, 2, 3]), padding: pick([0, 0, 1, 1, 2, 9]))
            let reach = (axis.taps - 1) * axis.dilation + 1
            // Now and then more outputs than fit: those beyond read padding only.
            let room = axis.inSize + 2 * axis.padding - reach
            axis.outSize = (max(room, 0) / axis.stride) + 1 + pick([0, 0, 0, 2])
            return axis
        }
        rows = axis(sizes: [1, 2, 5, 7], taps: [1, 1, 2, 3, 5])
        columns = axis(sizes: [1, 2, 3, 7, 8, 14, 15, 17, 31], taps: [1, 1, 2, 3, 3, 7])
        filters = pick([1, 5, 16, 17, 31, 32, 33, 64, 70])
        channels = pick([1, 3, 4, 15, 32, 63, 64, 65, 100, 128, 130, 200])
        let positions = channels * rows.taps
        let density = pick([0, 0.1, 0.2, 0.5, 0.9, 1])
        if random.next() % 6 == 0 {
            kept = nil
        } else {
            kept = (0..<(filters + 31) / 32).map { _ in
                (0..<positions).filter { _ in random.signed() < 2 * density - 1 }
            }
        }
        // The extremes often: sums of their products saturate where they may not.
        let isExtreme = random.next() % 4 == 0
        weights = random.bytes(filters * positions * columns.taps).map {
            isExtreme ? ($0 % 2 == 0 ? -128 : 127) : Int8(bitPattern: $0)
        }
        image = random.bytes(rows.inSize * columns.inSize * channels).map {
            isExtreme ? ($0 % 8 == 0 ? 0 : 255) : $0
        }
        let outputs = rows.outSize * columns.outSize * filters
        residual = random.next() % 2 == 0 ? random.bytes(outputs) : nil
        input = ByteScale(scale: 0.02, zero: pick([0, 0, 3, 128, 255]))
        residualScale = ByteScale(scale: 0.5, zero: pick([0, 7, 200]))
        output = pick([
            nil, ByteScale(scale: 0.25, zero: 0), ByteScale(scale: 1, zero: 10),
            ByteScale(scale: 2, zero: 255),
        ])
        // Now and then scales that take sums out of every range.
        let unit: Float = pick([0.001, 0.001, 0.01, 1e30, 0])
        weightScales = (0..<filters).map { _ in unit * Float(1 + random.signed()) }
        bias = random.floats(filters).map { 40 * $0 }
        range = pick([-Float.infinity...Float.infinity, 0...Float.infinity, 0...6, -20...30])
    }

    var outputCount: Int { rows.outSize * columns.outSize * filters }

    func packed() -> PackedConvolution {
        let epilogue = ConvolutionEpilogue(
            input: input, weightScales: weightScales, bias: bias,
            residual: residual.map { _ in residualScale }, range: range, output: output)
        let weights = Input(weights)
        return PackedConvolution(
            filters: filters, channels: channels, rows: rows, columns: columns,
            weights: weights.pointer, kept: kept, inputZero: input.zero, epilogue: epilogue)
    }

    /// The plain sum in f64 of a filter at a pixel, on the scales of input and weights.
    func plainSum(row: Int, column: Int, filter: Int) -> Double {
        let mask = kept.map { Set($0[filter / 32]) }
        var sum = 0.0
        for channel in 0..<channels {
            for i in 0..<rows.taps {
                let position = channel * rows.taps + i
                let y = row * rows.stride + i * rows.dilation - rows.padding
                guard mask?.contains(position) ?? true, (0..<rows.inSize).contains(y) else {
                    continue
                }
                for j in 0..<columns.taps {
                    let x = column * columns.stride + j * columns.dilation - columns.padding
                    guard (0..<columns.inSize).contains(x) else { continue }
                    let value = Int(image[(y * columns.inSize + x) * channels + channel])
                    let index = (filter * channels * rows.taps + position) * columns.taps + j
                    sum += Double(value - Int(input.zero)) * Double(weights[index])
                }
            }
        }
        return sum * Double(input.scale) * Double(weightScales[filter])
    }

    var description: String {
        "\(channels) -> \(filters), rows \(rows), columns \(columns), kept "
            + "\(kept.map { "\($0.map(\.count))" } ?? "all")"
    }
}
