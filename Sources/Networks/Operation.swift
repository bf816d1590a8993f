/// What a node computes: an ONNX operator with its attributes, in the meaning of opset 21.
///
/// Attributes that older opsets had are brought to this meaning when a file is read. What ONNX
/// passes as a constant input and plans need as a number (axes, bounds) is an attribute here.
public enum Operation: Sendable, Hashable {
    /// Convolution: inputs X `[N, C, spatial...]`, W `[M, C / groups, kernel...]`, optional bias `[M]`.
    case conv(Convolution)
    /// alpha A' B' + beta C, A `[M, K]`, B `[K, N]`, each transposed first when said so.
    case gemm(Gemm)
    /// Matrix product over the last two dimensions, the others broadcast.
    case matMul
    /// Inputs X, scale, bias, mean, variance, each of the channel dimension 1.
    case batchNormalization(epsilon: Float)
    /// Inputs X, scale, optional bias; over all dimensions from `axis` on.
    case layerNormalization(axis: Int, epsilon: Float)
    /// Over one dimension.
    case softmax(axis: Int)
    case unary(Unary)
    /// Two inputs, broadcast to one shape.
    case binary(Binary)
    /// Inputs condition, X, Y, broadcast to one shape.
    case `where`
    case maxPool(Pooling)
    /// `countsPadding`: padded positions count in the divisor.
    case averagePool(Pooling, countsPadding: Bool)
    /// Mean over all spatial dimensions, which become 1.
    case globalAveragePool
    /// Maximum over all spatial dimensions, which become 1.
    case globalMaxPool
    /// `axes` nil: over all dimensions. Negative axes count from the end.
    case reduce(Reduction, axes: [Int]?, keepsDimensions: Bool)
    /// Inputs X and the shape; 0 keeps a dimension (unless `allowsZero`), -1 is what is left.
    case reshape(allowsZero: Bool)
    /// To two dimensions: those before `axis`, and the others.
    case flatten(axis: Int)
    /// `axes` nil: all dimensions that are 1.
    case squeeze(axes: [Int]?)
    case unsqueeze(axes: [Int])
    /// `permutation` nil: dimensions reversed.
    case transpose(permutation: [Int]?)
    case concat(axis: Int)
    /// Into parts of the given sizes, or equal ones.
    case split(axis: Int, sizes: [Int]?)
    /// Inputs X, starts, ends, optional axes, optional steps.
    case slice
    /// Inputs X and integer indices, along `axis`.
    case gather(axis: Int)
    /// Inputs X, pads, optional value, optional axes.
    case pad(Padding)
    /// Inputs X and a shape that it is broadcast with.
    case expand
    /// The shape of X, from dimension `start` to `end` (nil: to the last).
    case shape(start: Int, end: Int?)
    /// Input: a shape. Every element is `value`.
    case constantOfShape(value: Constant)
    /// Inputs start, limit, delta.
    case range
    case cast(ScalarType)
    /// An operator that this project does not compute. Its weights can still be compressed.
    case foreign(Foreign)
}

extension Operation {
    /// Attributes of a convolution.
    public struct Convolution: Sendable, Hashable {
        /// The kernel's spatial sizes.
        public var kernel: [Int]
        public var strides: [Int]
        public var dilations: [Int]
        public var groups: Int
        public var padding: SpatialPadding

        /// Missing values are 1, or no padding.
        public init(
            kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, groups: Int = 1,
            padding: SpatialPadding = .explicit([], [])
        ) {
            self.kernel = kernel
            self.strides = strides ?? kernel.map { _ in 1 }
            self.dilations = dilations ?? kernel.map { _ in 1 }
            self.groups = groups
            self.padding = padding
        }
    }

    /// Zeros (for maximum: nothing) around the spatial dimensions.
    public enum SpatialPadding: Sendable, Hashable {
        /// At the beginning and at the end of each dimension; empty for none.
        case explicit([Int], [Int])
        /// As much as makes the output size ⌈input / stride⌉, the odd one at the end.
        case sameUpper
        /// As ``sameUpper``, the odd one at the beginning.
        case sameLower
    }

    /// Attributes of a pooling.
    public struct Pooling: Sendable, Hashable {
        public var kernel: [Int]
        public var strides: [Int]
        public var dilations: [Int]
        public var padding: SpatialPadding
        /// Whether a last window that is only partly inside counts.
        public var roundsUp: Bool

        /// Missing values are 1, or no padding.
        public init(
            kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil,
            padding: SpatialPadding = .explicit([], []), roundsUp: Bool = false
        ) {
            self.kernel = kernel
            self.strides = strides ?? kernel.map { _ in 1 }
            self.dilations = dilations ?? kernel.map { _ in 1 }
            self.padding = padding
            self.roundsUp = roundsUp
        }
    }

    /// Attributes of ``Operation/gemm(_:)``.
    public struct Gemm: Sendable, Hashable {
        public var alpha: Float
        public var beta: Float
        public var transposesA: Bool
        public var transposesB: Bool

        public init(
            alpha: Float = 1, beta: Float = 1, transposesA: Bool = false, transposesB: Bool = false
        ) {
            self.alpha = alpha
            self.beta = beta
            self.transposesA = transposesA
            self.transposesB = transposesB
        }
    }

    /// Functions of one value, element by element.
    public enum Unary: Sendable, Hashable {
        case identity
        case relu
        case leakyRelu(alpha: Float)
        case elu(alpha: Float)
        case clip(minimum: Float, maximum: Float)
        case sigmoid
        case hardSigmoid(alpha: Float, beta: Float)
        case hardSwish
        /// x times its sigmoid.
        case silu
        case tanh
        /// `approximately`: by the formula with tanh.
        case gelu(approximately: Bool)
        case erf, exp, log, sqrt, reciprocal, negate, absolute, floor, ceil
        case not
    }

    /// Functions of two values, element by element.
    public enum Binary: String, Sendable, Hashable {
        case add, subtract, multiply, divide, power, minimum, maximum
        case equal, less, lessOrEqual, greater, greaterOrEqual, and, or
    }

    public enum Reduction: String, Sendable, Hashable {
        case mean, sum, maximum, minimum, product
    }

    public enum Padding: String, Sendable, Hashable {
        case constant, reflect, edge
    }

    /// One number.
    public enum Constant: Sendable, Hashable {
        case float(Float)
        case integer(Int64, ScalarType)
    }

    /// An operator that this project does not compute.
    public struct Foreign: Sendable, Hashable {
        /// The operator set, empty for ONNX's own.
        public var domain: String
        public var type: String

        public init(domain: String = "", type: String) {
            self.domain = domain
            self.type = type
        }
    }
}
