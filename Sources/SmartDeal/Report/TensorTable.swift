/// The tensors of a report as tables: compressed ones with what it cost them, kept ones with why.
struct TensorTable: Sendable {
    private let report: CompressionReport
    private let compressed: [(id: Int, tensor: CompressionReport.Tensor)]
    private let kept: [CompressionReport.Tensor]
    private let largestError: Double
    private let showsDensity: Bool
    /// Whether not all were compressed in one way.
    private let showsReasons: Bool

    /// Kept tensors that are shown without being asked for.
    private static let openRows = 8

    init(_ report: CompressionReport) {
        self.report = report
        compressed = report.tensors.enumerated().filter(\.element.compressed)
            .map { (id: $0.offset, tensor: $0.element) }
        kept = report.tensors.filter { !$0.compressed }
        largestError = compressed.compactMap(\.tensor.relative_error).filter(\.isFinite).max() ?? 0
        showsDensity = compressed.contains { !$0.tensor.densities.isEmpty }
        showsReasons = Set(compressed.map(\.tensor.reason)).count > 1
    }

    /// Those with the largest errors, the worst first, at most five.
    var worst: HTML? {
        let known = compressed.compactMap { row in
            row.tensor.relative_error.map { (row, error: $0.isFinite ? $0 : .infinity) }
        }
        guard !known.isEmpty else { return nil }
        let rows = known.sorted { $0.error > $1.error }.prefix(5).map { row, _ -> HTML in
            """
            <li>\(error(of: row.tensor)) \
            <a href="#t\(row.id)">\(HTML.name(row.tensor.name))</a> <span class="quiet">at \
            \(HumanNumber.bits(row.tensor.bits_per_weight))</span></li>
            """
        }
        return "<section><h2>Largest errors</h2><ol class=\"worst\">\(rows)</ol></section>"
    }

    var compressedTable: HTML? {
        guard !compressed.isEmpty else { return nil }
        let density: HTML? = showsDensity ? "<th>not zero</th>" : nil
        return """
            <section><h2>Compressed tensors</h2>
            <div class="scroll" tabindex="0"><table>
            <thead><tr><th>tensor</th><th>kind</th><th>shape</th><th class="n">bits a weight</th>\
            <th>error</th>\([density])<th class="n">bytes</th><th class="n">ratio</th></tr></thead>
            <tbody>
            \(compressed.map { row($0.tensor, id: $0.id) })
            </tbody>
            \([compressed.count > 1 ? total : nil])
            </table></div></section>
            """
    }

    private func row(_ tensor: CompressionReport.Tensor, id: Int) -> HTML {
        let how: HTML? =
            showsReasons && !tensor.reason.isEmpty ? "<small>\(tensor.reason)</small>" : nil
        let lines = tensor.densities.map { "<div>\($0)</div>" as HTML }
        let density: HTML? = showsDensity ? "<td class=\"quiet\">\(lines)</td>" : nil
        return """
            <tr id="t\(id)"><th scope="row">\(HTML.name(tensor.name))\([how])</th>\
            <td>\(tensor.kind.shortened)</td><td>\(tensor.shapeText) \
            <small>\(tensor.dtype.shortened)</small></td>\
            <td class="n" title="\(tensor.form)">\(HumanNumber.bits(tensor.bits_per_weight))</td>\
            <td>\(error(of: tensor))</td>\([density])\
            <td class="n">\(HumanNumber.bytes(Double(tensor.bytes_before))) \u{2192} \
            \(HumanNumber.bytes(Double(tensor.bytes_after)))</td>\
            <td class="n">\(Self.ratio([tensor]))</td></tr>
            """
    }

    private var total: HTML {
        let tensors = compressed.map(\.tensor)
        let density: HTML? = showsDensity ? "<td></td>" : nil
        let weights = tensors.reduce(0) { $0 + $1.countedWeights }
        return """
            <tfoot><tr><th scope="row">all \(tensors.count)</th><td></td>\
            <td>\(HumanNumber.count(weights)) weights</td>\
            <td class="n">\(HumanNumber.bits(tensors.payload * 8 / max(1, weights)))</td>\
            <td>\(HumanNumber.percent(report.relative_error))</td>\([density])\
            <td class="n">\(HumanNumber.bytes(tensors.bytesBefore)) \u{2192} \
            \(HumanNumber.bytes(tensors.payload))</td>\
            <td class="n">\(Self.ratio(tensors))</td></tr></tfoot>
            """
    }

    /// The error with a bar as long as its share of the largest.
    private func error(of tensor: CompressionReport.Tensor) -> HTML {
        let text = HumanNumber.percent(tensor.relative_error)
        guard let error = tensor.relative_error, error.isFinite, largestError > 0 else {
            return "<span class=\"error\">\(text)</span>"
        }
        return """
            <span class="error">\(text)</span><svg xmlns="http://www.w3.org/2000/svg" \
            class="errorbar" width="56" height="8" aria-hidden="true">\
            <rect class="track" width="56" height="8" rx="2"/>\
            <rect class="bar" width="\(max(0, 56 * error / largestError))" height="8" rx="2"/></svg>
            """
    }

    var keptTable: HTML? {
        guard !kept.isEmpty else { return nil }
        let open: HTML = kept.count <= Self.openRows ? #" open="open""# : ""
        let reasons = Dictionary(grouping: kept, by: \.reason).map { ($0.value.count, $0.key) }
            .sorted { ($1.0, $0.1) < ($0.0, $1.1) }
            .map { count, reason in
                (count < kept.count ? "\(count) " : "")
                    + (reason.isEmpty ? "no reason given" : reason.shortened)
            }
        let summary = reasons.prefix(6).joined(separator: ", ") + (reasons.count > 6 ? ", ..." : "")
        let count = kept.count == 1 ? "1 tensor" : "\(kept.count) tensors"
        let rows = kept.map { tensor -> HTML in
            """
            <tr><th scope="row">\(HTML.name(tensor.name))</th><td>\(tensor.kind.shortened)</td>\
            <td>\(tensor.shapeText) <small>\(tensor.dtype.shortened)</small></td>\
            <td class="n">\(HumanNumber.bytes(Double(tensor.bytes_before)))</td>\
            <td>\(tensor.reason)</td></tr>
            """
        }
        return """
            <section><h2>Kept as they are</h2>
            <details\(open)><summary>\(count), \(HumanNumber.bytes(kept.bytesBefore)): \
            \(summary)</summary>
            <div class="scroll" tabindex="0"><table>
            <thead><tr><th>tensor</th><th>kind</th><th>shape</th><th class="n">bytes</th>\
            <th>reason</th></tr></thead>
            <tbody>
            \(rows)
            </tbody></table></div></details></section>
            """
    }

    private static func ratio(_ tensors: [CompressionReport.Tensor]) -> String {
        HumanNumber.ratio(tensors.bytesBefore / tensors.payload)
    }
}

extension CompressionReport.Tensor {
    /// The number of weights, for drawing: no shape is too large for it.
    var countedWeights: Double { min(max(0, shape.reduce(1) { $0 * Double($1) }), 1e18) }

    fileprivate var shapeText: String {
        shape.isEmpty ? "one number" : shape.map(String.init).joined(separator: " \u{D7} ")
    }

    /// The shares that are below 1, in words.
    fileprivate var densities: [String] {
        [("coefficients", density), ("rows", row_density), ("groups", group_density)]
            .compactMap { name, share in
                guard let share, share < 1 else { return nil }
                return "\(HumanNumber.percent(share)) of \(name)"
            }
    }

    /// How a weight is stored, in words.
    fileprivate var form: String {
        var words: [String] = []
        if let alphabet { words.append("alphabet \(alphabet.shortened)") }
        if let nibbles_per_row, let basis_width {
            words.append("\(nibbles_per_row) symbols for \(basis_width) weights")
        }
        if let filters_per_basis { words.append("a basis for \(filters_per_basis) filters") }
        return words.joined(separator: ", ")
    }
}

extension [CompressionReport.Tensor] {
    fileprivate var bytesBefore: Double { reduce(0) { $0 + Double($1.bytes_before) } }
    fileprivate var payload: Double { reduce(0) { $0 + Double($1.bytes_after) } }
}
