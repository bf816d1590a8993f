internal import COneDNN
internal import DenseMath
internal import Synchronization

/// Loops on the threads that oneDNN's primitives run on.
///
/// OpenMP's threads keep spinning for a while after a primitive; a loop on other threads would share
/// the processors with them.
package enum ThreadTeam {
    /// Runs `body(0)` ... `body(count - 1)` on up to `threads` threads and returns when all are
    /// done. Indexes are handed out in rising order.
    package static func run(_ count: Int, threads: Int, _ body: (Int) -> Void) {
        let workers = min(threads, count)
        guard workers > 1 else {
            for index in 0..<count { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let work = Work(count: count, body: body)
            let context = Unmanaged.passUnretained(work).toOpaque()
            let ran = sdn_team_run(
                CInt(workers),
                { context in
                    guard let context else { return }
                    Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run()
                }, context)
            if ran == 0 { ParallelLoop.run(workers, threads: workers) { _ in work.run() } }
            withExtendedLifetime(work) {}
        }
    }
}

/// A loop that several threads take indexes from.
private final class Work: @unchecked Sendable {
    // Unchecked: the body is the caller's, who says by calling `run` that it may run at once.
    private let count: Int
    private let body: (Int) -> Void
    private let next = Atomic<Int>(0)

    init(count: Int, body: @escaping (Int) -> Void) {
        self.count = count
        self.body = body
    }

    func run() {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }
}
