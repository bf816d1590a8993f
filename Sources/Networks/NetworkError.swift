/// What is wrong with a network, or with what it was asked to do.
public struct NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error: a stable name that scripts may compare.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// Two things give a value of the same name.
        public static let duplicateValue = Code(rawValue: "duplicate-value")
        /// A value is used that nothing before gives.
        public static let undefinedValue = Code(rawValue: "undefined-value")
        /// A node has a wrong number of inputs or an attribute that its operation does not allow.
        public static let invalidNode = Code(rawValue: "invalid-node")
        /// The shapes of a node's inputs do not fit its operation.
        public static let shapeMismatch = Code(rawValue: "shape-mismatch")
        /// The operator is none that this project computes.
        public static let unsupportedOperator = Code(rawValue: "unsupported-operator")
        /// An input is missing, unknown, or of another shape or type than the network takes.
        public static let invalidInput = Code(rawValue: "invalid-input")
        /// No built-in network has this name, or it cannot have this input.
        public static let unknownNetwork = Code(rawValue: "unknown-network")
        /// Bytes were asked for, and the network does not say between which numbers values lie.
        public static let noActivationRanges = Code(rawValue: "no-activation-ranges")
        /// It would need more memory than can be asked for.
        public static let tooLarge = Code(rawValue: "too-large")
    }

    public let code: Code
    /// The values found and the rule they break.
    public let message: String
    /// The node, if the error is about one.
    public let node: String?

    public init(_ code: Code, _ message: String, node: String? = nil) {
        self.code = code
        self.message = message
        self.node = node.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The whole error on one line: `code in node 'name': message`.
    public var description: String {
        "\(code.rawValue)\(node.map { " in node '\($0)'" } ?? ""): \(message)"
    }
}
