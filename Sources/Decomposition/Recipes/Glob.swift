/// A pattern of names: `*` stands for any characters, `?` for one, `{a,b}` for one of several.
public struct Glob: Sendable, Hashable {
    /// The pattern as written.
    public let pattern: String
    /// The pattern with every choice of its braces.
    private let alternatives: [[Character]]

    public init(_ pattern: String) {
        self.pattern = pattern
        alternatives = Glob.expanded(pattern).map(Array.init)
    }

    /// Whether it has no wildcard, so that it can match only itself.
    public var isExactName: Bool { !pattern.contains { "*?{".contains($0) } }

    /// Whether the whole of `name` matches.
    public func matches(_ name: String) -> Bool {
        let name = Array(name)
        return alternatives.contains { Glob.matches($0, name) }
    }

    /// Linear in the product of both lengths: on a mismatch the last `*` takes one more character.
    private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
        var p = 0
        var n = 0
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                p = last.pattern + 1
                n = last.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }

    /// The patterns that the braces of `pattern` stand for; braces without a partner are plain.
    private static func expanded(_ pattern: String) -> [String] {
        guard let open = pattern.firstIndex(of: "{"),
            let close = pattern[open...].firstIndex(of: "}")
        else { return [pattern] }
        let rest = expanded(String(pattern[pattern.index(after: close)...]))
        let choices = pattern[pattern.index(after: open)..<close]
            .split(separator: ",", omittingEmptySubsequences: false)
        return choices.flatMap { choice in rest.map { pattern[..<open] + choice + $0 } }
    }
}

/// Names near a wrong one, for messages.
enum NearNames {
    /// At most three of `candidates`, the nearest first, that are within reach of `name`.
    static func of(_ name: String, among candidates: some Sequence<String>) -> [String] {
        let limit = max(2, name.count / 3)
        return candidates.map { ($0, distance(name, $0)) }
            .filter { $0.1 <= limit || $0.0.contains(name) || name.contains($0.0) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            .prefix(3).map(\.0)
    }

    /// "; did you mean 'a' or 'b'?", or nothing.
    static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
        let near = of(name, among: candidates)
        guard !near.isEmpty else { return "" }
        return "; did you mean " + near.map { "'\($0)'" }.joined(separator: " or ") + "?"
    }

    /// Levenshtein's distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (b[j] == character ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
