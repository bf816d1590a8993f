/// Names near a wrong one, for messages.
package enum NearNames {
    /// At most three of `candidates`, the nearest first, that are within reach of `name`.
    package static func of(_ name: String, among candidates: some Sequence<String>) -> [String] {
        let limit = max(2, name.count / 3)
        return candidates.map { ($0, distance(name, $0)) }
            .filter { $0.1 <= limit || $0.0.contains(name) || name.contains($0.0) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            .prefix(3).map(\.0)
    }

    /// "; did you mean 'a' or 'b'?", or nothing.
    package static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
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
