package import Networks

extension Operation.Unary {
    /// The oneDNN functions that, one after another, are this one; empty when there are none.
    package var primitives: [PostOperation.Function] {
        switch self {
        case .relu: [.init(kind: .relu)]
        case .leakyRelu(let alpha): [.init(kind: .relu, alpha: alpha)]
        case .elu(let alpha): [.init(kind: .elu, alpha: alpha)]
        case .clip(let minimum, let maximum):
            minimum.isNaN || maximum.isNaN ? [] : [.clip(minimum, maximum)]
        case .sigmoid: [.init(kind: .logistic)]
        case .hardSigmoid(let alpha, let beta):
            [.init(kind: .linear, alpha: alpha, beta: beta), .clip(0, 1)]
        case .hardSwish: [.init(kind: .hardswish)]
        case .silu: [.init(kind: .swish, alpha: 1)]
        case .tanh: [.init(kind: .tanh)]
        case .gelu(let approximately): [.init(kind: approximately ? .geluTanh : .geluErf)]
        case .exp: [.init(kind: .exp)]
        case .log: [.init(kind: .log)]
        case .sqrt: [.init(kind: .sqrt)]
        case .reciprocal: [.init(kind: .pow, alpha: 1, beta: -1)]
        case .negate: [.init(kind: .linear, alpha: -1)]
        case .absolute: [.init(kind: .abs)]
        case .identity, .erf, .floor, .ceil, .not: []
        }
    }
}

extension PostOperation.Function {
    /// Bounds that are infinite become the largest floats; of crossed ones the upper one counts.
    package static func clip(_ minimum: Float, _ maximum: Float) -> Self {
        let largest = Float.greatestFiniteMagnitude
        let upper = min(max(maximum, -largest), largest)
        return Self(kind: .clip, alpha: min(max(minimum, -largest), upper), beta: upper)
    }
}

extension Operation.Binary {
    /// The oneDNN function that this is, if there is one.
    package var primitive: PostOperation.BinaryFunction? {
        switch self {
        case .add: .add
        case .subtract: .subtract
        case .multiply: .multiply
        case .divide: .divide
        case .minimum: .minimum
        case .maximum: .maximum
        default: nil
        }
    }

    package var isCommutative: Bool {
        switch self {
        case .add, .multiply, .minimum, .maximum: true
        default: false
        }
    }
}
