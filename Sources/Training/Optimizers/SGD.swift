/// Stochastic gradient descent with momentum, as PyTorch has it: with g the gradient plus
/// `weightDecay` times the value, m = `momentum` m + g (the first time m = g), and the value moves by
/// -rate m, or with Nesterov's momentum by -rate (g + `momentum` m).
public struct SGD: Sendable, Equatable {
    public var momentum: Float = 0.9
    public var weightDecay: Float = 5e-4
    public var isNesterov = false

    public init(momentum: Float = 0.9, weightDecay: Float = 5e-4, isNesterov: Bool = false) {
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.isNesterov = isNesterov
    }

    func update(
        _ values: UnsafeMutableBufferPointer<Float>,
        _ gradient: UnsafeMutableBufferPointer<Float>, _ moments: inout [[Float]],
        _ step: UpdateStep
    ) {
        let rate = step.learningRate
        guard momentum != 0 else {
            for i in 0..<values.count {
                values[i] -= rate * (gradient[i] + weightDecay * values[i])
            }
            return
        }
        moments[0].withUnsafeMutableBufferPointer { m in
            for i in 0..<values.count {
                let g = gradient[i] + weightDecay * values[i]
                // Averages begin as zeros, so the first step needs no case of its own.
                m[i] = momentum * m[i] + g
                values[i] -= rate * (isNesterov ? g + momentum * m[i] : m[i])
            }
        }
    }
}
