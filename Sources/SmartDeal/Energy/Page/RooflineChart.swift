import Accelerator

/// The layers of a network against what an accelerator can do: products a cycle over products a byte
/// of DRAM.
struct RooflineChart: Sendable {
    private struct Point: Sendable {
        let layer: LayerCost
        let intensity: Double
        let rate: Double
    }

    private let entry: EnergyReport.Entry
    private let points: [Point]
    private let frame: ChartFrame

    /// Nil when no layer computes or moves anything.
    init?(_ entry: EnergyReport.Entry) {
        self.entry = entry
        points = entry.cost.layers.compactMap { layer in
            let bytes = layer.bytes(at: .dram)
            guard bytes > 0, layer.cycles > 0, layer.performedMACs > 0 else { return nil }
            return Point(
                layer: layer, intensity: layer.performedMACs / bytes,
                rate: layer.performedMACs / layer.cycles)
        }
        guard !points.isEmpty else { return nil }
        let peak = Double(entry.config.dataflow.units)
        let ridge = peak / entry.config.dramBytesPerCycle
        frame = ChartFrame(
            .init(
                name: "products a byte of DRAM", values: points.map(\.intensity) + [ridge],
                label: ChartFrame.number, isLogarithmic: true),
            .init(
                name: "products a cycle", values: points.map(\.rate) + [peak],
                label: ChartFrame.number, isLogarithmic: true),
            width: 440, height: 290)
    }

    var html: HTML {
        "<figure>\(frame.drawing("Roofline of \(entry.cost.accelerator)", [roof] + circles))</figure>"
    }

    private var roof: HTML {
        let (x, y) = (frame.x, frame.y)
        let bandwidth = entry.config.dramBytesPerCycle
        let peak = Double(entry.config.dataflow.units)
        let first = max(x.range.lowerBound, y.range.lowerBound / bandwidth)
        let corners = [
            (first, first * bandwidth), (peak / bandwidth, peak), (x.range.upperBound, peak),
        ]
        let line = corners.map {
            HumanNumber.fixed(x.position($0.0), decimals: 1) + " "
                + HumanNumber.fixed(y.position($0.1), decimals: 1)
        }.joined(separator: "L")
        return #"<path class="reference" d="M\#(line)"/>"#
    }

    private var circles: [HTML] {
        points.map { point in
            """
            <circle class="point \(Self.style(point.layer.operation))" \
            cx="\(frame.x.position(point.intensity))" cy="\(frame.y.position(point.rate))" r="5">\
            <title>\(point.layer.name.shortened), \(point.layer.pass.rawValue): \
            \(ChartFrame.number(point.intensity)) products a byte, \
            \(ChartFrame.number(point.rate)) a cycle, bound by \(point.layer.bound.rawValue)\
            </title></circle>
            """
        }
    }

    /// The class that gives a kind of layer its colour.
    static func style(_ operation: LayerWorkload.Kind) -> String {
        switch operation {
        case .conv: "conv"
        case .depthwise: "depthwise"
        case .linear: "linear"
        case .matMul: "embedding"
        }
    }
}
