import Dispatch

/// Something to be timed.
package struct TimedAction {
    /// Runs before every timing and is not timed; nil for nothing.
    package let prepare: (() -> Void)?
    package let run: () throws -> Void

    package init(prepare: (() -> Void)? = nil, run: @escaping () throws -> Void) {
        self.prepare = prepare
        self.run = run
    }
}

/// How often to time.
package struct SamplingPlan: Sendable {
    /// Timings of each action, as long as all of them together take at most `seconds`.
    package var most = 25
    /// Timings of each action, whatever they take.
    package var fewest = 5
    package var seconds = 0.9
    /// Shorter actions run several times in one timing.
    package var shortestTiming = 100e-6

    package init() {}

    /// A plan with three times as many timings.
    package var thorough: SamplingPlan {
        var plan = self
        plan.most *= 3
        plan.fewest *= 3
        plan.seconds *= 3
        return plan
    }
}

/// Timings of several actions, taken in turns so that what else the machine does hits all alike.
package struct InterleavedTiming: Sendable {
    /// The least time of one run of each action, in nanoseconds.
    package let minimums: [Double]
    /// How often each was timed.
    package let samples: Int

    package init(of actions: [TimedAction], plan: SamplingPlan = SamplingPlan()) throws {
        var repetitions: [Int] = []
        var round = 0.0
        for action in actions {
            _ = try Self.time(action, repetitions: 1)
            let once = try Self.time(action, repetitions: 1)
            let repeats =
                action.prepare != nil
                ? 1 : max(1, min(100_000, Int(plan.shortestTiming * 1e9 / max(once, 1))))
            repetitions.append(repeats)
            round += once * Double(repeats)
        }
        samples = max(plan.fewest, min(plan.most, Int(plan.seconds * 1e9 / max(round, 1))))
        var minimums = [Double](repeating: .infinity, count: actions.count)
        for _ in 0..<samples {
            for (index, action) in actions.enumerated() {
                let time = try Self.time(action, repetitions: repetitions[index])
                minimums[index] = min(minimums[index], time)
            }
        }
        self.minimums = minimums
    }

    /// Nanoseconds of one run.
    private static func time(_ action: TimedAction, repetitions: Int) throws -> Double {
        action.prepare?()
        let start = DispatchTime.now().uptimeNanoseconds
        for _ in 0..<repetitions { try action.run() }
        let end = DispatchTime.now().uptimeNanoseconds
        return Double(end - start) / Double(repetitions)
    }
}
