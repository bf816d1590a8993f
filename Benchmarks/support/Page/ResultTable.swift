import SmartDeal

/// A table for both a terminal and a page.
package struct ResultTable: Sendable {
    package let header: [String]
    /// Columns of words; the others hold numbers.
    package let leftAligned: Set<Int>
    package private(set) var rows: [[String]] = []

    package init(_ header: [String], leftAligned: Set<Int> = [0]) {
        self.header = header
        self.leftAligned = leftAligned
    }

    package mutating func add(_ row: [String]) { rows.append(row) }

    package var lines: [String] {
        var table = TextTable(header, leftAligned: leftAligned)
        for row in rows { table.add(row) }
        return table.lines
    }

    package var html: HTML {
        func cell(_ column: Int, _ text: String, _ element: HTML) -> HTML {
            leftAligned.contains(column)
                ? "<\(element)>\(text)</\(element)>"
                : #"<\#(element) class="n">\#(text)</\#(element)>"#
        }
        let head = header.enumerated().map { cell($0.offset, $0.element, "th") }
        let body = rows.map { row -> HTML in
            "<tr>\(row.enumerated().map { cell($0.offset, $0.element, "td") })</tr>"
        }
        return """
            <div class="scroll" tabindex="0"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>\(body)</tbody></table></div>
            """
    }
}
