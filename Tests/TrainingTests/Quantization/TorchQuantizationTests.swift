import Foundation
import Testing

@testable import Training

/// Numbers that Tests/Interop/quantization_cases.py wrote.
private struct Cases: Decodable {
    struct Activations: Decodable {
        struct Batch: Decodable { let x, rounded, running: [Float] }
        let bits, images, elements: Int
        let batches: [Batch]
    }
    struct Weights: Decodable {
        let bits, filters, elements: Int
        let w, rounded: [Float]
    }
    let activations: [Activations]
    let weights: [Weights]
}

@Suite("Training in few bits, as torch computes it")
struct TorchQuantizationTests {
    private let cases: Cases

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/training/quantization.json")
        cases = try JSONDecoder().decode(Cases.self, from: Data(contentsOf: file))
    }

    @Test("values and running ranges of two batches have torch's bits")
    func activations() {
        for expected in cases.activations {
            let layout = SampleLayout(samples: expected.images, elements: expected.elements)
            let quantizer = FakeQuantizer(Quantization(activationBits: expected.bits), threads: 1)
            let range = ActivationRange()
            for batch in expected.batches {
                var x = batch.x
                x.withUnsafeMutableBufferPointer { x in
                    if let start = x.baseAddress {
                        quantizer.quantiseActivations(start, layout, range, into: start)
                    }
                }
                #expect(x == batch.rounded)
                #expect(range.state() == .float32(batch.running))
            }
        }
    }

    @Test("weights have torch's bits")
    func weights() {
        for expected in cases.weights {
            var w = expected.w
            w.withUnsafeMutableBufferPointer { w in
                if let start = w.baseAddress {
                    FakeQuantizer(Quantization(weightBits: expected.bits), threads: 1)
                        .quantiseWeights(
                            start,
                            filters: SampleLayout(
                                samples: expected.filters, elements: expected.elements),
                            into: start)
                }
            }
            #expect(w == expected.rounded)
        }
    }
}
