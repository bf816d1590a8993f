import DenseMath
import Networks
import Testing

@Suite("Pieces of shape inference that plans use")
struct ShapePieceTests {
    @Test("same padding puts the odd one at the end or at the beginning")
    func samePadding() throws {
        for (padding, begin, end) in [
            (Operation.SpatialPadding.sameUpper, [1, 0], [2, 0]), (.sameLower, [2, 0], [1, 0]),
        ] {
            let convolution = Operation.Convolution(
                kernel: [4, 1], strides: [1, 3], padding: padding)
            let window = try convolution.resolved(input: [1, 1, 6, 7])
            #expect(window.padsBegin == begin)
            #expect(window.padsEnd == end)
            #expect(window.outputSpatial == [6, 3])
        }
    }

    @Test("rounding up drops a window that begins in the padding at the end")
    func roundingUp() throws {
        let pooling = Operation.Pooling(
            kernel: [2], strides: [3], padding: .explicit([1], [1]), roundsUp: true)
        #expect(try pooling.resolved(input: [1, 1, 5]).outputSpatial == [2])
        #expect(try pooling.resolved(input: [1, 1, 6]).outputSpatial == [3])
    }

    @Test("a broadcast repeats dimensions of 1 and missing ones")
    func broadcast() throws {
        let broadcast = try Broadcast([[4, 1, 3], [2, 1], []])
        #expect(broadcast.shape == [4, 2, 3])
        #expect(broadcast.strides == [[3, 0, 1], [0, 1, 0], [0, 0, 0]])
        #expect(try Broadcast([[0, 1], [3]]).shape == [0, 3])
    }

    @Test("a slice takes what a walk from its start meets, whatever its bounds and step")
    func slices() throws {
        for size in 0...4 {
            for start in -6...6 {
                for end in -6...6 {
                    for step in [-5, -2, -1, 1, 2, 5] {
                        let range = try SliceRange(start: start, end: end, step: step, size: size)
                        let found = (0..<range.count).map { range.start + $0 * range.step }
                        let wanted = walked(start, end, step, size)
                        #expect(found == wanted, "[\(start):\(end):\(step)] of \(size)")
                    }
                }
            }
        }
    }

    /// By the definition: walk from the start until the end or a border is passed.
    private func walked(_ start: Int, _ end: Int, _ step: Int, _ size: Int) -> [Int] {
        var position = start < 0 ? start + size : start
        let end = end < 0 ? end + size : end
        // A start outside is moved to the border; in ONNX, unlike Python, to the first element also
        // when moving down.
        position = max(position, 0)
        if step < 0 { position = min(position, size - 1) }
        var result: [Int] = []
        while 0 <= position, position < size, step > 0 ? position < end : position > end {
            result.append(position)
            position += step
        }
        return result
    }

    @Test("the scalar type of a value decides how integers wrap")
    func wrapping() {
        #expect(ScalarType.uint8.wrapped(-1) == 255)
        #expect(ScalarType.int8.wrapped(128) == -128)
        #expect(ScalarType.int32.wrapped(1 << 31) == -1 << 31)
        #expect(ScalarType.bool.wrapped(-7) == 1)
        #expect(ScalarType.int64.wrapped(.min) == .min)
    }
}
