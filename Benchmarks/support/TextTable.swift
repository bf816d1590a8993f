/// Rows of text in aligned columns.
package struct TextTable: Sendable {
    package struct Column: Sendable {
        package let title: String
        /// Whether its cells line up at the right, as numbers do.
        package let isNumeric: Bool

        package init(_ title: String, isNumeric: Bool = true) {
            self.title = title
            self.isNumeric = isNumeric
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count)
        rows.append(cells)
    }

    /// The lines of the table, the titles first; no line ends with spaces.
    package var lines: [String] {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                if column > 0 { line += "  " }
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += columns[column].isNumeric ? padding + cell : cell + padding
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
