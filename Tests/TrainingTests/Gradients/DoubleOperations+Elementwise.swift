import Foundation
import Networks

extension DoubleOperations {
    static func unary(
        _ function: Networks.Operation.Unary
    ) throws -> (Double) -> Double {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        switch function {
        case .identity: return { $0 }
        case .relu: return { $0 > 0 ? $0 : 0 }
        case .leakyRelu(let alpha): return { $0 > 0 ? $0 : Double(alpha) * $0 }
        case .elu(let alpha): return { $0 > 0 ? $0 : Double(alpha) * expm1($0) }
        case .clip(let minimum, let maximum):
            return { min(max($0, Double(minimum)), Double(maximum)) }
        case .sigmoid: return { sigmoid($0) }
        case .hardSigmoid(let alpha, let beta):
            return { min(max(Double(alpha) * $0 + Double(beta), 0), 1) }
        case .hardSwish: return { $0 * min(max($0 + 3, 0), 6) / 6 }
        case .silu: return { $0 * sigmoid($0) }
        case .tanh: return { Foundation.tanh($0) }
        case .gelu(approximately: false): return { $0 * (1 + Foundation.erf($0 / sqrt(2))) / 2 }
        case .gelu(approximately: true):
            return { x in
                x * (1 + Foundation.tanh(sqrt(2 / .pi) * (x + 0.044715 * pow(x, 3)))) / 2
            }
        case .erf: return { Foundation.erf($0) }
        case .exp: return { Foundation.exp($0) }
        case .log: return { Foundation.log($0) }
        case .sqrt: return { $0.squareRoot() }
        case .reciprocal: return { 1 / $0 }
        case .negate: return { -$0 }
        case .absolute: return { abs($0) }
        case .floor, .ceil, .not: throw Unsupported(.unary(function))
        }
    }

    static func binary(
        _ function: Networks.Operation.Binary
    ) throws -> (Double, Double) -> Double {
        switch function {
        case .add: return { $0 + $1 }
        case .subtract: return { $0 - $1 }
        case .multiply: return { $0 * $1 }
        case .divide: return { $0 / $1 }
        case .power: return { pow($0, $1) }
        case .minimum: return { min($0, $1) }
        case .maximum: return { max($0, $1) }
        default: throw Unsupported(.binary(function))
        }
    }
}
