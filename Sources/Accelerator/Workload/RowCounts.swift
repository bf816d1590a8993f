import Synchronization

/// The kernel rows that are not zero, of each filter and channel.
///
/// Lines of a slice take channels in turn, c mod lines, and slices take filters in turn; who waits
/// for whom follows from these counts.
public struct RowCounts: Sendable, Equatable {
    public let filters: Int
    /// Channels that a filter sees.
    public let channels: Int
    /// `[filters, channels]`.
    public let counts: [UInt8]
    /// All of them.
    public let total: Int
    private let memo = Memo()

    /// - Parameter counts: `[filters, channels]`.
    public init(filters: Int, channels: Int, counts: [UInt8]) {
        precondition(counts.count == filters * channels, "one count for each filter and channel")
        self.filters = filters
        self.channels = channels
        self.counts = counts
        total = counts.reduce(0) { $0 + Int($1) }
    }

    public static func == (a: RowCounts, b: RowCounts) -> Bool {
        a.filters == b.filters && a.channels == b.channels && a.counts == b.counts
    }

    /// The rows that the busiest line works on, added up over tiles of `slices` filters: what an
    /// output row segment takes, in kernel rows.
    func busiestRows(slices: Int, lines: Int) -> Int {
        memo.value(slices, lines) {
            var sum = 0
            for first in stride(from: 0, to: filters, by: slices) {
                var longest = 0
                for filter in first..<min(first + slices, filters) {
                    let base = filter * channels
                    for line in 0..<min(lines, channels) {
                        var rows = 0
                        for channel in stride(from: line, to: channels, by: lines) {
                            rows += Int(counts[base + channel])
                        }
                        longest = max(longest, rows)
                    }
                }
                sum += longest
            }
            return sum
        }
    }

    /// Remembers results, for sweeps that ask for the same array thousands of times.
    private final class Memo: Sendable {
        private struct Key: Hashable {
            let slices: Int
            let lines: Int
        }

        private let known = Mutex<[Key: Int]>([:])

        func value(_ slices: Int, _ lines: Int, _ compute: () -> Int) -> Int {
            let key = Key(slices: slices, lines: lines)
            if let value = known.withLock({ $0[key] }) { return value }
            let value = compute()
            known.withLock { $0[key] = value }
            return value
        }
    }
}
