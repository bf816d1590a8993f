import DensePrimitives
import DenseMath
import Testing

@testable import Inference

@Suite("Memory that values share")
struct ArenaTests {
    private func buffers(seed: UInt64) -> [PlanBuffer] {
        var generator = SplitMix64(seed: seed)
        let steps = Int.random(in: 1...30, using: &generator)
        return (0..<Int.random(in: 0...60, using: &generator)).map { _ in
            let buffer = PlanBuffer(byteCount: Int.random(in: 0...2000, using: &generator))
            let first = Int.random(in: 0..<steps, using: &generator)
            let last = min(steps - 1, first + Int.random(in: 0...5, using: &generator))
            buffer.use(at: last)
            buffer.use(at: first)
            return buffer
        }
    }

    private func rounded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

    @Test("values that are used at the same time never overlap", arguments: 0..<50 as Range<UInt64>)
    func overlaps(seed: UInt64) throws {
        let buffers = buffers(seed: seed)
        let arena = Arena(buffers)
        for (index, a) in buffers.enumerated() {
            let start = try #require(arena.offsets[ObjectIdentifier(a)])
            #expect(start % 64 == 0 && start >= 0 && start + a.byteCount <= arena.byteCount)
            for b in buffers[..<index] {
                let (p, q) = try (#require(a.steps), #require(b.steps))
                guard p.overlaps(q), a.byteCount > 0, b.byteCount > 0 else { continue }
                let other = try #require(arena.offsets[ObjectIdentifier(b)])
                #expect(
                    start + a.byteCount <= other || other + b.byteCount <= start,
                    "seed \(seed): \(start) and \(other)")
            }
        }
        #expect(arena.byteCount <= buffers.reduce(0) { $0 + rounded($1.byteCount) })
        let peak =
            (0..<30).map { step in
                buffers.filter { $0.steps?.contains(step) ?? false }
                    .reduce(0) { $0 + rounded($1.byteCount) }
            }.max() ?? 0
        #expect(arena.byteCount >= peak)
    }

    @Test("values that follow each other take the room of two")
    func chain() {
        let buffers = (0..<10).map { index in
            let buffer = PlanBuffer(byteCount: 640)
            buffer.use(at: index)
            buffer.use(at: index + 1)
            return buffer
        }
        #expect(Arena(buffers).byteCount == 1280)
    }

    @Test("what no step uses has no place")
    func unused() {
        let buffer = PlanBuffer(byteCount: 100)
        let arena = Arena([buffer])
        #expect(arena.byteCount == 0 && arena.offsets.isEmpty)
    }
}
