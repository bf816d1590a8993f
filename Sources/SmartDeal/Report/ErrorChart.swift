import Decomposition
import Foundation

/// Relative error against bits a weight, a point a compressed tensor, before the line that plain
/// rounding reaches.
struct ErrorChart: Sendable {
    private struct Point: Sendable {
        let tensor: CompressionReport.Tensor
        let weights: Double
        let error: Double
    }

    /// Rounding to the nearest integer with one F16 scale for 32 weights, of Gaussian weights.
    ///
    /// Measured by `Benchmarks/peers/round_to_nearest.py`.
    static let roundToNearest: [(name: String, bits: Double, error: Double)] = [
        ("int2", 2.5, 0.3621), ("int3", 3.5, 0.1743), ("int4", 4.5, 0.0859), ("int8", 8.5, 0.0054),
    ]

    /// Errors beyond these are drawn at the ends, those below as zero.
    private static let drawnErrors = 1e-9...1e3
    private static let drawnBits = 0.0...64
    private static let largestRadius = 14.0
    private static let smallestRadius = 2.5

    private let points: [Point]
    private let left: Double = 78
    private let right: Double = 588
    private let top: Double = 12
    private let bottom: Double = 334
    private let x: ChartAxis
    private let y: ChartAxis
    private let mostWeights: Double

    /// A chart of the tensors with a known error; nil when there are none.
    init?(_ tensors: [CompressionReport.Tensor]) {
        points = tensors.compactMap { tensor in
            guard tensor.compressed, let error = tensor.relative_error, error.isFinite,
                tensor.bits_per_weight.isFinite
            else { return nil }
            return Point(tensor: tensor, weights: tensor.countedWeights, error: error)
        }.sorted { $0.weights > $1.weights }
        guard let largest = points.first else { return nil }
        mostWeights = largest.weights
        let bits = points.map { Self.clamp($0.tensor.bits_per_weight, Self.drawnBits) }
        // Where int8 is in sight, so is its label, to the right of it.
        let room = [2.4, bits.contains { $0 > 8 } ? 9.1 : 4.6]
        let x = ChartAxis(linear: bits + room, start: left, end: right)
        let errors = points.map(\.error).filter { $0 >= Self.drawnErrors.lowerBound }
        let visible = Self.roundToNearest.filter { x.range.contains($0.bits) }.map(\.error)
        // Zero has no place on a logarithmic axis: it gets a strip below.
        let strip: Double = errors.count < points.count ? 40 : 0
        y = ChartAxis(
            logarithmic: errors.map { Self.clamp($0, Self.drawnErrors) } + visible,
            start: bottom - strip, end: top)
        self.x = x
    }

    /// The chart and its legend.
    var html: HTML {
        """
        <figure>
        <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 600 386" role="img" \
        aria-label="Relative error against bits a weight">
        <defs><clipPath id="plot"><rect x="\(left)" y="\(top)" width="\(right - left)" \
        height="\(bottom - top)"/></clipPath></defs>
        \(grid)
        <g clip-path="url(#plot)">\(reference)</g>
        <g>\(points.map(circle))</g>
        </svg>
        <figcaption class="legend">
        \(kinds)
        \(sizes)
        <span><svg xmlns="http://www.w3.org/2000/svg" width="28" height="10">\
        <path class="reference" d="M0 5H28"/></svg> round to nearest, an F16 scale for every 32 \
        weights, on Gaussian weights: below and left of it is better</span>
        </figcaption>
        </figure>
        """
    }

    private var grid: HTML {
        let columns = x.ticks.map { tick -> HTML in
            let label = HumanNumber.fixed(tick, decimals: tick == tick.rounded() ? 0 : 1)
            return """
                <path class="grid" d="M\(x.position(tick)) \(top)V\(bottom + 5)"/>\
                <text x="\(x.position(tick))" y="\(bottom + 20)" text-anchor="middle">\(label)</text>
                """
        }
        let rows = y.ticks.map { row(label: Self.tickLabel($0), at: y.position($0)) }
        let zero = y.start < bottom ? row(label: "0 %", at: zeroLine) : nil
        let middle = (left + right) / 2
        let height = (top + bottom) / 2
        return """
            \(columns + rows + [zero])
            <path class="axis" d="M\(left) \(top)V\(bottom)H\(right)"/>
            <text x="\(middle)" y="\(bottom + 44)" text-anchor="middle">bits a weight</text>
            <text transform="translate(15 \(height)) rotate(-90)" text-anchor="middle">\
            relative error</text>
            """
    }

    private func row(label: String, at height: Double) -> HTML {
        """
        <path class="grid" d="M\(left - 5) \(height)H\(right)"/>\
        <text x="\(left - 9)" y="\(height + 4)" text-anchor="end">\(label)</text>
        """
    }

    private var zeroLine: Double { bottom - 15 }

    private var reference: HTML {
        let nodes = Self.roundToNearest.map {
            (name: $0.name, x: x.position($0.bits), y: y.position($0.error))
        }
        let line = nodes.map {
            HumanNumber.fixed($0.x, decimals: 1) + " " + HumanNumber.fixed($0.y, decimals: 1)
        }.joined(separator: "L")
        let marks = nodes.enumerated().map { index, node -> HTML in
            let label = index == 0 ? node.name + ", round to nearest" : node.name
            return """
                <circle class="node" cx="\(node.x)" cy="\(node.y)" r="3"/>\
                <text class="halo" x="\(node.x + 8)" y="\(node.y - 5)">\(label)</text>
                """
        }
        return #"<path class="reference" d="M\#(line)"/>\#(marks)"#
    }

    private func circle(_ point: Point) -> HTML {
        let tensor = point.tensor
        let bits = Self.clamp(tensor.bits_per_weight, Self.drawnBits)
        let error = Self.clamp(point.error, Self.drawnErrors)
        let height = point.error < Self.drawnErrors.lowerBound ? zeroLine : y.position(error)
        return """
            <circle class="point \(Self.colour(of: tensor.kind))" \
            cx="\(x.position(bits))" cy="\(height)" \
            r="\(radius(point.weights))"><title>\(tensor.name.shortened)
            \(HumanNumber.bits(tensor.bits_per_weight)) a weight, error \
            \(HumanNumber.percent(point.error)), \(HumanNumber.count(point.weights)) weights\
            </title></circle>
            """
    }

    private func radius(_ weights: Double) -> Double {
        max(Self.smallestRadius, Self.largestRadius * (weights / max(1, mostWeights)).squareRoot())
    }

    private var kinds: [HTML] {
        Set(points.map(\.tensor.kind)).sorted().map { kind in
            """
            <span><svg xmlns="http://www.w3.org/2000/svg" width="14" height="14">\
            <circle class="point \(Self.colour(of: kind))" cx="7" cy="7" r="6"/></svg> \
            \(kind.shortened)</span>
            """
        }
    }

    private var sizes: [HTML] {
        [mostWeights, mostWeights / 10].map { weights in
            let r = radius(weights)
            return """
                <span><svg xmlns="http://www.w3.org/2000/svg" width="\(2 * r + 2)" \
                height="\(2 * r + 2)"><circle class="size" cx="\(r + 1)" cy="\(r + 1)" \
                r="\(r)"/></svg> \(HumanNumber.count(weights)) weights</span>
                """
        }
    }

    /// The class that gives a kind of layer its colour.
    private static func colour(of kind: String) -> String {
        LayerKind(rawValue: kind)?.rawValue ?? "other"
    }

    private static func tickLabel(_ error: Double) -> String {
        let percent = error * 100
        if percent < 0.01 { return HumanNumber.scientific(percent) + " %" }
        return HumanNumber.fixed(percent, decimals: max(0, -Int(log10(percent).rounded(.down))))
            + " %"
    }

    private static func clamp(_ value: Double, _ range: ClosedRange<Double>) -> Double {
        min(max(value, range.lowerBound), range.upperBound)
    }
}
