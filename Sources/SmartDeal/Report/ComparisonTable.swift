extension ModelComparison {
    /// Both sides as a table for the report page.
    var html: HTML {
        let rows: [(String, [String])] = rows.map { ($0[0], Array($0.dropFirst())) }
        let body: [HTML] = rows.map { name, cells in
            "<tr><th scope=\"row\">\(name)</th>\(cells.map { "<td>\($0)</td>" as HTML })</tr>"
        }
        return """
            <section><h2>Before and after</h2>
            <div class="scroll"><table><thead><tr><th></th><th>before</th><th>after</th>\
            <th>change</th></tr></thead><tbody>\(body)</tbody></table></div>
            <p>\(conditions)</p></section>
            """
    }
}
