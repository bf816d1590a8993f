import DenseMath
import Testing

@testable import Inference

@Suite("Copies of elements at regular distances")
struct StridedCopyTests {
    /// The elements' positions, row-major, by the definition.
    private func positions(_ shape: [Int], _ strides: [Int], _ offset: Int) -> [Int] {
        zip(shape, strides).reduce([offset]) { outer, dimension in
            outer.flatMap { at in (0..<dimension.0).map { at + $0 * dimension.1 } }
        }
    }

    @Test("a copy gathers what its strides say", arguments: 0..<300 as Range<UInt64>)
    func gathers(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let rank = Int.random(in: 0...5, using: &generator)
        let shape = (0..<rank).map { _ in Int.random(in: 0...9, using: &generator) % 5 }
        // A row-major source with steps, dimensions swapped, repeated or turned round.
        var strides = (0..<rank).map { axis in
            shape[(axis + 1)...].reduce(1) { $0 * max(1, $1) }
        }
        for axis in strides.indices {
            strides[axis] *= [1, 1, 1, 2, -1, 0].randomElement(using: &generator) ?? 1
        }
        if Bool.random(using: &generator) { strides.shuffle(using: &generator) }
        let reach = zip(shape, strides).map { max(0, $0 - 1) * $1 }
        let offset = -reach.reduce(0) { $0 + min(0, $1) }
        let size = offset + reach.reduce(1) { $0 + max(0, $1) }
        let wanted = positions(shape, strides, offset)
        check(Float.self, shape, strides, offset, size, wanted) { Float($0) }
        check(Int64.self, shape, strides, offset, size, wanted) { Int64($0) }
    }

    private func check<Element: BitwiseCopyable & Equatable>(
        _ type: Element.Type, _ shape: [Int], _ strides: [Int], _ offset: Int, _ size: Int,
        _ wanted: [Int], _ element: (Int) -> Element
    ) {
        var source = (0..<size).map(element)
        // One more, to see that nothing is written behind the end.
        var target = Array(repeating: element(-1), count: wanted.count + 1)
        source.withUnsafeMutableBytes { from in
            target.withUnsafeMutableBytes { to in
                guard let from = from.baseAddress, let to = to.baseAddress else { return }
                StridedCopy(shape: shape, strides: strides, offset: offset)
                    .run(from, to, as: type)
            }
        }
        #expect(
            target == wanted.map(element) + [element(-1)],
            "\(shape) \(strides) from \(offset)")
    }

    @Test("neighbouring dimensions without a gap are one")
    func merges() {
        let copy = StridedCopy(shape: [2, 1, 3, 4], strides: [24, 99, 4, 1], offset: 5)
        #expect(copy.shape == [2, 12] && copy.strides == [24, 1])
        let turned = StridedCopy(shape: [3, 4], strides: [-4, -1], offset: 11)
        #expect(turned.shape == [12] && turned.strides == [-1])
    }
}
