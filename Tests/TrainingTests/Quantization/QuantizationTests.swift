import DenseMath
import Foundation
import Testing

@testable import Training

@Suite("Training in few bits")
struct QuantizationTests {
    /// Normal numbers about `center`.
    private func numbers(_ count: Int, seed: UInt64, center: Double = 0) -> [Float] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in Float(center + generator.nextNormal()) }
    }

    /// The elements of samples `[samples, elements]` in lanes, or back.
    private func inLanes(_ x: [Float], _ layout: SampleLayout, back: Bool = false) -> [Float] {
        var result = x
        for sample in 0..<layout.samples {
            for element in 0..<layout.elements {
                let plain = sample * layout.elements + element
                let lane =
                    sample / layout.lanes * layout.blockCount + element * layout.lanes
                    + sample % layout.lanes
                if back { result[plain] = x[lane] } else { result[lane] = x[plain] }
            }
        }
        return result
    }

    /// One value to the nearest of 2^bits levels.
    private func rounded(_ x: Float, _ low: Float, _ high: Float, bits: Int) -> Float {
        let step = (high - low) / Float((1 << bits) - 1)
        guard step > 0 else { return x }
        let level = max(0, min((x - low) / step, Float((1 << bits) - 1)))
        return level.rounded(.toNearestOrEven) * step + low
    }

    private let layouts = [
        SampleLayout(samples: 1, elements: 1), SampleLayout(samples: 5, elements: 7),
        SampleLayout(samples: 3, elements: 40_001),
        SampleLayout(samples: 32, elements: 13, lanes: 16),
        SampleLayout(samples: 64, elements: 1030, lanes: 16),
        SampleLayout(samples: 19, elements: 6, lanes: 19),
    ]

    @Test("values are rounded between the mean minimum and the mean maximum of the images")
    func activations() {
        for (index, layout) in layouts.enumerated() {
            let plain = numbers(layout.count, seed: UInt64(index), center: 0.5)
            let samples = (0..<layout.samples).map {
                plain[($0 * layout.elements)..<(($0 + 1) * layout.elements)]
            }
            let count = Double(layout.samples)
            let low = Float(samples.reduce(0.0) { $0 + Double($1.min() ?? 0) } / count)
            let high = Float(samples.reduce(0.0) { $0 + Double($1.max() ?? 0) } / count)
            for bits in [2, 5, 8] {
                for threads in [1, 2] {
                    let quantizer = FakeQuantizer(
                        Quantization(activationBits: bits), threads: threads)
                    let range = ActivationRange()
                    var x = inLanes(plain, layout)
                    x.withUnsafeMutableBufferPointer { x in
                        if let start = x.baseAddress {
                            quantizer.quantiseActivations(start, layout, range, into: start)
                        }
                    }
                    #expect(range.range == ValueRange(low, high))
                    #expect(
                        inLanes(x, layout, back: true)
                            == plain.map { rounded($0, low, high, bits: bits) },
                        "\(layout), \(bits) bits, \(threads) threads")
                }
            }
        }
    }

    @Test("each filter of a weight has the range of its own, a constant one stays")
    func weights() {
        for (index, layout) in layouts.enumerated() {
            var plain = numbers(layout.count, seed: UInt64(100 + index))
            let constant = layout.samples / 2 * layout.elements
            for i in constant..<(constant + layout.elements) { plain[i] = 0 }
            let expected = (0..<layout.samples).flatMap { sample -> [Float] in
                let filter = plain[(sample * layout.elements)..<((sample + 1) * layout.elements)]
                return filter.map {
                    rounded($0, filter.min() ?? 0, filter.max() ?? 0, bits: 6)
                }
            }
            let weight = inLanes(plain, layout)
            for threads in [1, 2] {
                var found = [Float](repeating: .nan, count: layout.count)
                found.withUnsafeMutableBufferPointer { found in
                    if let start = found.baseAddress {
                        FakeQuantizer(Quantization(weightBits: 6), threads: threads)
                            .quantiseWeights(weight, filters: layout, into: start)
                    }
                }
                #expect(inLanes(found, layout, back: true) == expected, "\(layout)")
            }
        }
    }

    private func gradient(
        _ x: [Float], _ layout: SampleLayout, bits: Int = 4, seed: UInt64 = 1, step: Int = 0,
        node: Int = 0, threads: Int = 1
    ) -> [Float] {
        var out = [Float](repeating: .nan, count: x.count)
        out.withUnsafeMutableBufferPointer { out in
            if let start = out.baseAddress {
                FakeQuantizer(Quantization(gradientBits: bits, seed: seed), threads: threads)
                    .quantiseGradient(x, layout, step: step, node: node, into: start)
            }
        }
        return out
    }

    @Test("gradients go to one of the two levels around them, in the range of the batch")
    func neighbours() throws {
        let layout = SampleLayout(samples: 3, elements: 40_001)
        let x = numbers(layout.count, seed: 8)
        let (low, high) = (try #require(x.min()), try #require(x.max()))
        let step = (high - low) / 15
        for (value, level) in zip(x, gradient(x, layout)) {
            let index = (level - low) / step
            guard abs(value - level) < step * 1.0001, abs(index - index.rounded()) < 1e-4 else {
                Issue.record("\(value) became \(level), levels are \(step) apart from \(low) on")
                return
            }
        }
    }

    @Test("rounding by chance does not move the mean")
    func unbiased() {
        // The same values many times over; the first and the last of 16 levels are 0 and 15.
        let values: [Float] = [0, 15, 0.01, 1.25, 3.5, 7.77, 14.99, 2]
        let rounds = 40_000
        let layout = SampleLayout(samples: rounds, elements: values.count)
        let x = (0..<rounds).flatMap { _ in values }
        for seed: UInt64 in 0..<3 {
            let out = gradient(x, layout, seed: seed, step: 3, node: 7)
            for (index, value) in values.enumerated() {
                let mean =
                    (0..<rounds).reduce(0.0) { $0 + Double(out[$1 * values.count + index]) }
                    / Double(rounds)
                // The deviation of a mean is at most 1 / (2 sqrt(rounds)) = 0.0025.
                #expect(abs(mean - Double(value)) < 0.0125, "value \(value), seed \(seed)")
            }
        }
    }

    @Test("chance depends on seed, step, node and element, and on nothing else")
    func chance() {
        let layout = SampleLayout(samples: 32, elements: 4099, lanes: 16)
        let x = numbers(layout.count, seed: 9)
        let first = gradient(x, layout)
        #expect(gradient(x, layout, threads: 2) == first)
        let others = [
            gradient(x, layout, seed: 2), gradient(x, layout, step: 1),
            gradient(x, layout, node: 1), gradient(x, layout, step: 1, node: 1),
        ]
        for (index, other) in others.enumerated() {
            #expect(other != first)
            for later in others[(index + 1)...] { #expect(other != later) }
        }
        // Neighbours are independent: ups and downs of a value in the middle change half the time.
        let middle = [Float](repeating: 0.5, count: 100_000) + [0, 15]
        let ups = gradient(middle, SampleLayout(samples: 1, elements: middle.count)).dropLast(2)
        let changes = zip(ups, ups.dropFirst()).count { $0 != $1 }
        #expect(abs(changes - 50_000) < 800, "\(changes) changes")
    }

    @Test("a running range moves by the momentum, and goes on from its state")
    func running() throws {
        let range = ActivationRange()
        #expect(range.state() == .float32([]))
        range.move(to: ValueRange(-1, 3), momentum: 0.25)
        #expect(range.range == ValueRange(-1, 3))
        range.move(to: ValueRange(-5, 7), momentum: 0.25)
        #expect(range.range == ValueRange(-4, 6))
        let copy = ActivationRange()
        try copy.restore(range.state())
        #expect(copy.range == range.range)
        try copy.restore(.float32([]))
        #expect(copy.range == nil)
        let damaged: [StateArray] = [
            .float32([1]), .float32([2, 1]), .float32([.nan, 1]), .int64([0, 1]),
        ]
        for state in damaged {
            #expect(throws: TrainingError.self) { try copy.restore(state) }
        }
    }

    @Test("bits and momentum out of range are refused by name")
    func options() throws {
        try Quantization().check()
        for (options, name) in [
            (Quantization(activationBits: 1), "activation bits"),
            (Quantization(weightBits: 17), "weight bits"),
            (Quantization(gradientBits: 0), "gradient bits"),
            (Quantization(momentum: 1), "momentum of ranges"),
            (Quantization(momentum: .nan), "momentum of ranges"),
        ] {
            let error = #expect(throws: TrainingError.self) { try options.check() }
            #expect(error?.code == .invalidOption && error?.path == name)
        }
    }
}
