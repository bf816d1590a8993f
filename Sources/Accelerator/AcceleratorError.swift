/// What is wrong with an accelerator, an energy table or a workload, or with how they meet.
public struct AcceleratorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error, as a stable name that callers can switch on and tools can print.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A description that is not YAML, or whose keys and values are not those that there are.
        public static let invalidDescription = Code(rawValue: "invalid-description")
        /// No preset has this name.
        public static let unknownPreset = Code(rawValue: "unknown-preset")
        /// The energy table has no row for what the accelerator does.
        public static let missingUnit = Code(rawValue: "missing-unit")
        /// A density, histogram or shape that no layer can have.
        public static let invalidWorkload = Code(rawValue: "invalid-workload")
    }

    public let code: Code
    /// Every mistake found, one sentence each, with the path of its key.
    public let problems: [String]
    /// What the error is about: the name of an accelerator, a table or a layer.
    public let path: String?

    public init(_ code: Code, _ problems: [String], path: String? = nil) {
        self.code = code
        self.problems = problems
        self.path = path
    }

    /// All problems, one after the other.
    public var message: String { problems.joined(separator: "; ") }

    public var description: String {
        "\(code.rawValue)\(path.map { " in '\($0)'" } ?? ""): \(message)"
    }
}
