/// Columns of text, aligned: the first to the left, the others to the right unless told otherwise.
public struct TextTable: Sendable {
    private var rows: [[String]]
    private let leftAligned: Set<Int>

    /// - Parameter leftAligned: columns that are aligned to the left.
    public init(_ header: [String], leftAligned: Set<Int> = [0]) {
        rows = [header]
        self.leftAligned = leftAligned
    }

    /// Adds a row below.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, a rule below the header, joined.
    public var text: String { lines.joined(separator: "\n") }

    /// The lines, a rule below the header; none ends with spaces.
    public var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        var lines = rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "")
                line += leftAligned.contains(column) ? cell + padding : padding + cell
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        lines.insert(
            widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
        return lines
    }
}
