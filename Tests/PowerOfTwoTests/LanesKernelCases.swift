import PowerOfTwo
import Testing

/// Convolutions in batch lanes against the scalar kernels: within the bound that the C header
/// states, and no write elsewhere.
extension KernelCases {
    private static let lanes = LanesPass.lanes

    /// An axis as no convolution has it: everything at random.
    private mutating func axis(counts: [Int], taps: Int) -> LanesPass.Axis {
        let count = pick(counts)
        let outStep = pick([1, 1, 2, 3])
        let outFirst = pick([0, 0, 1])
        var axis = LanesPass.Axis(
            inSize: pick([1, 2, 5, 9, 14, 20]),
            outSize: outFirst + (count - 1) * outStep + 1 + pick([0, 2]), count: count,
            inFirst: pick([-3, -1, -1, 0, 2, 25]), taps: taps)
        axis.outFirst = outFirst
        axis.outStep = outStep
        axis.inStep = pick([1, 1, 2, 3])
        axis.tapStep = pick([1, 1, 2])
        axis.tile = pick([1, 3, 8, 14, 16, 40])
        return axis
    }

    private mutating func pick(_ values: [Int]) -> Int {
        values[Int(random.next() % UInt64(values.count))]
    }

    private mutating func pass() -> LanesPass {
        var pass = LanesPass(
            inChannels: pick([1, 2, 3, 7]), outChannels: pick([1, 3, 4, 9]),
            rows: axis(counts: [1, 2, 5], taps: pick([1, 2, 3])),
            columns: axis(
                counts: [1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 16, 17, 28, 32], taps: pick([1, 2, 3, 5])))
        pass.chunk = pick([1, 2, 7])
        return pass
    }

    /// Some of the rows of taps of the channels in a range.
    private mutating func rows(_ pass: LanesPass, _ channels: Range<Int>) -> [UInt32] {
        channels.flatMap { channel in
            (0..<pass.rows.taps).filter { _ in random.next() % 3 > 0 }
                .map { LanesPass.row(channel: channel, tap: $0) }
        }
    }

    /// Part of the rows, most often all.
    private mutating func band(_ pass: LanesPass) -> Range<Int> {
        let count = pass.rows.count
        return count > 2 && random.next() % 3 == 0 ? 1..<(count - 1) : 0..<count
    }

    private func expectClose(
        _ found: Output<Float>, _ expected: Output<Float>, magnitudes: Output<Float>, products: Int,
        _ what: @autoclosure () -> String
    ) {
        let bound = Float(products) * 0x1p-23
        for index in 0..<found.count {
            let error = abs(found.pointer[index] - expected.pointer[index])
            if !(error <= bound * magnitudes.pointer[index]) {
                Issue.record("\(error) from scalar at \(index), \(what())")
                break
            }
        }
        if !found.guardsAreIntact { Issue.record("wrote outside its buffer, \(what())") }
    }

    mutating func lanesCorrelate() {
        for round in 0..<400 {
            let pass = pass()
            let (taps, lanes) = (pass.columns.taps, Self.lanes)
            var starts: [UInt32] = [0]
            var entries: [Float] = []
            for first in stride(from: 0, to: pass.inChannels, by: pass.chunk) {
                for _ in 0..<pass.outChannels {
                    let end = min(first + pass.chunk, pass.inChannels)
                    for row in rows(pass, first..<end) {
                        entries += [Float(bitPattern: row)] + random.floats(taps)
                    }
                    starts.append(UInt32(entries.count / (1 + taps)))
                }
            }
            let bias = round % 2 == 0 ? Input(random.floats(pass.outChannels)) : nil
            let values = random.floats(
                pass.inChannels * pass.rows.inSize * pass.columns.inSize * lanes)
            let before = random.floats(
                pass.outChannels * pass.rows.outSize * pass.columns.outSize * lanes)
            let band = band(pass)
            func run(
                _ kernels: ShiftKernels, _ entries: [Float], _ bias: Input<Float>?,
                _ values: [Float], _ before: [Float]
            ) -> Output<Float> {
                let out = Output(before, shift: round % 5)
                let scratch = Output<Float>(pass.scratchCount, shift: round % 3)
                let (starts, entries, values) = (Input(starts), Input(entries), Input(values))
                kernels.lanesCorrelate(
                    pass, rows: band, starts: starts.pointer, entries: entries.pointer,
                    bias: bias?.pointer, input: values.pointer, output: out.pointer,
                    scratch: scratch.pointer)
                if !scratch.guardsAreIntact { Issue.record("wrote outside scratch, \(pass)") }
                return out
            }
            // Magnitudes start from zero: what no kernel may write has to stay as it is.
            let magnitudes = run(
                scalar,
                entries.enumerated().map {
                    $0.offset % (1 + taps) == 0 ? $0.element : abs($0.element)
                },
                bias.map { bias in
                    Input((0..<pass.outChannels).map { abs(bias.pointer[$0]) })
                }, values.map(abs), before.map { _ in 0 })
            expectClose(
                run(kernels, entries, bias, values, before),
                run(scalar, entries, bias, values, before), magnitudes: magnitudes,
                products: 1 + pass.inChannels * pass.rows.taps * taps, "round \(round), \(pass)")
        }
    }

    mutating func lanesWeightGradient() {
        for round in 0..<300 {
            var pass = pass()
            pass.rows.outFirst = 0
            pass.rows.outStep = 1
            pass.columns.outFirst = 0
            pass.columns.outStep = 1
            let lanes = Self.lanes
            let group = pick([1, 2, 4, 9])
            var starts: [UInt32] = [0]
            var kept: [UInt32] = []
            for _ in stride(from: 0, to: pass.outChannels, by: group) {
                kept += rows(pass, 0..<pass.inChannels)
                starts.append(UInt32(kept.count))
            }
            let values = random.floats(
                pass.inChannels * pass.rows.inSize * pass.columns.inSize * lanes)
            let gradient = random.floats(
                pass.outChannels * pass.rows.outSize * pass.columns.outSize * lanes)
            let before = random.floats(
                pass.outChannels * pass.inChannels * pass.rows.taps * pass.columns.taps)
            let band = band(pass)
            func run(
                _ kernels: ShiftKernels, _ values: [Float], _ gradient: [Float], _ before: [Float]
            ) -> Output<Float> {
                let out = Output(before, shift: round % 5)
                let scratch = Output<Float>(pass.scratchCount, shift: round % 3)
                let (starts, kept) = (Input(starts), Input(kept))
                let (values, gradient) = (Input(values), Input(gradient))
                kernels.lanesWeightGradient(
                    pass, rows: band, group: group, starts: starts.pointer, kept: kept.pointer,
                    input: values.pointer, gradient: gradient.pointer, weights: out.pointer,
                    scratch: scratch.pointer)
                if !scratch.guardsAreIntact { Issue.record("wrote outside scratch, \(pass)") }
                return out
            }
            let magnitudes = run(
                scalar, values.map(abs), gradient.map(abs), before.map { _ in 0 })
            // Before the first addition nothing is lost; a weight left alone has magnitude zero.
            for index in 0..<before.count where magnitudes.pointer[index] > 0 {
                magnitudes.pointer[index] += abs(before[index])
            }
            expectClose(
                run(kernels, values, gradient, before), run(scalar, values, gradient, before),
                magnitudes: magnitudes,
                products: 1 + band.count * pass.columns.count * lanes, "round \(round), \(pass)")
        }
    }
}
