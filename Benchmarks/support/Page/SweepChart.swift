import Foundation
import SmartDeal

/// How fast layers are over the share of them that is kept, in operations of the dense layer, and
/// where that is faster than computing all of it.
package struct SweepChart: Sendable {
    package struct Curve: Sendable {
        let name: String
        /// The class that gives it its colour.
        let style: String
        /// Shares from 0 to 1, and GOP/s of the dense layer.
        let points: [(kept: Double, rate: Double)]
        let referenceName: String
        /// In GOP/s.
        let reference: Double

        package init(
            name: String, style: String, points: [(kept: Double, rate: Double)],
            referenceName: String, reference: Double
        ) {
            self.name = name
            self.style = style
            self.points = points.sorted { $0.kept < $1.kept }
            self.referenceName = referenceName
            self.reference = reference
        }
    }

    private let curves: [Curve]
    private let x: ChartAxis
    private let y: ChartAxis
    private let left = 64.0
    private let right = 734.0
    private let top = 14.0
    private let bottom = 334.0

    package init(_ curves: [Curve]) {
        self.curves = curves
        x = ChartAxis(fitting: [0, 100], start: left, end: right)
        y = ChartAxis(
            logarithmic: curves.flatMap { $0.points.map(\.rate) + [$0.reference] },
            start: bottom, end: top)
    }

    /// The chart and its legend.
    package var html: HTML {
        """
        <figure>
        <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 760 388" role="img" \
        aria-label="Speed against the share that is kept">
        \(grid)
        \(curves.map(line))
        </svg>
        <figcaption class="legend">\(curves.map(legend))</figcaption>
        </figure>
        """
    }

    private var grid: HTML {
        let columns = x.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(x.position(tick)) \(top)V\(bottom + 5)"/>\
            <text x="\(x.position(tick))" y="\(bottom + 20)" text-anchor="middle">\(Int(tick)) %</text>
            """
        }
        let rows = y.ticks.map { tick -> HTML in
            """
            <path class="grid" d="M\(left - 5) \(y.position(tick))H\(right)"/>\
            <text x="\(left - 9)" y="\(y.position(tick) + 4)" text-anchor="end">\(Int(tick))</text>
            """
        }
        return """
            \(columns + rows)
            <path class="axis" d="M\(left) \(top)V\(bottom)H\(right)"/>
            <text x="\((left + right) / 2)" y="\(bottom + 42)" text-anchor="middle">\
            share of positions kept</text>
            <text transform="translate(14 \((top + bottom) / 2)) rotate(-90)" \
            text-anchor="middle">GOP/s of the dense layer</text>
            """
    }

    private func line(_ curve: Curve) -> HTML {
        let places = curve.points.map {
            (x: x.position($0.kept * 100), y: y.position($0.rate))
        }
        let path = places.map {
            HumanNumber.fixed($0.x, decimals: 1) + " " + HumanNumber.fixed($0.y, decimals: 1)
        }.joined(separator: "L")
        let dots = places.map { place -> HTML in
            #"<circle class="point \#(curve.style)" cx="\#(place.x)" cy="\#(place.y)" r="4"/>"#
        }
        return """
            <path class="curve \(curve.style)" stroke-dasharray="7 6" \
            d="M\(left) \(y.position(curve.reference))H\(right)"/>
            <path class="curve \(curve.style)" d="M\(path)"/>\(dots)
            """
    }

    private func legend(_ curve: Curve) -> HTML {
        let reference = HumanNumber.fixed(curve.reference, decimals: 0)
        return """
            <span><svg xmlns="http://www.w3.org/2000/svg" width="28" height="10">\
            <path class="curve \(curve.style)" d="M2 5H26"/></svg> \(curve.name)</span>
            <span><svg xmlns="http://www.w3.org/2000/svg" width="28" height="10">\
            <path class="curve \(curve.style)" stroke-dasharray="7 6" d="M2 5H26"/></svg> \
            \(curve.referenceName): \(reference) GOP/s</span>
            """
    }
}
