/// An error of training.
public struct TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, as a stable name that callers can switch on and tools can print.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// An operator that has no gradient here.
        public static let notDifferentiable = Code(rawValue: "not-differentiable")
        /// A loss, a gradient or a weight is NaN or infinite.
        public static let notANumber = Code(rawValue: "not-a-number")
        /// A setting out of its range.
        public static let invalidOption = Code(rawValue: "invalid-option")
        /// A checkpoint that is damaged or of another run.
        public static let invalidCheckpoint = Code(rawValue: "invalid-checkpoint")
        /// Images, labels or a network that do not fit each other.
        public static let invalidInput = Code(rawValue: "invalid-input")
    }

    public let code: Code
    /// The values that were wrong and the rule that they broke.
    public let message: String
    /// The node, parameter, option or file that it is about.
    public var path: String?

    public init(_ code: Code, _ message: String, path: String? = nil) {
        self.code = code
        self.message = message
        self.path = path
    }

    public var description: String {
        path.map { "\($0): \(message)" } ?? message
    }
}
