/// The plane of a chart of points: axes with their names, grid and labels.
struct ChartFrame: Sendable {
    /// A quantity along an axis.
    struct Quantity: Sendable {
        let name: String
        let values: [Double]
        let label: @Sendable (Double) -> String
        /// Whether the axis is logarithmic whatever the values are.
        var isLogarithmic = false
    }

    let x: ChartAxis
    let y: ChartAxis
    private let names: (x: Quantity, y: Quantity)
    private let size: (width: Double, height: Double)
    private let left: Double = 84
    private let top: Double = 12
    private var right: Double { size.width - 28 }
    private var bottom: Double { size.height - 52 }

    /// Logarithmic where the largest value is more than 20 times the smallest.
    init(_ xs: Quantity, _ ys: Quantity, width: Double, height: Double) {
        func axis(_ quantity: Quantity, _ start: Double, _ end: Double) -> ChartAxis {
            let values = quantity.values
            let low = values.min() ?? 1
            let isWide = low > 0 && (values.max() ?? 1) / low > 20
            return low > 0 && (quantity.isLogarithmic || isWide)
                ? ChartAxis(logarithmic: values, start: start, end: end)
                : ChartAxis(fitting: values, start: start, end: end)
        }
        names = (xs, ys)
        size = (width, height)
        x = axis(xs, left, width - 28)
        y = axis(ys, height - 52, top)
    }

    /// A drawing of what `content` has, over the grid.
    func drawing(_ title: String, _ content: [HTML?]) -> HTML {
        """
        <svg xmlns="http://www.w3.org/2000/svg" class="chart" \
        viewBox="0 0 \(size.width) \(size.height)" role="img" aria-label="\(title)">
        \(grid)
        \(content)
        </svg>
        """
    }

    private var grid: HTML {
        // Labels closer than this run into each other.
        let every = max(1, Int((Double(x.ticks.count) * 62 / (right - left)).rounded(.up)))
        let columns = x.ticks.enumerated().map { index, tick -> HTML in
            let label: HTML? =
                index % every == 0
                ? """
                <text x="\(x.position(tick))" y="\(bottom + 19)" text-anchor="middle">\
                \(names.x.label(tick))</text>
                """ : nil
            let line: HTML = """
                <path class="grid" d="M\(x.position(tick)) \(top)V\(bottom + 5)"/>
                """
            return "\([line, label])"
        }
        let rows = y.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(left - 5) \(y.position(tick))H\(right)"/>\
            <text x="\(left - 9)" y="\(y.position(tick) + 4)" text-anchor="end">\
            \(names.y.label(tick))</text>
            """
        }
        return """
            \(columns + rows)
            <path class="axis" d="M\(left) \(top)V\(bottom)H\(right)"/>
            <text x="\((left + right) / 2)" y="\(bottom + 42)" text-anchor="middle">\
            \(names.x.name)</text>
            <text transform="translate(14 \((top + bottom) / 2)) rotate(-90)" \
            text-anchor="middle">\(names.y.name)</text>
            """
    }

    /// Three digits, small numbers too.
    static func number(_ value: Double) -> String {
        let size = abs(value)
        if size >= 1000 { return HumanNumber.count(value) }
        let decimals = size == 0 || size >= 10 ? 0 : size >= 1 ? 1 : size >= 0.1 ? 2 : 3
        return HumanNumber.fixed(value, decimals: value == value.rounded() ? 0 : decimals)
    }
}
