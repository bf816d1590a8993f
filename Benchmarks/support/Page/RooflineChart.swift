import Foundation
import SmartDeal

/// What kernels do a second over what they do for each byte moved, below what the machine allows.
package struct RooflineChart: Sendable {
    /// What the processor does at most.
    package struct Peak: Sendable {
        let name: String
        /// In GOP/s.
        let rate: Double

        package init(name: String, rate: Double) {
            self.name = name
            self.rate = rate
        }
    }

    /// What a cache, or memory, gives at most.
    package struct Source: Sendable {
        let name: String
        /// In GB/s.
        let rate: Double

        package init(name: String, rate: Double) {
            self.name = name
            self.rate = rate
        }
    }

    package struct Mark: Sendable {
        /// What stands beside it; nil for nothing.
        let label: String?
        /// What it is, in full.
        let title: String
        let kind: String
        /// The class that gives its kind its colour.
        let style: String
        /// Operations for each byte.
        let intensity: Double
        /// In GOP/s.
        let rate: Double

        package init(
            label: String?, title: String, kind: String, style: String, intensity: Double,
            rate: Double
        ) {
            self.label = label
            self.title = title
            self.kind = kind
            self.style = style
            self.intensity = intensity
            self.rate = rate
        }
    }

    private let peaks: [Peak]
    private let sources: [Source]
    private let marks: [Mark]
    private let x: ChartAxis
    private let y: ChartAxis
    private static let width = 960.0
    private static let height = 640.0
    private static let left = 64.0
    private static let right = 936.0
    private static let top = 26.0
    private static let bottom = 584.0
    /// Of letters of 12 pixels, about.
    private static let letterWidth = 6.4

    package init(peaks: [Peak], sources: [Source], marks: [Mark]) {
        self.peaks = peaks.sorted { $0.rate > $1.rate }
        self.sources = sources.sorted { $0.rate > $1.rate }
        self.marks = marks
        let intensities = marks.map(\.intensity)
        x = ChartAxis(logarithmic: intensities, start: Self.left, end: Self.right)
        y = ChartAxis(
            logarithmic: marks.map(\.rate) + peaks.map(\.rate), start: Self.bottom, end: Self.top)
    }

    /// What its drawings need beside the styles of reports.
    package static let style: HTML = """
        .wide { max-width: none; } .roof { fill: none; stroke: var(--ink); stroke-width: 1.5; } \
        svg .limit { font-size: 12px; }
        """

    /// The chart and its legend, for a page with the styles of reports.
    package var html: HTML {
        """
        <figure>
        \(drawing(style: nil))
        <figcaption class="legend">\(kinds.map(legend))</figcaption>
        </figure>
        """
    }

    /// The chart as a file of its own, legend and styles included.
    package var svg: String { drawing(style: HTMLReportStyle.sheet).source + "\n" }

    private func drawing(style: HTML?) -> HTML {
        let legendHeight = style == nil ? 0.0 : 30
        let box = "0 0 \(Int(Self.width)) \(Int(Self.height + legendHeight))"
        let paper: HTML? = style.map { style in
            """
            <style>\(style) \(Self.style) text { font-family: sans-serif; }</style>
            <rect width="\(Self.width)" height="\(Self.height + legendHeight)" fill="var(--paper)"/>
            """
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="chart wide" viewBox="\(box)" role="img" \
            aria-label="Operations a second against operations for each byte moved">
            \([paper])
            <defs><clipPath id="plot"><rect x="\(Self.left)" y="\(Self.top)" \
            width="\(Self.right - Self.left)" height="\(Self.bottom - Self.top)"/></clipPath></defs>
            \(grid)
            <g clip-path="url(#plot)">\(roof)</g>
            \(peakNames + sourceNames)
            <g>\(marks.map(circle))</g>
            \(labels)
            \(style == nil ? [] : drawnLegend)
            </svg>
            """
    }

    // MARK: Axes and limits

    private var grid: HTML {
        let columns = x.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(x.position(tick)) \(Self.top)V\(Self.bottom + 5)"/>\
            <text x="\(x.position(tick))" y="\(Self.bottom + 20)" text-anchor="middle">\
            \(Self.number(tick))</text>
            """
        }
        let rows = y.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(Self.left - 5) \(y.position(tick))H\(Self.right)"/>\
            <text x="\(Self.left - 9)" y="\(y.position(tick) + 4)" text-anchor="end">\
            \(Self.number(tick))</text>
            """
        }
        return """
            \(columns + rows)
            <path class="axis" d="M\(Self.left) \(Self.top)V\(Self.bottom)H\(Self.right)"/>
            <text x="\((Self.left + Self.right) / 2)" y="\(Self.bottom + 42)" \
            text-anchor="middle">operations for each byte moved</text>
            <text transform="translate(14 \((Self.top + Self.bottom) / 2)) rotate(-90)" \
            text-anchor="middle">10⁹ operations a second</text>
            """
    }

    private var roof: HTML {
        let highest = peaks.first?.rate ?? 0
        let fastest = sources.first?.rate ?? 1
        let slopes = sources.map { source -> HTML in
            let end = min(highest / source.rate, x.range.upperBound)
            return """
                <path class="roof" d="M\(point(x.range.lowerBound, of: source))L\
                \(point(end, of: source))"/>
                """
        }
        let ceilings = peaks.map { peak -> HTML in
            // From where the nearest cache gives enough.
            let start = max(peak.rate / fastest, x.range.lowerBound)
            return """
                <path class="roof" d="M\(x.position(start)) \(y.position(peak.rate))\
                H\(Self.right)"/>
                """
        }
        return "\(slopes + ceilings)"
    }

    private var peakNames: [HTML] {
        peaks.map { peak in
            """
            <text class="halo limit" x="\(Self.right - 6)" y="\(y.position(peak.rate) - 6)" \
            text-anchor="end">\(peak.name) \(Self.number(peak.rate)) GOP/s</text>
            """
        }
    }

    /// Along the slopes, above them; below where the one above is near.
    private var sourceNames: [HTML] {
        let rise = y.position(1) - y.position(10)
        let run = x.position(10) - x.position(1)
        let angle = -atan2(rise, run) * 180 / .pi
        return sources.enumerated().map { index, source in
            let isNear = index > 0 && sources[index - 1].rate < 1.6 * source.rate
            let shift = isNear ? 18.0 : -5
            let name = "\(source.name) \(Self.number(source.rate)) GB/s"
            let first = max(x.range.lowerBound, y.range.lowerBound / source.rate)
            let value = first * pow(10, 8 / run)
            let (left, height) = (x.position(value), y.position(value * source.rate))
            return """
                <text class="halo limit" transform="translate(\(left) \(height + shift)) \
                rotate(\(angle))">\(name)</text>
                """
        }
    }

    private func point(_ intensity: Double, of source: Source) -> HTML {
        "\(x.position(intensity)) \(y.position(intensity * source.rate))"
    }

    // MARK: Marks

    private func circle(_ mark: Mark) -> HTML {
        let (left, height) = (x.position(mark.intensity), y.position(mark.rate))
        return """
            <circle class="point \(mark.style)" cx="\(left)" cy="\(height)" \
            r="\(mark.label == nil ? 3.0 : 5)"><title>\(mark.title)
            \(Self.number(mark.intensity)) operations a byte, \(Self.number(mark.rate)) GOP/s\
            </title></circle>
            """
    }

    private var labels: [HTML] {
        let circles = marks.map { mark in
            let r = mark.label == nil ? 3.0 : 5
            return LabelPlacement.Box(
                left: x.position(mark.intensity) - r, top: y.position(mark.rate) - r,
                width: 2 * r, height: 2 * r)
        }
        let ceilings = peaks.flatMap { peak in
            let height = y.position(peak.rate)
            let width = Double(peak.name.count + 11) * Self.letterWidth
            return [
                LabelPlacement.Box(
                    left: Self.right - width, top: height - 20, width: width, height: 18),
                LabelPlacement.Box(
                    left: x.position(peak.rate / (sources.first?.rate ?? 1)), top: height - 1,
                    width: Self.right, height: 2),
            ]
        }
        var placement = LabelPlacement(
            in: .init(
                left: Self.left + 4, top: Self.top, width: Self.right - Self.left - 8,
                height: Self.bottom - Self.top - 4),
            taken: circles + ceilings + slopeBoxes)
        return marks.compactMap { mark in
            mark.label.map { label in
                let (left, height) = (x.position(mark.intensity), y.position(mark.rate))
                let box = placement.place(
                    width: Double(label.count) * Self.letterWidth, height: 14, at: left, height)
                return name(label, box, of: left, height)
            }
        }
    }

    /// Steps along the slopes, broad where their names are.
    private var slopeBoxes: [LabelPlacement.Box] {
        sources.flatMap { source -> [LabelPlacement.Box] in
            let first = x.position(max(x.range.lowerBound, y.range.lowerBound / source.rate))
            let last = x.position((peaks.first?.rate ?? 0) / source.rate)
            let decade = x.position(10) - x.position(1)
            return stride(from: first, to: min(last, Self.right), by: 6).map { left in
                let value = x.range.lowerBound * pow(10, (left - Self.left) / decade)
                let isName = left < first + 120
                return LabelPlacement.Box(
                    left: left - 3, top: y.position(value * source.rate) - (isName ? 18 : 3),
                    width: 6, height: isName ? 38 : 6)
            }
        }
    }

    /// A label, and a line to its mark where it does not stand next to it.
    private func name(
        _ label: String, _ box: LabelPlacement.Box, of left: Double, _ height: Double
    ) -> HTML {
        let nearest = (
            x: min(max(left, box.left), box.left + box.width),
            y: min(max(height, box.top), box.top + box.height)
        )
        let distance = hypot(nearest.x - left, nearest.y - height)
        let leader: HTML? =
            distance > 12
            ? #"<path class="axis" d="M\#(left) \#(height)L\#(nearest.x) \#(nearest.y)"/>"# : nil
        return """
            \([leader])<text class="halo limit" x="\(box.left + box.width / 2)" \
            y="\(box.top + 11)" text-anchor="middle">\(label)</text>
            """
    }

    // MARK: Legend

    private var kinds: [(name: String, style: String)] {
        var known = Set<String>()
        return marks.filter { known.insert($0.kind).inserted }.map { ($0.kind, $0.style) }
    }

    private func legend(_ kind: (name: String, style: String)) -> HTML {
        """
        <span><svg xmlns="http://www.w3.org/2000/svg" width="14" height="14">\
        <circle class="point \(kind.style)" cx="7" cy="7" r="5"/></svg> \(kind.name)</span>
        """
    }

    private var drawnLegend: [HTML] {
        var left = Self.left
        return kinds.map { kind in
            defer { left += Double(kind.name.count) * 6.5 + 36 }
            return """
                <circle class="point \(kind.style)" cx="\(left + 6)" cy="\(Self.height + 10)" \
                r="5"/><text x="\(left + 18)" y="\(Self.height + 14)">\(kind.name)</text>
                """
        }
    }

    private static func number(_ value: Double) -> String {
        HumanNumber.fixed(
            value, decimals: value >= 10 || value == value.rounded() ? 0 : value >= 1 ? 1 : 2)
    }
}
