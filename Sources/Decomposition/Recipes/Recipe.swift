import Networks

/// What is asked of a model: options for every weight, by exact name, pattern, kind or default.
///
/// The most telling rule wins, key by key: exact name over pattern over kind over default, and of
/// two patterns that match the later one.
public struct Recipe: Sendable, Equatable {
    /// Changes to the options of some weights.
    public struct Rule: Sendable, Equatable {
        /// The names that it is for.
        public let glob: Glob
        /// The keys that it sets, in order.
        public let settings: [Setting]

        public init(_ glob: Glob, _ settings: [Setting]) {
            self.glob = glob
            self.settings = settings
        }
    }

    /// A key and its value.
    public struct Setting: Sendable, Equatable {
        public let key: String
        public let value: RecipeValue

        public init(_ key: String, _ value: RecipeValue) {
            self.key = key
            self.value = value
        }
    }

    /// What holds for all weights.
    public var defaults: [Setting] = []
    /// What holds for weights of a kind.
    public var kinds: [LayerKind: [Setting]] = [:]
    /// Patterns and exact names, in order.
    public var rules: [Rule] = []
    /// Average bits a weight that the compressed weights may take in the file, or nil.
    public var bits: Double?

    public init() {}

    /// The options of a weight.
    ///
    /// - Throws: ``DecompositionError`` `.invalidOption` when they break a rule, naming the weight.
    public func options(for name: String, kind: LayerKind) throws -> LayerOptions {
        let matching = rules.filter { $0.glob.matches(name) }
        let settings =
            defaults + (kinds[kind] ?? [])
            + matching.filter { !$0.glob.isExactName }.flatMap(\.settings)
            + matching.filter(\.glob.isExactName).flatMap(\.settings)
        var options = LayerOptions()
        for setting in settings { try options.set(setting.key, to: setting.value) }
        let problems = options.problems
        guard options.skip || problems.isEmpty else {
            throw DecompositionError(
                .invalidOption, problems.joined(separator: "; "), path: name)
        }
        return options
    }

    /// Checks that every rule is for some of the weights.
    ///
    /// - Throws: ``DecompositionError`` `.unmatchedPattern` listing those that are for none, with
    ///   near names.
    public func check(against names: [String]) throws {
        let unmatched = rules.filter { rule in !names.contains { rule.glob.matches($0) } }
        guard !unmatched.isEmpty else { return }
        let list = unmatched.map { rule in
            "'\(rule.glob.pattern)'" + NearNames.hint(rule.glob.pattern, among: names)
        }
        throw DecompositionError(
            .unmatchedPattern, "no tensor is named " + list.joined(separator: ", nor "))
    }

    /// One line that says all, for the file's metadata and reports.
    public var summary: String {
        func text(_ settings: [Setting]) -> String {
            settings.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        }
        var parts: [String] = []
        if let bits { parts.append("bits=\(bits)") }
        if !defaults.isEmpty { parts.append(text(defaults)) }
        for kind in LayerKind.allCases {
            if let settings = kinds[kind] { parts.append("\(kind.rawValue): \(text(settings))") }
        }
        parts += rules.map { "\($0.glob.pattern): \(text($0.settings))" }
        return parts.isEmpty ? "default" : parts.joined(separator: "; ")
    }
}
