import ModelFiles
import Testing

@Suite("Weight conversion")
struct WeightConversionTests {
    private func floats<Bits: FixedWidthInteger>(_ bits: [Bits], as type: ElementType) -> [Float] {
        bits.withUnsafeBytes { WeightConversion.floats(from: $0, as: type) }
    }

    private func bits16(_ values: [Float], as type: ElementType) -> [UInt16] {
        let bytes = WeightConversion.bytes(from: values, as: type)
        return stride(from: 0, to: bytes.count, by: 2).map {
            UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
        }
    }

    @Test("F16 of known values, by the tables of IEEE 754")
    func knownHalves() {
        let table: [(UInt16, Float)] = [
            (0x0000, 0), (0x3C00, 1), (0xBC00, -1), (0xC000, -2), (0x7BFF, 65504),
            (0x3555, 0.333251953125),
            (0x0001, 0x1p-24), (0x03FF, 0x1.ff8p-15), (0x0400, 0x1p-14), (0x7C00, .infinity),
            (0xFC00, -.infinity),
        ]
        #expect(floats(table.map(\.0), as: .f16) == table.map(\.1))
        #expect(bits16(table.map(\.1), as: .f16) == table.map(\.0))
        #expect(floats([0x8000 as UInt16], as: .f16)[0].bitPattern == 0x8000_0000)
        #expect(bits16([-0.0], as: .f16) == [0x8000])
    }

    @Test("F16 rounds to nearest even, overflows to infinity and underflows to zero")
    func halfRounding() {
        let table: [(Float, UInt16)] = [
            (65519.996, 0x7BFF), (65520, 0x7C00), (65536, 0x7C00), (1e30, 0x7C00), (-65520, 0xFC00),
            (.greatestFiniteMagnitude, 0x7C00), (0x1p-25, 0), (0x1.000002p-25, 1), (0x1.8p-24, 2),
            (0x1.4p-23, 2),
            (-0x1p-26, 0x8000), (.leastNonzeroMagnitude, 0), (.leastNormalMagnitude, 0),
            (1 + 0x1p-11, 0x3C00), (1 + 0x3p-11, 0x3C02), (1 + 0x1.002p-11, 0x3C01),
            (0x1.ffep-15, 0x0400),
            (0x1.ffcp-15, 0x0400), (0x1.ffbp-15, 0x03FF),
        ]
        for (value, expected) in table {
            #expect(bits16([value], as: .f16) == [expected], "\(value)")
        }
    }

    @Test("BF16 of known values, with rounding to nearest even")
    func knownBrains() {
        let table: [(Float, UInt16)] = [
            (0, 0), (-0.0, 0x8000), (1, 0x3F80), (-2, 0xC000), (3.140625, 0x4049),
            (.infinity, 0x7F80),
            (-.infinity, 0xFF80), (1 + 0x1p-8, 0x3F80), (1 + 0x3p-8, 0x3F82),
            (1 + 0x1.01p-8, 0x3F81),
            (.greatestFiniteMagnitude, 0x7F80), (0x1.fep127, 0x7F7F), (0x1.fefffep127, 0x7F7F),
            (0x1.ffp127, 0x7F80), (0x1p-133, 1), (0x1p-134, 0), (0x1.8p-133, 2),
            (.leastNonzeroMagnitude, 0),
        ]
        for (value, expected) in table {
            #expect(bits16([value], as: .bf16) == [expected], "\(value)")
        }
    }

    @Test(
        "all 65536 bit patterns survive the way to Float and back",
        arguments: [ElementType.f16, .bf16])
    func exhaustiveRoundTrip(type: ElementType) {
        let all = [UInt16](0...UInt16.max)
        #expect(bits16(floats(all, as: type), as: type) == all)
    }

    @Test("all 65536 patterns of BF16 are the upper half of a Float")
    func exhaustiveBrains() {
        let all = [UInt16](0...UInt16.max)
        #expect(floats(all, as: .bf16).map(\.bitPattern) == all.map { UInt32($0) << 16 })
    }

    @Test("BF16 is the nearest by distance, on random numbers and on every tie")
    func brainsByDistance() {
        var random = SplitMix64(seed: 11)
        var patterns = (0..<200_000).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        for high in 0..<(0x7F80 as UInt32) {
            patterns += [high << 16 | 0x7FFF, high << 16 | 0x8000, high << 16 | 0x8001]
        }
        let values = patterns.map { Float(bitPattern: $0) }
        let actual = bits16(values, as: .bf16)
        for (value, result) in zip(values, actual) where value.isFinite {
            let low = UInt16(truncatingIfNeeded: value.magnitude.bitPattern >> 16)
            // In Double the number after the largest is 2^128, where a single is infinite.
            func number(_ bits: UInt16) -> Double {
                bits == 0x7F80 ? 0x1p128 : Double(Float(bitPattern: UInt32(bits) << 16))
            }
            let below = Double(value.magnitude) - number(low)
            let above = number(low + 1) - Double(value.magnitude)
            let nearest = below < above || (below == above && low % 2 == 0) ? low : low + 1
            let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
            if result != nearest | sign { Issue.record("\(value.bitPattern): \(result)") }
        }
    }

    #if !(os(macOS) && arch(x86_64))
        @Test("all 65536 patterns of F16 are what Swift's Float16 says")
        func exhaustiveHalves() {
            let all = [UInt16](0...UInt16.max)
            for (bits, value) in zip(all, floats(all, as: .f16)) {
                let expected = Float(Float16(bitPattern: bits))
                if expected.isNaN ? !value.isNaN : value.bitPattern != expected.bitPattern {
                    Issue.record("\(bits): \(value)")
                }
            }
        }

        @Test("F16 is what Swift's Float16 says, on random numbers and around every tie")
        func halvesByFloat16() {
            var random = SplitMix64(seed: 12)
            var values = (0..<200_000).map { _ in
                Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            }
            for bits in 0..<(0x7C00 as UInt16) {
                let (low, high) = (
                    Float(Float16(bitPattern: bits)), Float(Float16(bitPattern: bits + 1))
                )
                let middle = high.isFinite ? (low + high) / 2 : 65520
                values += [
                    middle, middle.nextUp, middle.nextDown, -middle, low.nextUp, low.nextDown,
                ]
            }
            for (value, bits) in zip(values, bits16(values, as: .f16)) {
                let expected = Float16(value)
                if expected.isNaN
                    ? !Float16(bitPattern: bits).isNaN : bits != expected.bitPattern
                {
                    Issue.record("\(value.bitPattern): \(bits)")
                }
            }
        }
    #endif

    @Test("a NaN stays a NaN and keeps its sign", arguments: [ElementType.f16, .bf16])
    func notANumber(type: ElementType) {
        for bits in [0x7FC0_0000, 0x7F80_0001, 0xFF80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32] {
            let back = floats(bits16([Float(bitPattern: bits)], as: type), as: type)[0]
            #expect(back.isNaN)
            #expect(back.bitPattern >> 31 == bits >> 31)
        }
    }

    @Test("F32 is copied to the bit")
    func singles() {
        let patterns: [UInt32] = [0, 0x8000_0000, 1, 0x7F80_0001, 0xFFFF_FFFF, 0x3F80_0000]
        let values = floats(patterns, as: .f32)
        #expect(values.map(\.bitPattern) == patterns)
        #expect(
            WeightConversion.bytes(from: values, as: .f32) == patterns.withUnsafeBytes { Array($0) }
        )
    }

    @Test("any alignment and any length will do", arguments: [ElementType.f32, .f16, .bf16])
    func alignment(type: ElementType) {
        let size = type.bitCount / 8
        for count in [0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 100] {
            let values = (0..<count).map { Float($0) - 4.5 }
            let bytes = WeightConversion.bytes(from: values, as: type)
            #expect(bytes.count == count * size)
            for shift in 0..<8 {
                let shifted = [UInt8](repeating: 0xFF, count: shift) + bytes
                let back = shifted.withUnsafeBytes {
                    WeightConversion.floats(
                        from: UnsafeRawBufferPointer(rebasing: $0[shift...]), as: type)
                }
                #expect(back == values)
            }
        }
        #expect(WeightConversion.floats(from: .init(start: nil, count: 0), as: type).isEmpty)
    }

    @Test("the first number that is not finite is found wherever it is")
    func firstNonFinite() {
        #expect(WeightConversion.firstNonFinite(in: []) == nil)
        for count in [1, 1023, 1024, 1025, 5000] {
            var values = [Float](repeating: -.greatestFiniteMagnitude, count: count)
            values[count / 2] = .leastNonzeroMagnitude
            #expect(WeightConversion.firstNonFinite(in: values) == nil)
            for bad in [Float.nan, .infinity, -.infinity, Float(bitPattern: 0xFF80_0001)] {
                for index in Set([0, count / 2, count - 1]) {
                    var broken = values
                    broken[index] = bad
                    broken[count - 1] = bad
                    #expect(WeightConversion.firstNonFinite(in: broken) == index)
                }
            }
        }
    }
}
