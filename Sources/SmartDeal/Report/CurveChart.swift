/// Values epoch by epoch, a line each.
struct CurveChart: Sendable {
    /// One line.
    struct Curve: Sendable {
        let name: String
        /// The class that gives it its colour.
        let style: String
        let values: [Double]
    }

    private let title: String
    private let curves: [Curve]
    private let x: ChartAxis
    private let y: ChartAxis
    private let left: Double = 78
    private let right: Double = 588
    private let top: Double = 12
    private let bottom: Double = 234

    init(_ title: String, _ curves: [Curve]) {
        self.title = title
        self.curves = curves
        let count = Double(max(2, curves.map(\.values.count).max() ?? 0))
        x = ChartAxis(fitting: [1, count], start: left, end: right)
        y = ChartAxis(
            fitting: curves.flatMap(\.values).filter(\.isFinite), start: bottom, end: top)
    }

    /// The chart and its legend.
    var html: HTML {
        """
        <figure>
        <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 600 286" role="img" \
        aria-label="\(title) by epoch">
        \(grid)
        \(curves.map(line))
        </svg>
        <figcaption class="legend">\(curves.map(legend))</figcaption>
        </figure>
        """
    }

    private var grid: HTML {
        let columns = x.ticks.filter { $0 == $0.rounded() }.map { tick -> HTML in
            """
            <path class="grid" d="M\(x.position(tick)) \(top)V\(bottom + 5)"/>\
            <text x="\(x.position(tick))" y="\(bottom + 20)" text-anchor="middle">\(Int(tick))</text>
            """
        }
        let rows = y.ticks.map { tick -> HTML in
            let label = Self.label(tick)
            return """
                <path class="grid" d="M\(left - 5) \(y.position(tick))H\(right)"/>\
                <text x="\(left - 9)" y="\(y.position(tick) + 4)" text-anchor="end">\(label)</text>
                """
        }
        return """
            \(columns + rows)
            <path class="axis" d="M\(left) \(top)V\(bottom)H\(right)"/>
            <text x="\((left + right) / 2)" y="\(bottom + 42)" text-anchor="middle">epoch</text>
            """
    }

    private static func label(_ tick: Double) -> String {
        let size = abs(tick)
        let decimals = size == 0 || size >= 10 ? 0 : size >= 1 ? 1 : size >= 0.1 ? 2 : 4
        return HumanNumber.fixed(tick, decimals: decimals)
    }

    private func line(_ curve: Curve) -> HTML {
        let points = curve.values.enumerated().filter { $0.element.isFinite }.map { index, value in
            HumanNumber.fixed(x.position(Double(index + 1)), decimals: 1) + " "
                + HumanNumber.fixed(y.position(value), decimals: 1)
        }
        guard let first = points.first else { return "" }
        // A point alone is a line of no length with round ends.
        let path = points.count == 1 ? first + "h0" : points.joined(separator: "L")
        return #"<path class="curve \#(curve.style)" d="M\#(path)"/>"#
    }

    private func legend(_ curve: Curve) -> HTML {
        """
        <span><svg xmlns="http://www.w3.org/2000/svg" width="28" height="10">\
        <path class="curve \(curve.style)" d="M2 5H26"/></svg> \(curve.name)</span>
        """
    }
}
