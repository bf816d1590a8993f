internal import Foundation

/// Adam with decoupled weight decay (Loshchilov and Hutter 2017), as PyTorch has it.
public struct AdamW: Sendable, Equatable {
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    public var weightDecay: Float = 1e-2

    public init(
        beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 1e-2
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    func update(
        _ values: UnsafeMutableBufferPointer<Float>,
        _ gradient: UnsafeMutableBufferPointer<Float>, _ moments: inout [[Float]],
        _ step: UpdateStep
    ) {
        let count = Double(step.index + 1)
        let stepSize = Float(Double(step.learningRate) / (1 - pow(Double(beta1), count)))
        let correction = Float((1 - pow(Double(beta2), count)).squareRoot())
        for i in 0..<values.count {
            let g = gradient[i]
            moments[0][i] += (g - moments[0][i]) * (1 - beta1)
            moments[1][i] = beta2 * moments[1][i] + (1 - beta2) * g * g
            let value = values[i] * (1 - step.learningRate * weightDecay)
            values[i] =
                value - stepSize * moments[0][i]
                / (moments[1][i].squareRoot() / correction + epsilon)
        }
    }
}
