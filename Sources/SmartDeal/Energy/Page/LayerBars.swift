/// The layers of a network side by side, each a bar in parts.
struct LayerBars: Sendable {
    private let title: String
    private let bars: [(name: String, parts: [EnergyPart])]
    private let y: ChartAxis

    private static let left: Double = 76
    private static let right: Double = 1096
    private static let bottom: Double = 168

    /// - Parameter highest: pJ of the highest bar of all charts that are to be compared.
    init(_ title: String, _ bars: [(name: String, parts: [EnergyPart])], highest: Double) {
        self.title = title
        self.bars = bars
        y = ChartAxis(fitting: [0, max(highest, 1)], start: Self.bottom, end: 10)
    }

    /// The chart, without a legend.
    var html: HTML {
        let ticks = y.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(Self.left - 5) \(y.position(tick))H\(Self.right)"/>\
            <text x="\(Self.left - 9)" y="\(y.position(tick) + 4)" text-anchor="end">\
            \(HumanNumber.energy(tick))</text>
            """
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="chart wide" viewBox="0 0 1110 194" \
            role="img" aria-label="\(title)">
            \(ticks)
            \(bars.indices.map(column))
            <path class="axis" d="M\(Self.left) \(Self.bottom)H\(Self.right)"/>
            </svg>
            """
    }

    private func column(_ index: Int) -> HTML {
        let step = (Self.right - Self.left) / Double(bars.count)
        let width = min(40, step * 0.8)
        let middle = Self.left + (Double(index) + 0.5) * step
        let bar = bars[index]
        var sum = 0.0
        var pieces: [HTML] = []
        for part in bar.parts where part.energy > 0 {
            let from = y.position(sum)
            sum += part.energy
            pieces.append(
                """
                <rect class="filled \(part.style)" x="\(middle - width / 2)" \
                y="\(y.position(sum))" width="\(width)" height="\(from - y.position(sum))">\
                <title>\(bar.name.shortened), \(part.name): \(HumanNumber.energy(part.energy)) \
                of \(HumanNumber.energy(bar.parts.reduce(0) { $0 + $1.energy }))</title></rect>
                """)
        }
        let isLabelled = step >= 19 || index == 0 || (index + 1) % 5 == 0 && step >= 5
        let label: HTML? =
            isLabelled
            ? """
            <text x="\(middle)" y="\(Self.bottom + 18)" text-anchor="middle">\(index + 1)</text>
            """ : nil
        return "\(pieces + [label])"
    }
}
