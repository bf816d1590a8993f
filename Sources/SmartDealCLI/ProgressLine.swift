import Foundation
import SmartDeal
import Synchronization

/// Progress on standard error: a bar on a terminal, a line every few seconds elsewhere.
final class ProgressLine: Sendable {
    private struct Shown {
        var phase = ""
        var started = ContinuousClock.now
        var last: ContinuousClock.Instant?
        var hasBar = false
    }

    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let isQuiet: Bool
    private let shown = Mutex(Shown())

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ state: TaskProgress.State) {
        guard !isQuiet, state.total > 0 else { return }
        shown.withLock { shown in
            let now = ContinuousClock.now
            if shown.phase != state.phase {
                shown = Shown(phase: state.phase, started: now, hasBar: shown.hasBar)
            }
            let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
            // Nothing is shown of what takes less than one pause.
            if now - (shown.last ?? shown.started) < pause { return }
            shown.last = now
            let share = Double(state.done) / Double(state.total)
            let elapsed = (now - shown.started) / .seconds(1)
            let left = share > 0 ? elapsed / share - elapsed : 0
            let text = String(
                format: "%@ %3.0f %%  %.0f s left  %@", state.phase, share * 100, left,
                state.tensor)
            if isTerminal {
                shown.hasBar = true
                let cells = Int(share * 24)
                let bar =
                    String(repeating: "=", count: cells)
                    + String(repeating: " ", count: max(0, 24 - cells))
                write("\r\u{1B}[K[\(bar)] \(text.prefix(90))")
            } else {
                write(text + "\n")
            }
        }
    }

    /// Clears the bar.
    func end() {
        shown.withLock { shown in
            if shown.hasBar { write("\r\u{1B}[K") }
            shown.hasBar = false
        }
    }

    private func write(_ text: String) { StandardError.write(text) }
}
