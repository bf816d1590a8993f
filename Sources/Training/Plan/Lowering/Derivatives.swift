internal import Foundation
internal import Networks

extension Networks.Operation.Unary {
    /// The derivative of a function that oneDNN may not have; nil where it is no function of real
    /// numbers that has one.
    var derivative: (@Sendable (Double) -> Double)? {
        switch self {
        case .identity: { _ in 1 }
        case .relu: { $0 > 0 ? 1 : 0 }
        case .leakyRelu(let alpha): { $0 > 0 ? 1 : Double(alpha) }
        case .elu(let alpha): { $0 > 0 ? 1 : Double(alpha) * Foundation.exp($0) }
        case .clip(let minimum, let maximum):
            { $0 > Double(minimum) && $0 < Double(maximum) ? 1 : 0 }
        case .sigmoid:
            { x in
                let s = 1 / (1 + Foundation.exp(-x))
                return s * (1 - s)
            }
        case .hardSigmoid(let alpha, let beta):
            { x in
                let value = Double(alpha) * x + Double(beta)
                return value > 0 && value < 1 ? Double(alpha) : 0
            }
        case .hardSwish:
            { x in x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6 }
        case .silu:
            { x in
                let s = 1 / (1 + Foundation.exp(-x))
                return s * (1 + x * (1 - s))
            }
        case .tanh: { 1 - Foundation.tanh($0) * Foundation.tanh($0) }
        case .gelu(approximately: false):
            { x in
                0.5 * (1 + Foundation.erf(x / 2.0.squareRoot()))
                    + x * Foundation.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            }
        case .gelu(approximately: true):
            { x in
                let root = (2 / Double.pi).squareRoot()
                let t = Foundation.tanh(root * (x + 0.044715 * x * x * x))
                return 0.5 * (1 + t)
                    + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)
            }
        case .erf: { 2 / Double.pi.squareRoot() * Foundation.exp(-$0 * $0) }
        case .exp: { Foundation.exp($0) }
        case .log: { 1 / $0 }
        case .sqrt: { 0.5 / $0.squareRoot() }
        case .reciprocal: { -1 / ($0 * $0) }
        case .negate: { _ in -1 }
        case .absolute: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
        case .floor, .ceil, .not: nil
        }
    }
}
