import enum Networks.NearNames
import Yams

extension Recipe {
    /// Reads a recipe:
    ///
    /// ```yaml
    /// mode: best            # every key of LayerOptions.keys, and bits, for all weights
    /// kinds:
    ///   conv1x1: {prune: 0.3}
    /// layers:               # exact names or patterns
    ///   "layer4.*.weight": {prune: 0.7}
    ///   fc.weight: {skip: true}
    /// ```
    ///
    /// - Throws: ``DecompositionError`` `.invalidRecipe` with the line for whatever is unknown or of
    ///   another kind than expected.
    public init(yaml text: String) throws {
        self.init()
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw DecompositionError(.invalidRecipe, "it is not YAML: \(error)")
        }
        guard let root else { return }
        for (key, value) in try Self.entries(of: root, "a recipe") {
            switch key.text {
            case "bits":
                guard case .number(let number) = try Self.value(of: value), number > 0 else {
                    throw Self.invalid("'bits' is a positive number", at: value)
                }
                bits = number
            case "kinds":
                for (name, settings) in try Self.entries(of: value, "'kinds'") {
                    guard let kind = LayerKind(rawValue: name.text), kind != .vector else {
                        let names = LayerKind.allCases.filter { $0 != .vector }.map(\.rawValue)
                        throw Self.invalid(
                            "there is no kind '\(name.text)', there are "
                                + names.joined(separator: ", "), at: name.node)
                    }
                    kinds[kind] = try Self.settings(of: settings)
                }
            case "layers":
                for (name, settings) in try Self.entries(of: value, "'layers'") {
                    rules.append(Rule(Glob(name.text), try Self.settings(of: settings)))
                }
            default:
                defaults.append(
                    try Self.setting(
                        key, value, others: ["bits", "kinds", "layers"]))
            }
        }
    }

    private typealias Key = (text: String, node: Yams.Node)

    private static func invalid(_ message: String, at node: Yams.Node) -> DecompositionError {
        DecompositionError(
            .invalidRecipe, message, path: node.mark.map { "line \($0.line)" })
    }

    private static func entries(of node: Yams.Node, _ what: String) throws -> [(Key, Yams.Node)] {
        guard let mapping = node.mapping else {
            throw invalid("\(what) is a list of 'key: value'", at: node)
        }
        return try mapping.map { key, value in
            guard let text = key.scalar?.string else {
                throw invalid("a key is a word or a pattern", at: key)
            }
            return ((text, key), value)
        }
    }

    private static func settings(of node: Yams.Node) throws -> [Setting] {
        try entries(of: node, "what is asked of a layer").map { try setting($0, $1, others: []) }
    }

    private static func setting(_ key: Key, _ node: Yams.Node, others: [String]) throws -> Setting {
        guard LayerOptions.keys.contains(key.text) else {
            let known = LayerOptions.keys + others
            throw invalid(
                "there is no option '\(key.text)'" + NearNames.hint(key.text, among: known),
                at: key.node)
        }
        let setting = Setting(key.text, try value(of: node))
        do {
            var trial = LayerOptions()
            try trial.set(setting.key, to: setting.value)
        } catch let error as DecompositionError {
            throw invalid(error.message, at: node)
        }
        return setting
    }

    private static func value(of node: Yams.Node) throws -> RecipeValue {
        if let flag = node.bool { return .flag(flag) }
        if let number = node.float { return .number(number) }
        guard let text = node.scalar?.string else {
            throw invalid("a value is a number, a word, or true or false", at: node)
        }
        return .text(text)
    }
}
