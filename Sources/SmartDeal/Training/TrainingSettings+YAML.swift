import Decomposition
import Foundation
import Networks
import Training
import Yams

extension TrainingSettings {
    /// Reads settings from a YAML file, see ``read(yaml:overriding:)``.
    ///
    /// - Throws: ``TrainingError`` `.invalidOption` with the path.
    public mutating func read(
        contentsOf path: String, overriding override: (inout Self) -> Void = { _ in }
    ) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw TrainingError(.invalidOption, "it cannot be read as text", path: path)
        }
        do {
            try read(yaml: text, overriding: override)
        } catch let error as TrainingError {
            throw TrainingError(error.code, error.message, path: path)
        }
    }

    /// Reads settings from YAML; those that it does not name stay as they are.
    ///
    /// ```yaml
    /// epochs: 40
    /// schedule: cosine
    /// augmentation: {crop: 2, flip: false}
    /// swa: {start: 30}
    /// ```
    ///
    /// - Parameter override: sets what wins over the text, before rules are checked.
    /// - Throws: ``TrainingError`` `.invalidOption` with all mistakes, each with its line: unknown
    ///   keys with near names, values of another kind, broken rules.
    public mutating func read(
        yaml text: String, overriding override: (inout Self) -> Void = { _ in }
    ) throws {
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw TrainingError(.invalidOption, "it is not YAML: \(error)")
        }
        guard let root else { return }
        var problems: [String] = []
        var changed = self
        changed.read(root, group: "", problems: &problems)
        override(&changed)
        if problems.isEmpty { problems = changed.problems }
        guard problems.isEmpty else {
            throw TrainingError(.invalidOption, problems.joined(separator: "\n"))
        }
        self = changed
    }

    private mutating func read(_ node: Yams.Node, group: String, problems: inout [String]) {
        func note(_ message: String, at node: Yams.Node) {
            problems.append((node.mark.map { "line \($0.line): " } ?? "") + message)
        }
        guard let mapping = node.mapping else {
            let name = group.isEmpty ? "a configuration" : "'\(group.dropLast())'"
            return note("\(name) is a list of 'key: value'", at: node)
        }
        let keys = Self.keys
        let groups = Set(keys.filter { $0.contains(".") }.map { $0.prefix { $0 != "." } + "." })
        for (key, value) in mapping {
            guard let word = key.scalar?.string else {
                note("a key is a word", at: key)
                continue
            }
            let name = group + word
            if groups.contains(name + ".") {
                read(value, group: name + ".", problems: &problems)
            } else if !keys.contains(name) {
                let hint = NearNames.hint(name, among: keys)
                note("there is no setting '\(name)'" + hint, at: key)
            } else if let value = Self.value(of: value) {
                do {
                    try set(name, to: value)
                } catch let error as DecompositionError {
                    note(error.message, at: key)
                } catch {
                    note("\(error)", at: key)
                }
            } else {
                note("'\(name)' is a number, a word, or true or false", at: value)
            }
        }
    }

    private static func value(of node: Yams.Node) -> RecipeValue? {
        if let flag = node.bool { return .flag(flag) }
        if let number = node.float { return .number(number) }
        return node.scalar.map { .text($0.string) }
    }
}
