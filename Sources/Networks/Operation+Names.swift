extension Operation {
    /// The operator's ONNX name, such as `Conv`.
    public var name: String {
        switch self {
        case .conv: "Conv"
        case .gemm: "Gemm"
        case .matMul: "MatMul"
        case .batchNormalization: "BatchNormalization"
        case .layerNormalization: "LayerNormalization"
        case .softmax: "Softmax"
        case .unary(let function): function.name
        case .binary(let function): function.name
        case .where: "Where"
        case .maxPool: "MaxPool"
        case .averagePool: "AveragePool"
        case .globalAveragePool: "GlobalAveragePool"
        case .globalMaxPool: "GlobalMaxPool"
        case .reduce(let reduction, _, _): reduction.name
        case .reshape: "Reshape"
        case .flatten: "Flatten"
        case .squeeze: "Squeeze"
        case .unsqueeze: "Unsqueeze"
        case .transpose: "Transpose"
        case .concat: "Concat"
        case .split: "Split"
        case .slice: "Slice"
        case .gather: "Gather"
        case .pad: "Pad"
        case .expand: "Expand"
        case .shape: "Shape"
        case .constantOfShape: "ConstantOfShape"
        case .range: "Range"
        case .cast: "Cast"
        case .foreign(let foreign):
            foreign.domain.isEmpty ? foreign.type : "\(foreign.domain).\(foreign.type)"
        }
    }

    /// How many inputs a node may list, those left out included.
    var inputCounts: ClosedRange<Int> {
        switch self {
        case .conv, .gemm, .layerNormalization: 2...3
        case .matMul, .binary, .reshape, .gather, .expand: 2...2
        case .batchNormalization: 5...5
        case .where, .range: 3...3
        case .slice: 3...5
        case .pad: 2...4
        case .concat: 1...(1 << 16)
        case .foreign: 0...(1 << 16)
        default: 1...1
        }
    }
}

extension Operation.Unary {
    /// The operator's ONNX name.
    public var name: String {
        switch self {
        case .identity: "Identity"
        case .relu: "Relu"
        case .leakyRelu: "LeakyRelu"
        case .elu: "Elu"
        case .clip: "Clip"
        case .sigmoid: "Sigmoid"
        case .hardSigmoid: "HardSigmoid"
        case .hardSwish: "HardSwish"
        case .silu: "Silu"
        case .tanh: "Tanh"
        case .gelu: "Gelu"
        case .erf: "Erf"
        case .exp: "Exp"
        case .log: "Log"
        case .sqrt: "Sqrt"
        case .reciprocal: "Reciprocal"
        case .negate: "Neg"
        case .absolute: "Abs"
        case .floor: "Floor"
        case .ceil: "Ceil"
        case .not: "Not"
        }
    }
}

extension Operation.Binary {
    /// The operator's ONNX name.
    public var name: String {
        switch self {
        case .add: "Add"
        case .subtract: "Sub"
        case .multiply: "Mul"
        case .divide: "Div"
        case .power: "Pow"
        case .minimum: "Min"
        case .maximum: "Max"
        case .equal: "Equal"
        case .less: "Less"
        case .lessOrEqual: "LessOrEqual"
        case .greater: "Greater"
        case .greaterOrEqual: "GreaterOrEqual"
        case .and: "And"
        case .or: "Or"
        }
    }
}

extension Operation.Reduction {
    /// The operator's ONNX name.
    public var name: String {
        switch self {
        case .mean: "ReduceMean"
        case .sum: "ReduceSum"
        case .maximum: "ReduceMax"
        case .minimum: "ReduceMin"
        case .product: "ReduceProd"
        }
    }
}
