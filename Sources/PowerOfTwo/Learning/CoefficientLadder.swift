/// The values that each coefficient of a symbol can take while it learns, and which symbol every
/// move leads to.
///
/// A ladder is the rising list of the values that an alphabet has for a coefficient, less
/// magnitudes outside of the limits. One step is to the next rung: away from zero to the next larger
/// magnitude, towards it to the next smaller one, from the smallest to zero where the alphabet has
/// zero and else through zero to the smallest of the other sign. A move to a pattern that is not in
/// the alphabet is not made.
package struct CoefficientLadder: Sendable, Equatable {
    /// The values of each coefficient, rising.
    package let levels: [[Double]]
    /// For each coefficient the least value that is rounded to each level above the first.
    package let bounds: [[Float]]
    /// `[coefficient][level][symbol]`: the symbol that has this level of the coefficient, or the
    /// same symbol when there is none. Nibbles beyond the alphabet, which stand for zero, included.
    package let atLevel: [[[UInt8]]]
    /// `[coefficient][symbol]`: the symbol one step down.
    package let lower: [[UInt8]]
    /// `[coefficient][symbol]`: the symbol one step up.
    package let higher: [[UInt8]]

    /// Creates the ladders of an alphabet.
    ///
    /// - Parameters:
    ///   - smallest: magnitudes below, but for zero, are no rungs (theta).
    ///   - largest: magnitudes above are no rungs.
    package init(_ alphabet: Alphabet, smallest: Double = 0, largest: Double = .infinity) {
        let width = alphabet.coefficientsPerSymbol
        let patterns = (0..<Alphabet.capacity).map { symbol in
            symbol < alphabet.symbolCount
                ? Array(alphabet[symbol]) : Array(repeating: 0, count: width)
        }
        /// The symbol with one coefficient replaced.
        func symbol(_ symbol: Int, _ k: Int, _ value: Double?) -> UInt8 {
            guard let value else { return UInt8(symbol) }
            var wanted = patterns[symbol]
            if wanted[k] == value { return UInt8(symbol) }
            wanted[k] = value
            return UInt8(patterns.prefix(alphabet.symbolCount).firstIndex(of: wanted) ?? symbol)
        }
        levels = (0..<width).map { k in
            Set(patterns.prefix(alphabet.symbolCount).map { $0[k] })
                .filter { $0 == 0 || (abs($0) >= smallest && abs($0) <= largest) }.sorted()
        }
        bounds = levels.map { levels in
            zip(levels, levels.dropFirst()).map { below, above in
                Self.bound(below, above, smallest: smallest)
            }
        }
        let symbols = 0..<Alphabet.capacity
        atLevel = levels.enumerated().map { k, levels in
            levels.map { level in symbols.map { symbol($0, k, level) } }
        }
        lower = levels.enumerated().map { k, levels in
            symbols.map { from in symbol(from, k, levels.last { $0 < patterns[from][k] }) }
        }
        higher = levels.enumerated().map { k, levels in
            symbols.map { from in symbol(from, k, levels.first { $0 > patterns[from][k] }) }
        }
    }

    /// The least value that is rounded to the upper of two neighbours: from the middle on to the
    /// larger magnitude, but what is below `smallest` to zero.
    private static func bound(_ below: Double, _ above: Double, smallest: Double) -> Float {
        if below < 0, above > 0 { return 0 }
        let zero = smallest > 0 ? smallest : nil
        if below >= 0 {
            return Float(below == 0 ? zero ?? above / 2 : (below + above) / 2)
        }
        // The middle itself belongs to the value below, whose magnitude is larger.
        return Float(above == 0 ? -(zero ?? -below / 2) : (below + above) / 2).nextUp
    }
}
