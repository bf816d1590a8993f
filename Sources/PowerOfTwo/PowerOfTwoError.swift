/// A packed weight that contradicts itself.
public struct PowerOfTwoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, as a stable name.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A shape, width, count or layout that the format does not allow.
        public static let invalidGeometry = Code(rawValue: "invalid-geometry")
        /// An alphabet with too many symbols or entries that are no power of two.
        public static let invalidAlphabet = Code(rawValue: "invalid-alphabet")
        /// Symbols, masks, basis or scales of another size than the geometry asks for.
        public static let sizeMismatch = Code(rawValue: "size-mismatch")
        /// A basis or scale that is not finite.
        public static let nonFinite = Code(rawValue: "non-finite")
    }

    public let code: Code
    /// The values that were wrong and the rule that they broke.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
