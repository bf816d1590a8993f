/// An error that compressing a weight, or asking for it, can raise.
public struct DecompositionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, as a stable name that callers can switch on and tools can print.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A weight that is NaN or infinite.
        public static let nonFiniteWeight = Code(rawValue: "non-finite-weight")
        /// An option out of its range, or two that contradict each other.
        public static let invalidOption = Code(rawValue: "invalid-option")
        /// A recipe that is not what a recipe looks like.
        public static let invalidRecipe = Code(rawValue: "invalid-recipe")
        /// A pattern or name that no tensor of the model has.
        public static let unmatchedPattern = Code(rawValue: "unmatched-pattern")
        /// The caller asked to stop.
        public static let cancelled = Code(rawValue: "cancelled")
    }

    public let code: Code
    /// The values that were wrong and the rule that they broke, in one sentence.
    public let message: String
    /// What the error is about: a tensor's name, or a line of a recipe.
    public let path: String?

    public init(_ code: Code, _ message: String, path: String? = nil) {
        self.code = code
        self.message = message
        self.path = path
    }

    public var description: String {
        let place = path.map { " in '\($0)'" } ?? ""
        return "\(code.rawValue)\(place): \(message)"
    }
}
