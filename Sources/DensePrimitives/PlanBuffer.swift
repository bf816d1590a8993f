internal import Foundation
internal import Networks

/// Memory that a plan's values lie in: a part of its arena, or a constant's own.
package final class PlanBuffer {
    package let byteCount: Int
    /// Where it is; for a part of the arena known once the plan is laid out.
    package var address: UnsafeMutableRawPointer?
    /// The first and the last step that uses it.
    package private(set) var steps: ClosedRange<Int>?
    /// The values that lie in it.
    package var values: Set<String> = []
    package let isConstant: Bool

    /// A part of the arena.
    package init(byteCount: Int) {
        self.byteCount = byteCount
        isConstant = false
    }

    /// A constant.
    package init(_ memory: PlanMemory) {
        byteCount = memory.byteCount
        isConstant = true
        address = memory.start
    }

    package func use(at step: Int) {
        steps = min(steps?.lowerBound ?? step, step)...max(steps?.upperBound ?? step, step)
    }
}

/// Memory of a plan's own, aligned to 64 bytes.
package final class PlanMemory {
    package let start: UnsafeMutableRawPointer
    package let byteCount: Int

    package init(byteCount: Int) throws {
        try Self.check(byteCount)
        self.byteCount = byteCount
        start = .allocate(byteCount: max(64, byteCount), alignment: 64)
        // Blocks may be larger than what is written to them.
        start.initializeMemory(as: UInt8.self, repeating: 0, count: max(64, byteCount))
    }

    deinit {
        start.deallocate()
    }

    /// Refuses what the machine does not have: a system may grant it and end the process later.
    package static func check(_ byteCount: Int) throws {
        let available = ProcessInfo.processInfo.physicalMemory
        guard UInt64(byteCount) <= available else {
            throw NetworkError(
                .tooLarge,
                "a plan needs \(byteCount) bytes of memory, the machine has \(available)")
        }
    }
}

/// Where each buffer lies in one block of memory, so that those used at the same time do not
/// overlap.
package struct Arena {
    package let byteCount: Int
    package let offsets: [ObjectIdentifier: Int]

    /// Largest buffers first, each at the lowest place that is free while it is used.
    package init(_ buffers: [PlanBuffer]) {
        var placed: [(steps: ClosedRange<Int>, range: Range<Int>)] = []
        var offsets: [ObjectIdentifier: Int] = [:]
        var end = 0
        for buffer in buffers.sorted(by: { $0.byteCount > $1.byteCount }) {
            guard let steps = buffer.steps else { continue }
            let size = (buffer.byteCount + 63) / 64 * 64
            var offset = 0
            for other in placed.filter({ $0.steps.overlaps(steps) })
                .sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
            {
                if offset + size <= other.range.lowerBound { break }
                offset = max(offset, other.range.upperBound)
            }
            placed.append((steps, offset..<(offset + size)))
            offsets[ObjectIdentifier(buffer)] = offset
            end = max(end, offset + size)
        }
        byteCount = end
        self.offsets = offsets
    }
}
