import DenseMath
import Networks
import Testing

@testable import Inference

@Suite("Ranges of values")
struct RangeCalibrationTests {
    @Test("ends are averaged over batches, for what bytes are made of only")
    func averages() throws {
        let sketch = Sketch()
        let x = sketch.input([1, 2, 2, 2], as: "x")
        let conv = try sketch.conv(x, to: 3, as: "conv")
        let relu = try sketch.add(.unary(.relu), conv, as: "relu")
        let soft = try sketch.add(.softmax(axis: 1), relu, as: "soft")
        var calibration = RangeCalibration(sketch.giving(soft))
        for factor in [1, 3] as [Float] {
            let values = [-1, 0, 0.5, 0, 0, 0, 1, 2].map { $0 * factor }
            try calibration.observe(["x": Tensor(shape: [1, 2, 2, 2], values)])
        }
        let ranges = calibration.ranges.values
        #expect(ranges["x"] == .init(-2, 4))
        #expect(ranges.keys.sorted() == ["relu", "x"])
        #expect(try #require(ranges["relu"]).minimum >= 0)
    }

    @Test("a percentile leaves out what few elements reach")
    func percentile() throws {
        let elements = (0..<10_000).map { Float($0) / 10_000 } + [50, -50]
        let ends = elements.withUnsafeBufferPointer {
            RangeCalibration.Rule.percentile(99.9).ends(of: $0)
        }
        let range = try #require(ends)
        // Bins are 100 / 8192 wide.
        #expect(abs(range.minimum) < 0.03 && abs(range.maximum - 1) < 0.03, "\(range)")
        let all = elements.withUnsafeBufferPointer { RangeCalibration.Rule.extremes.ends(of: $0) }
        #expect(all == .init(-50, 50))
    }

    @Test("elements that are no numbers give no range")
    func notFinite() {
        for bad in [Float.nan, .infinity] {
            let ends = [0, bad, 1].withUnsafeBufferPointer {
                RangeCalibration.Rule.extremes.ends(of: $0)
            }
            #expect(ends == nil)
        }
    }
}
