internal import DenseMath
internal import Foundation

extension Reference {
    static func unary(_ function: Operation.Unary, _ x: Tensor, _ type: ScalarType) -> Tensor {
        switch x.kind {
        case .float32: Tensor(shape: x.shape, x.floats.map { value(function, $0) })
        case .int64:
            Tensor(
                shape: x.shape, integers: x.integers.map { type.wrapped(value(function, $0)) })
        }
    }

    /// The function of a float. What is not exact is computed in double precision.
    private static func value(_ function: Operation.Unary, _ x: Float) -> Float {
        let wide = Double(x)
        switch function {
        case .identity: return x
        case .relu: return max(x, 0)
        case .leakyRelu(let alpha): return x < 0 ? alpha * x : x
        case .elu(let alpha): return x < 0 ? Float(Double(alpha) * expm1(wide)) : x
        case .clip(let minimum, let maximum): return min(max(x, minimum), maximum)
        case .sigmoid: return Float(sigmoid(wide))
        case .hardSigmoid(let alpha, let beta): return max(0, min(1, alpha * x + beta))
        case .hardSwish: return x * max(0, min(1, x / 6 + 0.5))
        case .silu: return Float(wide * sigmoid(wide))
        case .tanh: return Float(Foundation.tanh(wide))
        case .gelu(approximately: false):
            return Float(0.5 * wide * erfc(-wide / 2.0.squareRoot()))
        case .gelu(approximately: true):
            let inner = (2 / Double.pi).squareRoot() * (wide + 0.044715 * wide * wide * wide)
            return Float(0.5 * wide * (1 + Foundation.tanh(inner)))
        case .erf: return Float(Foundation.erf(wide))
        case .exp: return Float(Foundation.exp(wide))
        case .log: return Float(Foundation.log(wide))
        case .sqrt: return x.squareRoot()
        case .reciprocal: return 1 / x
        case .negate: return -x
        case .absolute: return abs(x)
        case .floor: return x.rounded(.down)
        case .ceil: return x.rounded(.up)
        case .not: return x == 0 ? 1 : 0
        }
    }

    private static func sigmoid(_ x: Double) -> Double { 1 / (1 + Foundation.exp(-x)) }

    /// The function of an integer; those that only floats have were refused before.
    private static func value(_ function: Operation.Unary, _ x: Int64) -> Int64 {
        switch function {
        case .relu: max(x, 0)
        case .clip(let minimum, let maximum):
            min(max(x, integer(minimum)), integer(maximum))
        case .negate: 0 &- x
        case .absolute: x < 0 ? 0 &- x : x
        case .not: x == 0 ? 1 : 0
        default: x
        }
    }

    static func binary(
        _ function: Operation.Binary, _ a: Tensor, _ b: Tensor, _ type: ScalarType
    ) throws -> Tensor {
        let broadcast = try Broadcast([a.shape, b.shape])
        let pairs = zip(
            offsets(broadcast.shape, strides: broadcast.strides[0]),
            offsets(broadcast.shape, strides: broadcast.strides[1]))
        let shape = broadcast.shape
        switch (a.kind, b.kind) {
        case (.int64, .int64):
            let (x, y) = (a.integers, b.integers)
            return Tensor(
                shape: shape,
                integers: try pairs.map { type.wrapped(try value(function, x[$0], y[$1])) })
        case (.int64, .float32):
            // Only a power has operands of two types; its result has that of the first.
            let (x, y) = (a.integers, b.floats)
            return Tensor(
                shape: shape,
                integers: pairs.map { type.wrapped(integer(pow(Double(x[$0]), Double(y[$1])))) })
        default:
            let (x, y) = (a.floats, b.kind == .float32 ? b.floats : b.integers.map { Float($0) })
            if type == .bool {
                return Tensor(
                    shape: shape, integers: pairs.map { compares(function, x[$0], y[$1]) ? 1 : 0 })
            }
            return Tensor(shape: shape, pairs.map { value(function, x[$0], y[$1]) })
        }
    }

    private static func value(_ function: Operation.Binary, _ a: Float, _ b: Float) -> Float {
        switch function {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .power: Float(pow(Double(a), Double(b)))
        case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
        case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
        default: compares(function, a, b) ? 1 : 0
        }
    }

    private static func compares<Number: Comparable & Numeric>(
        _ function: Operation.Binary, _ a: Number, _ b: Number
    ) -> Bool {
        switch function {
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        case .and: a != 0 && b != 0
        case .or: a != 0 || b != 0
        default: a == b
        }
    }

    private static func value(
        _ function: Operation.Binary, _ a: Int64, _ b: Int64
    ) throws -> Int64 {
        switch function {
        case .add: return a &+ b
        case .subtract: return a &- b
        case .multiply: return a &* b
        case .divide:
            guard b != 0 else { throw NetworkError(.invalidNode, "an integer divided by 0") }
            return a.dividedReportingOverflow(by: b).partialValue
        case .power: return power(a, b)
        case .minimum: return min(a, b)
        case .maximum: return max(a, b)
        default: return compares(function, a, b) ? 1 : 0
        }
    }

    /// The lowest bits of a power; what is below 1 is 0.
    private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
        if exponent < 0 {
            return base == 1 ? 1 : base == -1 ? (exponent & 1 == 0 ? 1 : -1) : 0
        }
        var (result, square, rest): (Int64, Int64, Int64) = (1, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result = result &* square }
            square = square &* square
            rest >>= 1
        }
        return result
    }

    static func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let broadcast = try Broadcast([condition.shape, a.shape, b.shape])
        let offsets = offsets(broadcast)
        let chooses = condition.integers
        func chosen<Element>(_ a: [Element], _ b: [Element]) -> [Element] {
            offsets[0].indices.map { i in
                chooses[offsets[0][i]] != 0 ? a[offsets[1][i]] : b[offsets[2][i]]
            }
        }
        return switch a.kind {
        case .float32: Tensor(shape: broadcast.shape, chosen(a.floats, b.floats))
        case .int64: Tensor(shape: broadcast.shape, integers: chosen(a.integers, b.integers))
        }
    }

    static func cast(_ x: Tensor, _ type: ScalarType) -> Tensor {
        switch (x.kind, type.kind) {
        case (.float32, .float32): x
        case (.int64, .float32): Tensor(shape: x.shape, x.integers.map { Float($0) })
        case (.int64, .int64): Tensor(shape: x.shape, integers: x.integers.map(type.wrapped))
        case (.float32, .int64):
            Tensor(
                shape: x.shape,
                integers: x.floats.map { value in
                    // Any number but zero is true, also one that truncates to zero.
                    type == .bool ? (value == 0 ? 0 : 1) : type.wrapped(integer(Double(value)))
                })
        }
    }

    private static func integer(_ value: Float) -> Int64 { integer(Double(value)) }

    /// The integer part, at the borders of the type for what is beyond them; 0 for NaN.
    private static func integer(_ value: Double) -> Int64 {
        if value.isNaN { return 0 }
        if value >= 0x1p63 { return .max }
        return value <= -0x1p63 ? .min : Int64(value)
    }
}
