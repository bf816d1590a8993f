/// Which benchmarks to run: those whose group and name contain every word of a text.
package struct NameFilter: Sendable {
    private let words: [String]

    /// - Parameter text: words in any order and letter case; nil or empty lets everything through.
    package init(_ text: String?) {
        words = (text ?? "").lowercased().split(separator: " ").map(String.init)
    }

    /// Whether everything passes.
    package var isOpen: Bool { words.isEmpty }

    package func matches(group: String, name: String) -> Bool {
        let text = "\(group) \(name)".lowercased()
        return words.allSatisfy { text.contains($0) }
    }
}
