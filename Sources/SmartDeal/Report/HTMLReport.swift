import Foundation

extension CompressionReport {
    /// The report as one page for a browser: no scripts, nothing loaded from elsewhere, light or
    /// dark as the reader has it.
    public func html() -> String {
        let tables = TensorTable(self)
        let page: HTML = """
            <!DOCTYPE html>
            <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>\(Self.fileName(input).shortened), compressed by SmartDeal</title>
            <style>\(HTMLReportStyle.sheet)</style>
            </head>
            <body>
            <header>
            <h1>\(HTML.name(Self.fileName(input)))</h1>
            \([estimateNote, emptyNote])
            \(figures)
            \([comparison.map(\.html)])
            <p>\(errorMeaning)</p>
            \(facts)
            </header>
            <main>
            \([tables.worst])
            \(charts)
            \([tables.compressedTable, tables.keptTable])
            </main>
            </body>
            </html>

            """
        return page.source
    }

    private var estimateNote: HTML? {
        estimated ? "<p class=\"note\">estimated, nothing was written</p>" : nil
    }

    private var emptyNote: HTML? {
        tensors.contains(where: \.compressed)
            ? nil : "<p class=\"note\">no tensor was compressed; the reasons are below</p>"
    }

    /// The numbers that matter most.
    private var figures: HTML {
        let change =
            HumanNumber.bytes(Double(input_bytes)) + " \u{2192} "
            + HumanNumber.bytes(Double(output_bytes))
        let smaller = ratio.isFinite && ratio > 0 ? (ratio < 1 ? " the size" : " smaller") : ""
        let size = ratio < 1 ? 1 / ratio : ratio
        let about = estimated ? ", estimated" : ""
        return """
            <div class="figures">
            <div><b>\(HumanNumber.ratio(size))</b>\(smaller)<small>\(change)\(about)</small>\
            <small>\(shareText)</small></div>
            <div><b>\(HumanNumber.bits(bits_per_weight))</b> a weight\
            <small>of compressed tensors, header included</small></div>
            <div><b>\(HumanNumber.percent(relative_error))</b> error\
            <small>\(worstText)\(about)</small></div>
            <div><b>\(HumanNumber.seconds(seconds))</b><small>\(threads) \
            \(threads == 1 ? "thread" : "threads"), \(instruction_set)</small></div>
            </div>
            """
    }

    private var shareText: String {
        let compressed = tensors.count(where: \.compressed)
        let share = "\(compressed) of \(tensors.count) tensors compressed"
        return compressed > 0 ? share + ", those \(HumanNumber.ratio(weights_ratio))" : share
    }

    private var worstText: String {
        guard let worst else { return "over all compressed weights" }
        return "largest in one tensor: \(HumanNumber.percent(worst.error))"
    }

    private var errorMeaning: HTML {
        """
        The error is how far the rebuilt weights are from the trained ones, \
        \u{2016}W \u{2212} rebuilt\u{2016}<sub>F</sub> / \u{2016}W\u{2016}<sub>F</sub>: 0 % is \
        exact, 100 % is as bad as all zeros. What it does to the model's answers \
        \(comparison == nil ? "only a run of the model can tell." : "is said above.")
        """
    }

    private var facts: HTML {
        var rows: [(String, HTML)] = [("input", HTML.name(input))]
        if let output { rows.append(("output", HTML.name(output))) }
        rows.append(("mode", "\(mode.isEmpty ? HumanNumber.unknown : mode)"))
        rows.append(("recipe", recipeText))
        return "<dl>\(rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as HTML })</dl>"
    }

    /// The recipe, its rules out of sight when there are many.
    private var recipeText: HTML {
        guard recipe.unicodeScalars.count > 160 else { return "\(recipe)" }
        return "<details><summary>\(recipe.shortened)</summary>\(recipe)</details>"
    }

    private var chartSection: HTML? {
        ErrorChart(tensors).map { chart in
            """
            <section><h2>Error against bits</h2>
            <p>Each circle is a compressed tensor, its area the number of its weights.</p>
            \(chart.html)</section>
            """
        }
    }

    /// The chart and the symbols, side by side as long as these are of one alphabet.
    private var charts: HTML {
        let histograms = SymbolHistogram.all(tensors)
        let sections = [chartSection, symbolSection(histograms)]
        return histograms.count == 1
            ? "<div class=\"charts\">\(sections)</div>" : "\(sections)"
    }

    private func symbolSection(_ histograms: [SymbolHistogram]) -> HTML? {
        guard !histograms.isEmpty else { return nil }
        return """
            <section><h2>Symbols</h2>
            <p>The share of each symbol, labelled with its coefficients; dashed: an even share.</p>
            <div class="histograms">\(histograms.map(\.html))</div></section>
            """
    }

    private static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
