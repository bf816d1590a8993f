import Dispatch
import Foundation
import Synchronization

/// The one place where loops run in parallel.
public enum ParallelLoop {
    /// The processors that this process may use.
    public static var availableThreads: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

    /// Runs `body(0)` ... `body(count - 1)` on up to `threads` threads and returns when all are
    /// done. Indexes are handed out in rising order; one thread runs them in the caller.
    ///
    /// - Throws: the error of the lowest index that threw; indexes not yet begun are then skipped.
    public static func run<E: Error>(
        _ count: Int, threads: Int, _ body: @Sendable (Int) throws(E) -> Void
    ) throws(E) {
        let workers = min(threads, count)
        guard workers > 1 else {
            for index in 0..<count { try body(index) }
            return
        }
        let next = Atomic<Int>(0)
        let failure = Mutex<(index: Int, error: E)?>(nil)
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                do throws(E) {
                    try body(index)
                } catch {
                    next.store(count, ordering: .relaxed)
                    failure.withLock { known in
                        if known.map({ index < $0.index }) ?? true { known = (index, error) }
                    }
                    return
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
    }

    /// Returns `body(0)` ... `body(count - 1)` in order, found as ``run(_:threads:_:)`` runs them.
    public static func map<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Mutex<[Result?]>(Array(repeating: nil, count: count))
        try run(count, threads: threads) { index in
            let result = try body(index)
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}
