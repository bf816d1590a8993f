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
