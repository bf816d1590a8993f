internal import Foundation

/// How the learning rate changes from step to step.
public enum LearningRateSchedule: Sendable, Equatable {
    case constant
    /// Times `factor` after every `every` epochs.
    case step(every: Int, factor: Double)
    /// Down to 0 after the last step.
    case linear
    /// Down to 0 after the last step, as the half of a cosine wave.
    case cosine
    /// From 1/25 of the rate up to it at 30 % of the steps and down to 1/250,000 at the last, each
    /// as the half of a cosine wave (Smith and Topin 2018; PyTorch's defaults).
    case oneCycle
    /// By whole epochs, with t the share of `until` (or of all epochs) that is over: the rate to
    /// t = 0.5, then on a line down to `floor` times the rate at t = 0.9, and that from there on.
    case paper(until: Int?, floor: Double)

    /// The rate of a step.
    ///
    /// - Parameters:
    ///   - base: the rate that the schedule is of: the highest one.
    ///   - step: steps before this one since training began.
    public func rate(_ base: Double, step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
        let total = Double(max(1, stepsPerEpoch * epochs))
        let epoch = step / max(1, stepsPerEpoch)
        switch self {
        case .constant: return base
        case .step(let every, let factor): return base * pow(factor, Double(epoch / max(1, every)))
        case .linear: return base * (1 - Double(step) / total)
        case .cosine: return base * (1 + cos(.pi * Double(step) / total)) / 2
        case .oneCycle: return Self.oneCycle(base, step: Double(step), total: total)
        case .paper(let until, let floor):
            let t = Double(epoch) / Double(max(1, until ?? epochs))
            if t <= 0.5 { return base }
            return base * (t <= 0.9 ? 1 - (1 - floor) * (t - 0.5) / 0.4 : floor)
        }
    }

    private static func oneCycle(_ highest: Double, step: Double, total: Double) -> Double {
        let first = highest / 25
        let turn = 0.3 * total - 1
        func between(_ a: Double, _ b: Double, _ share: Double) -> Double {
            b + (a - b) / 2 * (1 + cos(.pi * share))
        }
        return step <= turn
            ? between(first, highest, step / turn)
            : between(highest, first / 1e4, (step - turn) / (total - 1 - turn))
    }
}
