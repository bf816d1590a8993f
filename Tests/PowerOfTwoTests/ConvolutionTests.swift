import PowerOfTwo
import Testing

/// The convolution of integers against the scalar kernel: the same bits and no write elsewhere.
extension KernelCases {
    mutating func convolve() {
        for round in 0..<250 {
            let test = ConvolutionCase(&random)
            let packed = test.packed()
            // Part of the rows and groups, most often all.
            var rows = 0..<test.rows.outSize
            var groups = 0..<packed.groupCount
            if rows.count > 2, random.next() % 3 == 0 { rows = 1..<rows.count - 1 }
            if groups.count > 1, random.next() % 3 == 0 { groups = 1..<groups.count }
            let elements = test.output == nil ? 4 : 1
            let outputs = [kernels, scalar].map { kernels in
                let image = Input(test.image, shift: round % 7)
                let residual = test.residual.map { Input($0, shift: round % 5) }
                let out = Output<UInt8>(
                    test.outputCount * elements, shift: elements * (round % 3))
                let scratch = Output<UInt8>(packed.scratchBytes, shift: round % 4)
                packed.run(
                    rows: rows, groups: groups, input: image.pointer, residual: residual?.pointer,
                    output: out.pointer, scratch: scratch.pointer, on: kernels)
                if !scratch.guardsAreIntact {
                    Issue.record("wrote outside scratch, \(test.description)")
                }
                return out
            }
            expectSame(outputs[0], outputs[1], "round \(round), \(test.description)")
        }
    }
}

@Suite("Convolutions of integers")
struct ConvolutionTests {
    @Test("outputs are those of a plain convolution in f64 with the same scales")
    func plain() {
        var random = TestRandom(5)
        for round in 0..<60 {
            let test = ConvolutionCase(&random)
            guard let largest = test.weightScales.max(), largest < 1 else { continue }
            let packed = test.packed()
            let image = Input(test.image)
            let residual = test.residual.map { Input($0) }
            let floats = Output<Float>(test.outputCount)
            let scratch = Output<UInt8>(packed.scratchBytes)
            packed.run(
                rows: 0..<test.rows.outSize, input: image.pointer, residual: residual?.pointer,
                output: floats.pointer, scratch: scratch.pointer)
            let bytes = UnsafeRawPointer(floats.pointer).assumingMemoryBound(to: UInt8.self)
            for at in 0..<test.outputCount where at % 7 == round % 7 {
                let filter = at % test.filters
                let pixel = at / test.filters
                var y = test.plainSum(
                    row: pixel / test.columns.outSize, column: pixel % test.columns.outSize,
                    filter: filter)
                let magnitude = abs(y) + abs(Double(test.bias[filter])) + 200
                y += Double(test.bias[filter])
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
                    Issue.record("\(found) instead of \(y) at \(at), \(test.description)")
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
            let rows = 0..<test.rows.outSize
            packed.run(
                rows: rows, input: image.pointer, residual: other.pointer, output: apart.pointer,
                scratch: scratch.pointer)
            packed.run(
                rows: rows, input: image.pointer, residual: same.pointer, output: same.pointer,
                scratch: scratch.pointer)
            #expect(same.hasBits(of: apart))
        }
    }

    @Test("weights are rounded to 127ths of the largest of their filter")
    func quantisation() {
        let weights: [Float] = [0, 1, -2, 0.5, 0, 0, 0, 0, 127, -127, 2.5, 0.1]
        let found = weights.withUnsafeBufferPointer { QuantisedFilters($0, filters: 3) }
        #expect(found.values == [0, 64, -127, 32, 0, 0, 0, 0, 127, -127, 2, 0])
        #expect(found.scales == [2 / 127, 1, 1])
    }
}
