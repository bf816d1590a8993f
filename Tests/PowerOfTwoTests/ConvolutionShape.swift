import PowerOfTwo

/// Sizes and masks of a convolution at kept positions at random.
struct ConvolutionShape {
    let filters: Int
    let channels: Int
    let groups: Int
    let threads: Int
    let rows: PackedConvolution.Axis
    let columns: PackedConvolution.Axis
    let kept: [[Int]]?

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
        groups = pick([1, 1, 1, 2, 3, 8])
        threads = pick([1, 1, 2, 3])
        filters =
            groups
            * (groups > 1
                ? pick([1, 4, 11, 32, 40])
                : pick([1, 5, 16, 17, 31, 32, 33, 64, 70, 180]))
        channels =
            groups
            * (groups > 1
                ? pick([1, 2, 5, 16, 33])
                : pick([1, 2, 3, 4, 15, 16, 17, 32, 63, 64, 65, 100, 128, 130, 200]))
        let positions = channels * rows.taps
        let density = pick([0, 0.1, 0.2, 0.5, 0.9, 1])
        if random.next() % 6 == 0 {
            kept = nil
        } else {
            // Now and then a group that keeps a single position.
            kept = (0..<(filters + 31) / 32).map { _ in
                random.next() % 8 == 0
                    ? [Int(random.next() % UInt64(positions))]
                    : (0..<positions).filter { _ in random.signed() < 2 * density - 1 }
            }
        }
    }

    var inputCount: Int { rows.inSize * columns.inSize * channels }
    var outputCount: Int { rows.outSize * columns.outSize * filters }
    var weightCount: Int { filters * channels / groups * rows.taps * columns.taps }

    /// Calls `body` with the indexes of the values and weights whose products an output is the sum
    /// of, in the order of the weights, those outside the image left out.
    func forEachProduct(ofOutput at: Int, _ body: (_ value: Int, _ weight: Int) -> Void) {
        let filter = at % filters
        let (row, column) = (
            at / filters / columns.outSize, at / filters % columns.outSize
        )
        let mask = kept.map { Set($0[filter / 32]) }
        let seen = channels / groups
        let firstChannel = filter / (filters / groups) * seen
        for channel in firstChannel..<firstChannel + seen {
            for i in 0..<rows.taps {
                let position = channel * rows.taps + i
                let y = row * rows.stride + i * rows.dilation - rows.padding
                guard mask?.contains(position) ?? true, (0..<rows.inSize).contains(y) else {
                    continue
                }
                for j in 0..<columns.taps {
                    let x = column * columns.stride + j * columns.dilation - columns.padding
                    guard (0..<columns.inSize).contains(x) else { continue }
                    body(
                        (y * columns.inSize + x) * channels + channel,
                        (filter * seen * rows.taps + position - firstChannel * rows.taps)
                            * columns.taps + j)
                }
            }
        }
    }

    var description: String {
        "\(channels) -> \(filters) in \(groups), rows \(rows), columns \(columns), kept "
            + "\(kept.map { "\($0.map(\.count))" } ?? "all")"
    }
}
