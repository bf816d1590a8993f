import SmartDeal

/// A run as one page for a browser: no scripts, nothing loaded from elsewhere.
package struct BenchmarkPage: Sendable {
    private let report: BenchmarkReport
    private let roofline: RooflineChart?
    private let sweep: SweepChart?
    private let tables: [(title: String, table: ResultTable)]

    package init(
        _ report: BenchmarkReport, roofline: RooflineChart?, sweep: SweepChart?,
        tables: [(title: String, table: ResultTable)]
    ) {
        self.report = report
        self.roofline = roofline
        self.sweep = sweep
        self.tables = tables
    }

    package var html: String {
        let page: HTML = """
            <!DOCTYPE html>
            <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>SmartDeal kernels on \(report.machine.cpu)</title>
            <style>\(HTMLReportStyle.sheet) \(RooflineChart.style)</style>
            </head>
            <body>
            <header>
            <h1>SmartDeal kernels and what this machine allows</h1>
            <p>\(report.machine.description)<br/>\(report.toolchain)<br/>\(report.blas)</p>
            </header>
            <main>
            \([roofline.map(rooflineSection), sweep.map(sweepSection)])
            \(tables.map(section))
            </main>
            </body>
            </html>

            """
        return page.source
    }

    private func rooflineSection(_ chart: RooflineChart) -> HTML {
        """
        <section><h2>Roofline, one thread</h2>
        \(chart.html)
        <p>A mark is a kernel on one layer: the operations that it really does (a product and its \
        sum are two, a look-up is one) over the bytes that it has to move, each counted once. The \
        lines are limits that loops which do nothing else reached in the same run. Marks of \
        matrices times vectors read their weights from memory; the others find theirs in a cache. \
        Small marks tell what they are when pointed at.</p></section>
        """
    }

    private func sweepSection(_ chart: SweepChart) -> HTML {
        """
        <section><h2>How much has to be dropped, one thread</h2>
        \(chart.html)
        <p>Operations are those of the dense layer, whatever is kept of it.</p></section>
        """
    }

    private func section(_ item: (title: String, table: ResultTable)) -> HTML {
        "<section><h2>\(item.title)</h2>\(item.table.html)</section>"
    }
}
