import Synchronization

/// How far a long task is; also how it is asked to stop.
public final class TaskProgress: Sendable {
    /// A moment of the task.
    public struct State: Sendable, Equatable {
        /// Weights done and to do.
        public var done = 0
        public var total = 0
        /// The tensor at work.
        public var tensor = ""
        /// What is being done: `sampling` or `compressing`, for example.
        public var phase = ""
    }

    private let state = Mutex(State())
    private let stop = Atomic<Bool>(false)
    private let report: @Sendable (State) -> Void

    /// - Parameter report: called after every step, from any thread, one call at a time.
    public init(_ report: @escaping @Sendable (State) -> Void = { _ in }) { self.report = report }

    /// Asks the task to stop soon; it then throws ``SmartDealError`` `.interrupted`.
    public func cancel() { stop.store(true, ordering: .relaxed) }

    /// Whether it has been asked to stop.
    public var isCancelled: Bool { stop.load(ordering: .relaxed) }

    func begin(_ phase: String, total: Int) {
        state.withLock { $0 = State(total: total, phase: phase) }
    }

    /// Notes a step; throws when the task was asked to stop.
    func advance(_ count: Int, tensor: String) throws {
        guard !isCancelled else {
            throw SmartDealError(.interrupted, "stopped before the end; nothing was overwritten")
        }
        state.withLock { state in
            state.done += count
            state.tensor = tensor
            report(state)
        }
    }
}
