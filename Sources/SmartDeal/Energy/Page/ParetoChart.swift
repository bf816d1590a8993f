import Accelerator

/// The points of a sweep, energy against what it is weighed against, and those that none beats.
struct ParetoChart: Sendable {
    private let sweep: EnergySweep
    private let accelerators: [String]
    private let frame: ChartFrame

    init(_ sweep: EnergySweep) {
        self.sweep = sweep
        var names: [String] = []
        for point in sweep.points where !names.contains(point.accelerator) {
            names.append(point.accelerator)
        }
        accelerators = names
        let isError = sweep.against == .error
        frame = ChartFrame(
            .init(
                name: isError ? "relative error of the weights" : "cycles",
                values: sweep.points.map(sweep.other),
                label: { isError ? HumanNumber.percent($0) : HumanNumber.count($0) }),
            .init(
                name: "energy", values: sweep.points.map(\.total_pJ), label: HumanNumber.energy),
            width: 760, height: 380)
    }

    /// The chart and its legend.
    var html: HTML {
        let legend = accelerators.indices.map { index -> HTML in
            """
            <span><svg xmlns="http://www.w3.org/2000/svg" width="14" height="14">\
            <circle class="point part\(index % 10)" cx="7" cy="7" r="6"/></svg> \
            \(accelerators[index])</span>
            """
        }
        return """
            <figure>
            \(frame.drawing("Energy of a sweep", [front] + sweep.points.map(circle)))
            <figcaption class="legend">\(legend)<span>\
            <svg xmlns="http://www.w3.org/2000/svg" width="28" height="10">\
            <path class="reference" d="M0 5H28"/></svg> Pareto front: nothing is better in both\
            </span></figcaption>
            </figure>
            """
    }

    private var front: HTML? {
        let points = sweep.points.filter(\.pareto).map { (sweep.other($0), $0.total_pJ) }
            .sorted { $0 < $1 }
        guard points.count > 1 else { return nil }
        let line = points.map {
            HumanNumber.fixed(frame.x.position($0.0), decimals: 1) + " "
                + HumanNumber.fixed(frame.y.position($0.1), decimals: 1)
        }.joined(separator: "L")
        return #"<path class="reference" d="M\#(line)"/>"#
    }

    private func circle(_ point: EnergySweep.Point) -> HTML {
        let style = (accelerators.firstIndex(of: point.accelerator) ?? 0) % 10
        let settings = sweep.keys.map { "\($0)=\(point.settings[$0] ?? "")" }
        return """
            <circle class="point part\(style)" cx="\(frame.x.position(sweep.other(point)))" \
            cy="\(frame.y.position(point.total_pJ))" r="\(point.pareto ? 6 : 4)">\
            <title>\(point.accelerator), \(settings.joined(separator: ", ")): \
            \(HumanNumber.energy(point.total_pJ)), \(HumanNumber.count(point.cycles)) cycles\
            </title></circle>
            """
    }
}
