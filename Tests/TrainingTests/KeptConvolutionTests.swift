import PowerOfTwo
import Testing

@testable import Training

@Suite("Convolution over kept rows") struct KeptConvolutionTests {
    @Test(
        "forward and both gradients are those of plain loops over the kept rows",
        arguments: InstructionSet.allCases)
    func plainLoops(isa: InstructionSet) throws {
        guard let kernels = ShiftKernels(isa) else {
            try Test.cancel("\(isa.rawValue) cannot run here")
        }
        for seed in 1...60 {
            var random = SeededRandom(UInt64(seed))
            check(Case(&random), kernels, &random, "seed \(seed)")
        }
    }

    @Test("the layers of a residual network, tiles and bands included")
    func residualLayers() {
        for (index, layer) in [(16, 28, 16, 3, 1), (16, 28, 40, 3, 2), (32, 14, 64, 1, 2)]
            .enumerated()
        {
            var random = SeededRandom(UInt64(100 + index))
            var it = Case(&random)
            it.batch = 16
            it.threads = 2
            it.channels = layer.0
            it.size = [layer.1, layer.1]
            it.filters = layer.2
            it.kernel = [layer.3, layer.3]
            it.strides = [layer.4, layer.4]
            it.dilations = [1, 1]
            it.begin = [layer.3 / 2, layer.3 / 2]
            it.end = it.begin
            it.setKept(&random)
            check(it, .selected, &random, "layer \(layer)")
        }
    }

    @Test("the same threads give the same bits")
    func determinism() {
        var random = SeededRandom(7)
        var it = Case(&random)
        it.batch = 48
        it.threads = 2
        it.setKept(&random)
        let convolution = it.convolution(.selected)
        let x = random.floats(48 * it.inputCount)
        let dy = random.floats(48 * convolution.outputShape.reduce(1, *))
        let found = (0..<4).map { _ in
            var dw = [Float](repeating: .nan, count: it.weightCount)
            withScratch(convolution) {
                convolution.backwardWeights(x: x, dy: dy, dw: &dw, dBias: nil, scratch: $0)
            }
            return dw
        }
        #expect(found.allSatisfy { $0 == found[0] })
    }

    private func withScratch(
        _ convolution: KeptConvolution, _ body: (UnsafeMutableRawPointer) -> Void
    ) {
        let scratch = UnsafeMutableRawPointer.allocate(
            byteCount: convolution.scratchByteCount, alignment: 16)
        defer { scratch.deallocate() }
        body(scratch)
    }

    /// Compares all three operations with loops in double precision, to 1e-5 of the sum of the
    /// magnitudes of what they add.
    private func check(
        _ it: Case, _ kernels: ShiftKernels, _ random: inout SeededRandom, _ what: String
    ) {
        let convolution = it.convolution(kernels)
        let outputShape = convolution.outputShape
        let outputCount = outputShape.reduce(1, *)
        let x = random.floats(it.batch * it.inputCount)
        let dy = random.floats(it.batch * outputCount)
        let weights = random.floats(it.weightCount)
        let bias = random.floats(it.filters)
        var y = [Float](repeating: .nan, count: dy.count)
        var dx = [Float](repeating: .nan, count: x.count)
        var dw = [Float](repeating: .nan, count: it.weightCount)
        var dBias = [Float](repeating: .nan, count: it.filters)
        withScratch(convolution) { scratch in
            convolution.forward(x: x, weights: weights, bias: bias, y: &y, scratch: scratch)
            convolution.backwardData(dy: dy, weights: weights, dx: &dx, scratch: scratch)
            convolution.backwardWeights(x: x, dy: dy, dw: &dw, dBias: &dBias, scratch: scratch)
        }

        var exactY = Sums(y.count)
        var exactX = Sums(x.count)
        var exactW = Sums(dw.count)
        var exactBias = Sums(it.filters)
        let plane = outputShape[1] * outputShape[2]
        for block in 0..<(it.batch / 16) {
            for f in 0..<it.filters {
                for at in 0..<(plane * 16) {
                    let to = block * outputCount * 16 + f * plane * 16 + at
                    exactY.add(to, Double(bias[f]))
                    exactBias.add(f, Double(dy[to]))
                }
            }
        }
        it.forEachProduct(outputShape) { w, from, to in
            for block in 0..<(it.batch / 16) {
                for lane in 0..<16 {
                    let input = (block * it.inputCount + from) * 16 + lane
                    let output = (block * outputCount + to) * 16 + lane
                    exactY.add(output, Double(weights[w]) * Double(x[input]))
                    exactX.add(input, Double(weights[w]) * Double(dy[output]))
                    exactW.add(w, Double(x[input]) * Double(dy[output]))
                }
            }
        }
        exactY.expect(y, "y, \(what), \(it)")
        exactX.expect(dx, "dx, \(what), \(it)")
        exactW.expect(dw, "dw, \(what), \(it)")
        exactBias.expect(dBias, "dBias, \(what), \(it)")
    }
}

/// Sums in double precision with the sums of their magnitudes.
private struct Sums {
    private var sums: [Double]
    private var magnitudes: [Double]

    init(_ count: Int) {
        sums = Array(repeating: 0, count: count)
        magnitudes = sums
    }

    mutating func add(_ index: Int, _ value: Double) {
        sums[index] += value
        magnitudes[index] += abs(value)
    }

    func expect(_ found: [Float], _ what: String) {
        for index in 0..<found.count {
            let error = abs(Double(found[index]) - sums[index])
            guard error <= 1e-5 * magnitudes[index] else {
                Issue.record("\(found[index]) instead of \(sums[index]) at \(index) of \(what)")
                return
            }
        }
    }
}

/// A convolution at random.
private struct Case {
    var batch: Int
    var channels: Int
    var size: [Int]
    var filters: Int
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    var begin: [Int]
    var end: [Int]
    var threads: Int
    var kept: KeptPositions?

    init(_ random: inout SeededRandom) {
        batch = random.pick([16, 16, 32, 48])
        channels = random.pick([1, 2, 3, 5])
        size = [random.pick([3, 4, 7, 9]), random.pick([3, 5, 7, 8, 14, 17])]
        filters = random.pick([1, 4, 7, 32, 35])
        if random.next() % 3 == 0 {
            kernel = [1, 1]
        } else {
            kernel = [random.pick([1, 2, 3]), random.pick([2, 3, 3, 3, 4])]
        }
        strides = [random.pick([1, 1, 2, 3]), random.pick([1, 1, 2, 3])]
        dilations = [random.pick([1, 1, 2]), random.pick([1, 1, 2])]
        begin = [random.pick([0, 1, 2]), random.pick([0, 1, 3])]
        end = [random.pick([0, 1, 2]), random.pick([0, 1, 2])]
        threads = random.pick([1, 2])
        // A kernel never reaches over the whole padded plane here.
        for axis in 0..<2 where (kernel[axis] - 1) * dilations[axis] >= size[axis] {
            dilations[axis] = 1
            kernel[axis] = min(kernel[axis], size[axis])
        }
        if random.next() % 4 > 0 { setKept(&random) }
    }

    mutating func setKept(_ random: inout SeededRandom) {
        let positions = channels * kernel[0]
        let groups = (0..<((filters + 31) / 32)).map { _ in
            (0..<positions).filter { _ in random.next() % 2 == 0 }
        }
        kept = KeptPositions(unit: kernel[1], groups: groups)
    }

    var inputCount: Int { channels * size[0] * size[1] }
    var weightCount: Int { filters * channels * kernel[0] * kernel[1] }

    func convolution(_ kernels: ShiftKernels) -> KeptConvolution {
        KeptConvolution(
            batch: batch, inputShape: [channels] + size,
            weightShape: [filters, channels] + kernel, strides: strides, dilations: dilations,
            paddingBegin: begin, paddingEnd: end, kept: kept, threads: threads, kernels: kernels)
    }

    /// Every kept weight with every pixel that it takes from and gives to, by their indexes.
    func forEachProduct(
        _ outputShape: [Int], _ body: (_ weight: Int, _ from: Int, _ to: Int) -> Void
    ) {
        for f in 0..<filters {
            for position in kept?.groups[f / 32] ?? Array(0..<(channels * kernel[0])) {
                let (c, ky) = (position / kernel[0], position % kernel[0])
                for kx in 0..<kernel[1] {
                    let weight = ((f * channels + c) * kernel[0] + ky) * kernel[1] + kx
                    for oy in 0..<outputShape[1] {
                        let y = oy * strides[0] + ky * dilations[0] - begin[0]
                        guard (0..<size[0]).contains(y) else { continue }
                        for ox in 0..<outputShape[2] {
                            let x = ox * strides[1] + kx * dilations[1] - begin[1]
                            guard (0..<size[1]).contains(x) else { continue }
                            body(
                                weight, (c * size[0] + y) * size[1] + x,
                                (f * outputShape[1] + oy) * outputShape[2] + ox)
                        }
                    }
                }
            }
        }
    }
}

/// A small seeded generator (SplitMix64).
private struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func pick(_ values: [Int]) -> Int { values[Int(next() % UInt64(values.count))] }

    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int32(truncatingIfNeeded: next())) * 0x1p-31 }
    }
}
