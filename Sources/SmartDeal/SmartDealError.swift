/// Why a file-level task could not be done.
public struct SmartDealError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, as a stable name.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The input is in SmartDeal form already.
        public static let alreadyCompressed = Code(rawValue: "already-compressed")
        /// The input is not in SmartDeal form.
        public static let notCompressed = Code(rawValue: "not-compressed")
        /// Two files do not hold the same tensors.
        public static let tensorsDiffer = Code(rawValue: "tensors-differ")
        /// The unfinished work was begun with another input or other options.
        public static let cannotResume = Code(rawValue: "cannot-resume")
        /// The task was asked to stop.
        public static let interrupted = Code(rawValue: "interrupted")
    }

    public let code: Code
    public let message: String
    /// The file or tensor.
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
