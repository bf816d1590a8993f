import PowerOfTwo

/// How often each symbol of one alphabet is stored in all tensors that use it.
struct SymbolHistogram: Sendable {
    /// The name of the alphabet.
    let alphabet: String
    let tensorCount: Int
    /// By symbol.
    let counts: [Double]

    /// A histogram for every alphabet that compressed tensors use, by name.
    static func all(_ tensors: [CompressionReport.Tensor]) -> [SymbolHistogram] {
        let counted = tensors.filter { $0.compressed && !($0.symbol_counts ?? []).isEmpty }
        let groups = Dictionary(grouping: counted) { $0.alphabet ?? "unnamed" }
        return groups.sorted { $0.key < $1.key }.map { SymbolHistogram($0.key, $0.value) }
    }

    private init(_ alphabet: String, _ tensors: [CompressionReport.Tensor]) {
        self.alphabet = alphabet
        tensorCount = tensors.count
        let lists = tensors.map { $0.symbol_counts ?? [] }
        let length = min(Alphabet.capacity, lists.map(\.count).max() ?? 0)
        counts = lists.reduce(into: [Double](repeating: 0, count: length)) { sums, list in
            for (symbol, count) in list.prefix(length).enumerated() {
                sums[symbol] += Double(count)
            }
        }
    }

    /// What the symbols stand for: `(1, -1/4)`, or their numbers where the alphabet is not known.
    private var labels: [String] {
        guard let known = Alphabet.named.first(where: { $0.name == alphabet }),
            known.symbolCount >= counts.count
        else { return counts.indices.map { "symbol \($0)" } }
        return counts.indices.map { symbol in
            let coefficients = known[symbol].map(HumanNumber.powerOfTwo)
            guard coefficients.count > 1 else { return coefficients.joined() }
            return "(" + coefficients.joined(separator: ", ") + ")"
        }
    }

    var html: HTML {
        let total = counts.reduce(0, +)
        let shares = counts.map { total > 0 ? $0 / total : 0 }
        let scale = 200 / max(shares.max() ?? 0, 1e-9)
        let height = 22 * Double(counts.count)
        let even = 92 + scale / Double(max(1, counts.count))
        let rows = zip(labels, shares).enumerated().map { index, row -> HTML in
            let y = 22 * Double(index)
            let length = row.1 * scale
            return """
                <text x="84" y="\(y + 15)" text-anchor="end">\(row.0)</text>\
                <rect class="bar" x="92" y="\(y + 3)" width="\(length)" height="16">\
                <title>\(row.0): \(HumanNumber.count(counts[index])) times</title></rect>\
                <text x="356" y="\(y + 15)" text-anchor="end">\(HumanNumber.percent(row.1))</text>
                """
        }
        let tensors = tensorCount == 1 ? "1 tensor" : "\(tensorCount) tensors"
        return """
            <figure>
            <figcaption>Alphabet <b>\(alphabet.shortened)</b>, \
            \(HumanNumber.count(total)) symbols in \(tensors)</figcaption>
            <svg xmlns="http://www.w3.org/2000/svg" class="histogram" \
            viewBox="0 0 360 \(height)" role="img" aria-label="Share of each symbol">
            <path class="even" d="M\(even) 0V\(height)"><title>an even share</title></path>
            \(rows)
            </svg>
            </figure>
            """
    }
}
