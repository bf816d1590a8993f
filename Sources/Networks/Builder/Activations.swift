internal import Foundation

/// max(x, 0).
public struct ReLU: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.relu, name) { max(0, $0) }
    }
}

/// x between 0 and 6.
public struct ReLU6: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.clip(minimum: 0, maximum: 6), name) { min(max(0, $0), 6) }
    }
}

/// x where it is positive, and `negativeSlope` x where it is negative.
public struct LeakyReLU: Layer {
    private let negativeSlope: Float
    private let name: String?

    public init(_ negativeSlope: Float = 0.01, name: String? = nil) {
        self.negativeSlope = negativeSlope
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.leakyRelu(alpha: negativeSlope), name) {
            $0 < 0 ? Double(negativeSlope) * $0 : $0
        }
    }
}

/// x times its sigmoid.
public struct SiLU: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.silu, name) { $0 / (1 + exp(-$0)) }
    }
}

/// x times the normal distribution up to x.
public struct GELU: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.gelu(approximately: false), name) {
            $0 * 0.5 * erfc(-$0 / 2.squareRoot())
        }
    }
}

/// 1 / (1 + exp(-x)).
public struct Sigmoid: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.sigmoid, name) { 1 / (1 + exp(-$0)) }
    }
}

/// The hyperbolic tangent.
public struct Tanh: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.tanh, name) { tanh($0) }
    }
}

/// x times (x + 3) / 6, that between 0 and 1.
public struct Hardswish: Layer {
    private let name: String?

    public init(name: String? = nil) {
        self.name = name
    }

    public func add(to draft: inout NetworkDraft) {
        draft.addFunction(.hardSwish, name) { $0 * min(max(0, $0 / 6 + 0.5), 1) }
    }
}

extension NetworkDraft {
    /// `function` is the operation on one element, to know what comes out of it.
    fileprivate mutating func addFunction(
        _ operation: Operation.Unary, _ name: String?, _ function: (Double) -> Double
    ) {
        let node = takeName(name)
        apply(
            .unary(operation), node, shape: value.shape, moments: value.moments.after(function))
    }
}
