public import DenseMath

/// A neural network: named values, the nodes that compute them, and the parameters they use.
///
/// Everything reads this one representation: a model file is read into it and written from it,
/// weights are compressed in it, plans are made to run it. Nodes are in an order in which each
/// uses only what is there before it: inputs, parameters and outputs of earlier nodes.
public struct Network: Sendable {
    /// A name for people.
    public var name: String
    /// What has to be given to run it, in order.
    public var inputs: [Input]
    /// The names of the values that running it gives, in order.
    public var outputs: [String]
    /// The nodes, in an order in which they can be run.
    public var nodes: [Node]
    /// Constants by the name of their value: weights, biases, statistics, shapes.
    public var parameters: [String: Parameter]
    /// How images become the first input, and the names of classes, where they are known.
    public var preprocessing: Preprocessing?
    /// Between which numbers values lie, where that has been measured.
    public var activationRanges: ActivationRanges?
    /// What else the file says about the model, by key.
    public var metadata: [String: String]

    /// Creates a network; see ``check()``.
    public init(
        name: String, inputs: [Input] = [], outputs: [String] = [], nodes: [Node] = [],
        parameters: [String: Parameter] = [:], preprocessing: Preprocessing? = nil,
        activationRanges: ActivationRanges? = nil, metadata: [String: String] = [:]
    ) {
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = nodes
        self.parameters = parameters
        self.preprocessing = preprocessing
        self.activationRanges = activationRanges
        self.metadata = metadata
    }

    /// A value that has to be given to run the network.
    public struct Input: Sendable, Equatable {
        public var name: String
        public var elementType: ScalarType
        public var shape: [Dimension]

        public init(_ name: String, _ elementType: ScalarType = .float32, _ shape: [Dimension]) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
        }

        /// Its type and shape for people: `float32 [batch, 3, 224, 224]`.
        public var typeText: String {
            "\(elementType.rawValue) [\(shape.map(\.description).joined(separator: ", "))]"
        }
    }

    /// A dimension of an input: a number, or a name that stands for one, such as `batch`.
    public enum Dimension: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible
    {
        case fixed(Int)
        case named(String)

        public init(integerLiteral value: Int) { self = .fixed(value) }

        public var description: String {
            switch self {
            case .fixed(let value): String(value)
            case .named(let name): name
            }
        }
    }
}

/// What the elements of a value are, as model files tell them apart.
///
/// In memory there are floats, and 64-bit integers for all others (``Tensor/Kind``).
public enum ScalarType: String, Sendable, Hashable {
    case float32, int64, int32, uint8, int8, bool

    /// The tensor kind that holds such elements.
    public var kind: Tensor.Kind { self == .float32 ? .float32 : .int64 }
}

extension Network {
    /// The bytes of all parameters as they are kept: packed ones packed.
    public var parameterByteCount: Int { parameters.values.reduce(0) { $0 + $1.byteCount } }

    /// Checks that names are unique, that every value used is there before it is used, that outputs
    /// exist and that nodes have as many inputs and outputs as their operation takes.
    ///
    /// - Throws: ``NetworkError`` naming the node and the value.
    public func check() throws {
        var known = Set<String>()
        func define(_ name: String, _ place: String) throws {
            guard known.insert(name).inserted else {
                throw NetworkError(
                    .duplicateValue, "two things give the value '\(name)'", node: place)
            }
        }
        for input in inputs { try define(input.name, "") }
        for name in parameters.keys { try define(name, "") }
        for node in nodes {
            for name in node.inputs where !name.isEmpty && !known.contains(name) {
                throw NetworkError(
                    .undefinedValue,
                    "its input '\(name)' is no input of the network, no parameter and no output "
                        + "of an earlier node", node: node.name)
            }
            let inputs = node.operation.inputCounts
            guard inputs.contains(node.inputs.count) else {
                throw NetworkError(
                    .invalidNode,
                    "\(node.operation.name) takes \(inputs.lowerBound) to \(inputs.upperBound) "
                        + "inputs, found \(node.inputs.count)", node: node.name)
            }
            for name in node.outputs where !name.isEmpty { try define(name, node.name) }
        }
        for name in outputs where !known.contains(name) {
            throw NetworkError(.undefinedValue, "the network's output '\(name)' does not exist")
        }
    }
}
