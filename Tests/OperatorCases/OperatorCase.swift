package import DenseMath
import Foundation
package import Networks

/// Not Foundation's.
package typealias Operation = Networks.Operation

/// One node and what ONNX Runtime computes for it: see Fixtures/operators.
package struct OperatorCase: Decodable, Sendable, CustomStringConvertible {
    package let `operator`: String
    let attributes: [String: Attribute]
    let inputs: [Value?]
    package let outputs: [Value]

    /// Empty when they cannot be read, which the count of cases shows.
    package static let all: [OperatorCase] = (try? read()) ?? []

    private static func read() throws -> [OperatorCase] {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/operators/expected.json")
        struct File: Decodable { let cases: [OperatorCase] }
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).cases
    }

    package var description: String {
        let shapes = inputs.map { $0.map { "\($0.shape)" } ?? "-" }.joined(separator: ", ")
        let list = attributes.sorted { $0.key < $1.key }.map { "\($0): \($1)" }
        return "\(self.operator)(\(shapes)) \(list.joined(separator: ", "))"
    }

    package enum Attribute: Decodable, Sendable, CustomStringConvertible {
        case int(Int)
        case float(Double)
        case string(String)
        case ints([Int])
        case tensor(Value)

        package init(from decoder: Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let int = try? value.decode(Int.self) {
                self = .int(int)
            } else if let float = try? value.decode(Double.self) {
                self = .float(float)
            } else if let string = try? value.decode(String.self) {
                self = .string(string)
            } else if let ints = try? value.decode([Int].self) {
                self = .ints(ints)
            } else {
                self = .tensor(try value.decode(Value.self))
            }
        }

        package var description: String {
            switch self {
            case .int(let value): "\(value)"
            case .float(let value): "\(value)"
            case .string(let value): value
            case .ints(let value): "\(value)"
            case .tensor(let value): "\(value.tensor.shape)"
            }
        }
    }

    /// A tensor of known type.
    package struct Value: Decodable, Sendable {
        package let type: ScalarType
        package let shape: [Int]
        package let tensor: Tensor

        private enum Keys: CodingKey { case type, shape, values }

        package init(from decoder: Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            type = try required(ScalarType(rawValue: container.decode(String.self, forKey: .type)))
            shape = try container.decode([Int].self, forKey: .shape)
            if type == .float32 {
                let values = try container.decode([Number].self, forKey: .values)
                tensor = Tensor(shape: shape, values.map(\.value))
            } else {
                let values = try container.decode([Int64].self, forKey: .values)
                tensor = Tensor(shape: shape, integers: values)
            }
        }

        package var info: ValueInfo { ValueInfo(type, shape, constant: tensor) }

        /// A number, or text for those that JSON does not have.
        private struct Number: Decodable {
            let value: Float

            init(from decoder: Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let text = try? container.decode(String.self) {
                    value = try required(Float(text))
                } else {
                    value = Float(try container.decode(Double.self))
                }
            }
        }
    }
}

/// A case that lacks something.
private struct Incomplete: Error {}

private func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Incomplete() }
    return value
}

extension OperatorCase {
    /// The operation, and those of the inputs that are no attributes of it.
    package func decoded() throws -> (Operation, [Value?]) {
        switch self.operator {
        case "Conv":
            let kernel = try required(ints("kernel_shape"))
            let convolution = Operation.Convolution(
                kernel: kernel, strides: ints("strides"), dilations: ints("dilations"),
                groups: int("group") ?? 1, padding: padding(kernel))
            return (.conv(convolution), inputs)
        case "MaxPool", "AveragePool":
            let kernel = try required(ints("kernel_shape"))
            let pooling = Operation.Pooling(
                kernel: kernel, strides: ints("strides"), dilations: ints("dilations"),
                padding: padding(kernel), roundsUp: int("ceil_mode") == 1)
            let countsPadding = int("count_include_pad") == 1
            return self.operator == "MaxPool"
                ? (.maxPool(pooling), inputs)
                : (.averagePool(pooling, countsPadding: countsPadding), inputs)
        case "GlobalAveragePool": return (.globalAveragePool, inputs)
        case "GlobalMaxPool": return (.globalMaxPool, inputs)
        case "Gemm":
            let gemm = Operation.Gemm(
                alpha: float("alpha") ?? 1, beta: float("beta") ?? 1,
                transposesA: int("transA") == 1, transposesB: int("transB") == 1)
            return (.gemm(gemm), inputs)
        case "MatMul": return (.matMul, inputs)
        case "BatchNormalization":
            return (.batchNormalization(epsilon: float("epsilon") ?? 1e-5), inputs)
        case "LayerNormalization":
            return (
                .layerNormalization(axis: int("axis") ?? -1, epsilon: float("epsilon") ?? 1e-5),
                inputs
            )
        case "Softmax": return (.softmax(axis: int("axis") ?? -1), inputs)
        case "Where": return (.where, inputs)
        case "Reshape": return (.reshape(allowsZero: int("allowzero") == 1), inputs)
        case "Flatten": return (.flatten(axis: int("axis") ?? 1), inputs)
        case "Squeeze": return (.squeeze(axes: list(1)), [inputs[0]])
        case "Unsqueeze": return (.unsqueeze(axes: try required(list(1))), [inputs[0]])
        case "Transpose": return (.transpose(permutation: ints("perm")), inputs)
        case "Concat": return (.concat(axis: try required(int("axis"))), inputs)
        case "Split":
            return (.split(axis: int("axis") ?? 0, sizes: list(1)), [inputs[0]])
        case "Slice": return (.slice, inputs)
        case "Gather": return (.gather(axis: int("axis") ?? 0), inputs)
        case "Pad":
            let mode = try required(Operation.Padding(rawValue: string("mode") ?? "constant"))
            return (.pad(mode), inputs)
        case "Expand": return (.expand, inputs)
        case "Shape": return (.shape(start: int("start") ?? 0, end: int("end")), inputs)
        case "ConstantOfShape": return (.constantOfShape(value: constant), inputs)
        case "Range": return (.range, inputs)
        case "Cast": return (.cast(outputs[0].type), inputs)
        case "Clip":
            let bounds = (1...2).map { index -> Float? in
                index < inputs.count ? inputs[index]?.tensor.floats.first : nil
            }
            let clip = Operation.Unary.clip(
                minimum: bounds[0] ?? -.infinity, maximum: bounds[1] ?? .infinity)
            return (.unary(clip), [inputs[0]])
        default:
            if let reduction = Self.reductions[self.operator] {
                let keeps = int("keepdims") != 0
                return (.reduce(reduction, axes: list(1), keepsDimensions: keeps), [inputs[0]])
            }
            if let function = Self.binaries[self.operator] { return (.binary(function), inputs) }
            return (.unary(try required(unary)), inputs)
        }
    }

    private static let reductions: [String: Operation.Reduction] = [
        "ReduceMean": .mean, "ReduceSum": .sum, "ReduceMax": .maximum, "ReduceMin": .minimum,
        "ReduceProd": .product,
    ]

    private static let binaries: [String: Operation.Binary] = [
        "Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide, "Pow": .power,
        "Min": .minimum, "Max": .maximum, "Equal": .equal, "Less": .less,
        "LessOrEqual": .lessOrEqual, "Greater": .greater, "GreaterOrEqual": .greaterOrEqual,
        "And": .and, "Or": .or,
    ]

    private var unary: Operation.Unary? {
        switch self.operator {
        case "LeakyRelu": .leakyRelu(alpha: float("alpha") ?? 0.01)
        case "Elu": .elu(alpha: float("alpha") ?? 1)
        case "HardSigmoid": .hardSigmoid(alpha: float("alpha") ?? 0.2, beta: float("beta") ?? 0.5)
        case "Gelu": .gelu(approximately: string("approximate") == "tanh")
        default:
            [
                Operation.Unary.identity, .relu, .sigmoid, .hardSwish, .silu, .tanh, .erf, .exp,
                .log, .sqrt, .reciprocal, .negate, .absolute, .floor, .ceil, .not,
            ].first { $0.name == self.operator }
        }
    }

    private var constant: Operation.Constant {
        guard case .tensor(let value) = attributes["value"] else { return .float(0) }
        return value.type == .float32
            ? .float(value.tensor.floats[0]) : .integer(value.tensor.integers[0], value.type)
    }

    private func padding(_ kernel: [Int]) -> Operation.SpatialPadding {
        switch string("auto_pad") {
        case "SAME_UPPER": .sameUpper
        case "SAME_LOWER": .sameLower
        default:
            .explicit(
                Array(ints("pads")?.prefix(kernel.count) ?? []),
                Array(ints("pads")?.suffix(kernel.count) ?? []))
        }
    }

    /// An input that is an attribute here.
    private func list(_ index: Int) -> [Int]? {
        index < inputs.count ? inputs[index]?.tensor.integers.map { Int($0) } : nil
    }

    private func int(_ name: String) -> Int? {
        if case .int(let value) = attributes[name] { value } else { nil }
    }

    private func ints(_ name: String) -> [Int]? {
        if case .ints(let value) = attributes[name] { value } else { nil }
    }

    private func string(_ name: String) -> String? {
        if case .string(let value) = attributes[name] { value } else { nil }
    }

    private func float(_ name: String) -> Float? {
        switch attributes[name] {
        case .int(let value): Float(value)
        case .float(let value): Float(value)
        default: nil
        }
    }
}
