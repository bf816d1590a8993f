import Networks
import PowerOfTwo

/// A value of a recipe's key.
public enum RecipeValue: Sendable, Equatable, CustomStringConvertible {
    case number(Double)
    case text(String)
    case flag(Bool)

    public var description: String {
        switch self {
        case .number(let value): Int(exactly: value).map { String($0) } ?? String(value)
        case .text(let value): value
        case .flag(let value): value ? "true" : "false"
        }
    }
}

extension LayerOptions {
    /// The keys of a recipe, as in YAML and, with two dashes, on the command line.
    public static let keys = [
        "mode", "threshold", "iterations", "tolerance", "decay", "largest-coefficient",
        "column-scaling", "row-sparsity", "prune", "prune-kind", "nibbles", "basis-width",
        "basis-bits", "filters-per-basis", "alphabet", "skip",
    ]

    /// Sets the option of a key.
    ///
    /// - Throws: a sentence, ``DecompositionError`` `.invalidRecipe`, when the key is unknown or the
    ///   value is of another kind.
    public mutating func set(_ key: String, to value: RecipeValue) throws {
        func invalid(_ message: String) -> DecompositionError {
            DecompositionError(.invalidRecipe, message)
        }
        func number() throws -> Double {
            guard case .number(let number) = value else {
                throw invalid("'\(key)' is a number, not '\(value)'")
            }
            return number
        }
        func integer() throws -> Int {
            let number = try number()
            guard number == number.rounded(), abs(number) < 1e9 else {
                throw invalid("'\(key)' is a whole number, not \(value)")
            }
            return Int(number)
        }
        func flag() throws -> Bool {
            guard case .flag(let flag) = value else {
                throw invalid("'\(key)' is true or false, not '\(value)'")
            }
            return flag
        }
        func name<Choice: RawRepresentable & CaseIterable>(
            of type: Choice.Type
        ) throws -> Choice where Choice.RawValue == String {
            guard let choice = Choice(rawValue: value.description) else {
                let names = Choice.allCases.map(\.rawValue)
                throw invalid(
                    "'\(key)' is one of \(names.joined(separator: ", ")), not '\(value)'")
            }
            return choice
        }
        switch key {
        case "mode": mode = try name(of: Mode.self)
        case "threshold": threshold = try number()
        case "iterations": iterations = try integer()
        case "tolerance": tolerance = try number()
        case "decay": decay = try number()
        case "largest-coefficient": largestCoefficient = try number()
        case "column-scaling": columnScaling = try flag()
        case "row-sparsity": rowSparsity = try flag()
        case "prune": prune = try number()
        case "prune-kind": pruneKind = try name(of: PruneKind.self)
        case "nibbles": nibbles = try integer()
        case "basis-width": basisWidth = try integer()
        case "basis-bits": basisBits = try integer()
        case "filters-per-basis": filtersPerBasis = try integer()
        case "skip": skip = try flag()
        case "alphabet":
            let name = value.description
            guard let known = Alphabet.named.first(where: { $0.name == name }) else {
                let names = Alphabet.named.map(\.name).joined(separator: ", ")
                throw invalid("'alphabet' is one of \(names), not '\(name)'")
            }
            alphabet = known
        default:
            throw invalid(
                "there is no option '\(key)'" + NearNames.hint(key, among: LayerOptions.keys))
        }
    }
}
