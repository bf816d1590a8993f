/// Bars beside each other's names, each in parts, with their sums.
struct StackedBars: Sendable {
    private let title: String
    private let bars: [(name: String, parts: [EnergyPart])]
    private let x: ChartAxis

    private static let left: Double = 128
    private static let right: Double = 650
    private static let rowHeight: Double = 30

    init(_ title: String, _ bars: [(name: String, parts: [EnergyPart])]) {
        self.title = title
        self.bars = bars
        let longest = bars.map { $0.parts.reduce(0) { $0 + $1.energy } }.max() ?? 1
        x = ChartAxis(fitting: [0, max(longest, 1)], start: Self.left, end: Self.right)
    }

    /// The chart and its legend.
    var html: HTML {
        let bottom = Double(bars.count) * Self.rowHeight + 6
        let ticks = x.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(x.position(tick)) 0V\(bottom + 5)"/>\
            <text x="\(x.position(tick))" y="\(bottom + 20)" text-anchor="middle">\
            \(HumanNumber.energy(tick))</text>
            """
        }
        return """
            <figure>
            <svg xmlns="http://www.w3.org/2000/svg" class="chart" \
            viewBox="0 0 760 \(bottom + 28)" role="img" aria-label="\(title)">
            \(ticks)
            \(bars.enumerated().map { row($0.offset, $0.element.name, $0.element.parts) })
            <path class="axis" d="M\(Self.left) 0V\(bottom)"/>
            </svg>
            <figcaption class="legend">\(EnergyPart.legend(bars.map(\.parts)))</figcaption>
            </figure>
            """
    }

    private func row(_ index: Int, _ name: String, _ parts: [EnergyPart]) -> HTML {
        let top = Double(index) * Self.rowHeight + 6
        let sum = parts.reduce(0) { $0 + $1.energy }
        var start = 0.0
        var pieces: [HTML] = []
        for part in parts where part.energy > 0 {
            let from = x.position(start)
            let share = HumanNumber.percent(part.energy / sum)
            pieces.append(
                """
                <rect class="filled \(part.style)" x="\(from)" y="\(top)" \
                width="\(x.position(start + part.energy) - from)" height="20"><title>\(name), \
                \(part.name): \(HumanNumber.energy(part.energy)), \(share)</title></rect>
                """)
            start += part.energy
        }
        let short = name.count > 17 ? name.prefix(16) + "\u{2026}" : name[...]
        return """
            <text x="\(Self.left - 8)" y="\(top + 15)" text-anchor="end">\(String(short))</text>
            \(pieces)
            <text class="halo" x="\(x.position(sum) + 7)" y="\(top + 15)">\
            \(HumanNumber.energy(sum))</text>
            """
    }
}
