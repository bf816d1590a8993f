/// How a parameter that is kept as floats moves against its gradient.
public enum Optimizer: Sendable, Equatable {
    case sgd(SGD)
    case adamW(AdamW)

    /// Running averages that it keeps for each weight.
    package var momentCount: Int {
        switch self {
        case .sgd(let rule): rule.momentum == 0 ? 0 : 1
        case .adamW: 2
        }
    }

    /// Moves `values`; `moments` begin as zeros.
    package func update(
        _ values: UnsafeMutableBufferPointer<Float>,
        _ gradient: UnsafeMutableBufferPointer<Float>, _ moments: inout [[Float]],
        _ step: UpdateStep
    ) {
        switch self {
        case .sgd(let rule): rule.update(values, gradient, &moments, step)
        case .adamW(let rule): rule.update(values, gradient, &moments, step)
        }
    }
}
