import DenseMath
import Networks
import PowerOfTwo
import Testing

@Suite("Bytes for reals")
struct ByteScaleTests {
    @Test(
        "zero has a byte of its own, and the range fits",
        arguments: [(-1, 3), (0, 6), (2, 5), (-7, -1), (0, 0), (-1e-30, 1e-37), (-3e38, 3e38)]
            as [(Float, Float)])
    func range(ends: (Float, Float)) throws {
        let scale = ByteScale(try #require(ActivationRanges.Range(ends.0, ends.1)))
        #expect(scale.value(scale.byte(0)) == 0)
        for value in [ends.0, ends.1] where abs(value) > 1e-30 {
            // The ends may move by half a step when zero is rounded to a byte.
            #expect(abs(scale.value(scale.byte(value)) - value) <= scale.scale * 0.51)
        }
    }

    @Test("numbers beyond the ends become the ends, ties go to even bytes")
    func rounding() {
        let scale = ByteScale(scale: 0.5, zero: 10)
        #expect([-100, -5, 0.25, 0.75, 1000].map(scale.byte) == [0, 0, 10, 12, 255])
    }

    @Test("what is no range is refused")
    func noRange() {
        #expect(ActivationRanges.Range(1, 0) == nil)
        #expect(ActivationRanges.Range(.nan, 0) == nil)
        #expect(ActivationRanges.Range(0, .infinity) == nil)
    }

    @Test("the largest weight of each channel becomes 127", arguments: [false, true])
    func weights(isTransposed: Bool) {
        let rows: [Float] = [1, -2, 0.5, 0, 0, 0]
        let tensor =
            isTransposed
            ? Tensor(shape: [3, 2], [1, 0, -2, 0, 0.5, 0]) : Tensor(shape: [2, 3], rows)
        let weights = ByteWeights(tensor, isTransposed: isTransposed)
        #expect(weights.scales == [2 / 127, 1])
        #expect(
            weights.bytes == (isTransposed ? [64, 0, -127, 0, 32, 0] : [64, -127, 32, 0, 0, 0]))
    }
}
