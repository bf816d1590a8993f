/// The table that a nibble selects from: at most 16 symbols, each a pattern of one or two
/// coefficients that are zero or a signed power of two.
public struct Alphabet: Sendable, Hashable {
    /// The most symbols that a nibble can tell apart.
    public static let capacity = 16

    /// Coefficients a symbol: 1 or 2.
    public let coefficientsPerSymbol: Int
    /// The coefficients, symbol after symbol: `symbolCount * coefficientsPerSymbol` values, each 0
    /// or ±2^p.
    public let coefficients: [Double]
    /// A short name for tables and reports, such as `4x4` or `single`; the numbers decide.
    public let name: String

    /// The number of symbols, at most 16.
    public var symbolCount: Int { coefficients.count / coefficientsPerSymbol }

    /// Creates an alphabet from its table.
    ///
    /// - Parameter symbols: the coefficients of each symbol, all of one length, 1 or 2.
    /// - Throws: ``PowerOfTwoError`` `.invalidAlphabet` for an empty or too long table, symbols of
    ///   unequal length, or a value that is neither 0 nor ±2^p with p in -64...64.
    public init(name: String, symbols: [[Double]]) throws {
        guard let first = symbols.first, symbols.count <= Alphabet.capacity else {
            throw PowerOfTwoError(
                .invalidAlphabet, "an alphabet has 1 to 16 symbols, not \(symbols.count)")
        }
        guard (1...2).contains(first.count), symbols.allSatisfy({ $0.count == first.count }) else {
            throw PowerOfTwoError(
                .invalidAlphabet, "every symbol has the same number of coefficients, 1 or 2")
        }
        for value in symbols.joined() where !Alphabet.isCoefficient(value) {
            throw PowerOfTwoError(
                .invalidAlphabet, "\(value) is neither 0 nor a power of two from 2^-64 to 2^64")
        }
        self.init(name: name, width: first.count, coefficients: Array(symbols.joined()))
    }

    private init(name: String, width: Int, coefficients: [Double]) {
        self.name = name
        coefficientsPerSymbol = width
        self.coefficients = coefficients
    }

    /// The coefficients of one symbol.
    public subscript(symbol: Int) -> ArraySlice<Double> {
        coefficients[(symbol * coefficientsPerSymbol)..<((symbol + 1) * coefficientsPerSymbol)]
    }

    /// The exponent of the smallest coefficient that is not zero.
    public var smallestExponent: Int {
        coefficients.filter { $0 != 0 }.map { Int($0.exponent) }.min() ?? 0
    }

    private static func isCoefficient(_ value: Double) -> Bool {
        value == 0 || (value.isNormal && value.significand == 1 && abs(value.exponent) <= 64)
    }

    /// All pairs of a coefficient of `first` and one of `second`.
    private static func product(_ name: String, _ first: [Double], _ second: [Double]) -> Alphabet {
        Alphabet(
            name: name, width: 2, coefficients: first.flatMap { a in second.flatMap { [a, $0] } })
    }

    /// The authors' form: one coefficient, 0 or ± seven exponents, the largest 2^0.
    ///
    /// Symbol 0 is zero, 1...7 are 2^0...2^-6, 8...14 their negatives.
    public static let single = Alphabet(
        name: "single", width: 1,
        coefficients: [0] + (0..<7).map { 1 / Double(1 << $0) }
            + (0..<7).map { -1 / Double(1 << $0) })

    /// Two coefficients from {±1, ±1/4}: 16 symbols, no zero, the least error for a nibble.
    public static let quarters = product("4x4", [1, -1, 0.25, -0.25], [1, -1, 0.25, -0.25])

    /// Two coefficients, {0, ±1, ±1/2} and {0, ±1}: 15 symbols with zeros, for hardware that skips.
    public static let halves = product("5x3", [0, 1, -1, 0.5, -0.5], [0, 1, -1])

    /// Two coefficients, {±1, ±1/2, ±1/4, ±1/8} and ±1: 16 symbols whose levels grow by doubling,
    /// for weights with long tails when a weight is one symbol.
    public static let octaves = product(
        "8x2", [1, -1, 0.5, -0.5, 0.25, -0.25, 0.125, -0.125], [1, -1])

    /// The alphabets that recipes can name.
    public static let named = [single, quarters, halves, octaves]
}
