import PowerOfTwo
import Testing

/// Convolutions against the scalar kernel: the same bits and no write elsewhere.
extension KernelCases {
    mutating func convolve() {
        for round in 0..<250 {
            let test = ConvolutionCase(&random)
            convolve(
                test.packed(), test.shape, image: test.image, residual: test.residual,
                outputBytes: test.output == nil ? 4 : 1, round)
        }
    }

    mutating func convolveFloats() {
        for round in 0..<250 {
            let test = FloatConvolutionCase(&random)
            convolve(
                test.packed(), test.shape, image: test.image, residual: test.residual,
                outputBytes: 4, round)
        }
    }

    private mutating func convolve<Element>(
        _ packed: PackedConvolution, _ shape: ConvolutionShape, image: [Element],
        residual: [Element]?, outputBytes: Int, _ round: Int
    ) {
        // Part of the rows and filters, most often all.
        var rows = 0..<shape.rows.outSize
        var parts = 0..<packed.partCount
        if rows.count > 2, random.next() % 3 == 0 { rows = 1..<rows.count - 1 }
        if parts.count > 1, random.next() % 3 == 0 { parts = 1..<parts.count }
        let outputs = [kernels, scalar].map { kernels in
            let image = Input(image, shift: round % 7)
            let residual = residual.map { Input($0, shift: round % 5) }
            let out = Output<UInt8>(
                shape.outputCount * outputBytes, shift: outputBytes * (round % 3))
            let scratch = Output<UInt8>(packed.scratchBytes, shift: round % 4)
            packed.run(
                rows: rows, parts: parts, input: image.pointer,
                residual: residual.map { UnsafeRawPointer($0.pointer) }, output: out.pointer,
                scratch: scratch.pointer, on: kernels)
            if !scratch.guardsAreIntact {
                Issue.record("wrote outside scratch, \(shape.description)")
            }
            return out
        }
        expectSame(outputs[0], outputs[1], "round \(round), \(shape.description)")
    }
}

@Suite("Convolutions at kept positions")
struct ConvolutionTests {
    @Test("outputs of floats are those of a plain convolution in f64")
    func plainFloats() {
        var random = TestRandom(6)
        for round in 0..<60 {
            let test = FloatConvolutionCase(&random)
            let packed = test.packed()
            let image = Input(test.image)
            let residual = test.residual.map { Input($0) }
            let out = Output<Float>(test.shape.outputCount)
            let scratch = Output<UInt8>(packed.scratchBytes)
            packed.run(
                rows: 0..<test.shape.rows.outSize, input: image.pointer,
                residual: residual.map { UnsafeRawPointer($0.pointer) }, output: out.pointer,
                scratch: scratch.pointer)
            for at in 0..<test.shape.outputCount where at % 7 == round % 7 {
                let (value, magnitude) = test.plain(at)
                if !(abs(Double(out.pointer[at]) - value) <= magnitude * 0x1p-20) {
                    Issue.record(
                        "\(out.pointer[at]), not \(value) at \(at), \(test.shape.description)")
                    break
                }
            }
        }
    }

    @Test("not-a-number stays what it is, between limits too", arguments: InstructionSet.allCases)
    func notANumber(isa: InstructionSet) throws {
        guard let kernels = ShiftKernels(isa) else { return }
        let weights = Input([Float](repeating: 1, count: 33))
        let packed = PackedConvolution(
            filters: 33, channels: 1, rows: .init(inSize: 1, outSize: 1),
            columns: .init(inSize: 2, outSize: 2), weights: weights.pointer, kept: nil,
            bias: Array(repeating: 0, count: 33), range: 0...6)
        let image = Input<Float>([.nan, 9])
        let out = Output<Float>(66)
        let scratch = Output<UInt8>(packed.scratchBytes)
        packed.run(
            rows: 0..<1, input: image.pointer, output: out.pointer, scratch: scratch.pointer,
            on: kernels)
        #expect(out.elements[..<33].allSatisfy { $0.isNaN })
        #expect(out.elements[33...].allSatisfy { $0 == 6 })
    }

    @Test("outputs of integers are those of a plain convolution in f64 with the same scales")
    func plain() {
        var random = TestRandom(5)
        for round in 0..<60 {
            let test = ConvolutionCase(&random)
            guard let largest = test.weightScales.max(), largest < 1 else { continue }
            let packed = test.packed()
            let image = Input(test.image)
            let residual = test.residual.map { Input($0) }
            let floats = Output<Float>(test.shape.outputCount)
            let scratch = Output<UInt8>(packed.scratchBytes)
            packed.run(
                rows: 0..<test.shape.rows.outSize, input: image.pointer,
                residual: residual.map { UnsafeRawPointer($0.pointer) }, output: floats.pointer,
                scratch: scratch.pointer)
            let bytes = UnsafeRawPointer(floats.pointer).assumingMemoryBound(to: UInt8.self)
            for at in 0..<test.shape.outputCount where at % 7 == round % 7 {
                let bias = Double(test.bias[at % test.shape.filters])
                var y = test.plainSum(at)
                let magnitude = abs(y) + abs(bias) + 200
                y += bias
                if let residual = test.residual {
                    let scale = test.residualScale
                    y += Double(scale.scale) * (Double(residual[at]) - Double(scale.zero))
                }
                y = min(max(y, Double(test.range.lowerBound)), Double(test.range.upperBound))
                var found = Double(0)
                var allowed = magnitude * 0x1p-20
                if let output = test.output {
                    let scale = Double(output.scale)
                    y = min(max((y / scale).rounded() + Double(output.zero), 0), 255)
                    found = Double(bytes[at])
                    // A value next to a half may round either way.
                    allowed = 1
                } else {
                    found = Double(floats.pointer[at])
                }
                if !(abs(found - y) <= allowed) {
                    Issue.record("\(found) instead of \(y) at \(at), \(test.shape.description)")
                    break
                }
            }
        }
    }

    @Test("a residual may be the output itself")
    func inPlace() {
        var random = TestRandom(9)
        var checked = 0
        while checked < 5 {
            let test = ConvolutionCase(&random)
            guard let residual = test.residual, test.output != nil else { continue }
            checked += 1
            let packed = test.packed()
            let image = Input(test.image)
            let other = Input(residual)
            let apart = Output<UInt8>(residual.count)
            let same = Output(residual)
            let scratch = Output<UInt8>(packed.scratchBytes)
            let rows = 0..<test.shape.rows.outSize
            packed.run(
                rows: rows, input: image.pointer, residual: other.pointer, output: apart.pointer,
                scratch: scratch.pointer)
            packed.run(
                rows: rows, input: image.pointer, residual: same.pointer, output: same.pointer,
                scratch: scratch.pointer)
            #expect(same.hasBits(of: apart))
        }
    }

    @Test("a mask keeps the kernel rows that hold any weight it keeps", arguments: [1, 2, 3, 6])
    func keptRows(unit: Int) throws {
        let geometry = try WeightGeometry(
            shape: [33, 4, 3, 3], unit: unit, width: 3, nibbles: 3, rowsPerSlice: 4096,
            filtersPerBasis: 32, layout: .full)
        var random = TestRandom(UInt64(unit))
        var bytes = random.bytes(2 * geometry.groupMaskStride).map { $0 & 0x5D }
        bytes[0] = 0
        let masks = [0, 1].map { group in
            BitMask(
                count: geometry.positionCount,
                bytes: bytes[
                    group * geometry.groupMaskStride..<(group + 1)
                        * geometry.groupMaskStride])
        }
        let filters = [32, 1]
        let symbols = zip(masks, filters).reduce(0) { sum, group in
            let layout = RowLayout(geometry, mask: group.0)
            let bytes = layout.rowsOfSlice.reduce(0) { $0 + geometry.symbolBytes(rows: $1) }
            return sum + bytes * group.1
        }
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: try Alphabet(name: "signs", symbols: [[0], [1], [-1]]),
            symbols: [UInt8](repeating: 0, count: symbols), rowMask: nil, groupMask: bytes,
            basis: .float32(
                [Float](repeating: 1, count: geometry.basisCount * 3 * 3)), scales: nil)
        let found = try #require(weight.keptKernelRows(kernelWidth: 3))
        for (group, rows) in found.enumerated() {
            #expect(
                rows
                    == (0..<12).filter { row in
                        (row * 3..<row * 3 + 3).contains { masks[group][$0 / unit] }
                    })
        }
    }
}
