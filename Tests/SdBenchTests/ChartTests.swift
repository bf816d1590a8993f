import BenchmarkSupport
import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("Charts and tables of the page")
struct ChartTests {
    static func mark(_ label: String?, _ intensity: Double, _ rate: Double) -> RooflineChart.Mark {
        RooflineChart.Mark(
            label: label, title: "a kernel <b>", kind: "rebuild", style: "depthwise",
            intensity: intensity, rate: rate)
    }

    let roofline = RooflineChart(
        peaks: [.init(name: "f32", rate: 100), .init(name: "int8", rate: 400)],
        sources: [.init(name: "memory", rate: 25), .init(name: "cache", rate: 100)],
        marks: [mark("one", 1, 20), mark("two", 1, 21), mark(nil, 100, 300)])

    @Test("a roofline stands alone: its own styles, nothing from elsewhere, names escaped")
    func svg() {
        let svg = roofline.svg
        #expect(XMLParser(data: Data(svg.utf8)).parse())
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
        #expect(svg.contains("<style>") && !svg.contains("href=") && !svg.contains("url(http"))
        #expect(svg.contains("a kernel &lt;b&gt;") && !svg.contains("<b>"))
        // Three marks, and one in the legend of the only kind.
        #expect(svg.components(separatedBy: "<circle").count == 1 + 4)
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }

    @Test("a page has its charts and tables and loads nothing")
    func page() {
        var table = ResultTable(["what", "value"])
        table.add(["<i>", "1"])
        let sweep = SweepChart([
            .init(
                name: "layer", style: "conv", points: [(1, 400), (0.5, 700)],
                referenceName: "oneDNN", reference: 450)
        ])
        let html = BenchmarkPage(
            Reports.report(), roofline: roofline, sweep: sweep, tables: [("counts", table)]
        ).html
        #expect(XMLParser(data: Data(html.utf8)).parse())
        #expect(html.components(separatedBy: "<svg").count > 3)
        #expect(html.contains("&lt;i&gt;") && !html.contains("<i>"))
        #expect(html.contains("oneDNN: 450 GOP/s"))
        #expect(!html.contains("<script") && !html.contains("src=") && !html.contains("href="))
    }

    @Test("labels stand beside one another while there is room")
    func labels() {
        let frame = LabelPlacement.Box(left: 0, top: 0, width: 400, height: 400)
        var placement = LabelPlacement(in: frame, taken: [])
        let boxes = (0..<8).map { _ in placement.place(width: 60, height: 14, at: 200, 200) }
        for (index, box) in boxes.enumerated() {
            #expect(box.left >= 0 && box.left + box.width <= 400)
            for other in boxes[..<index] {
                let isApart =
                    box.left >= other.left + other.width || other.left >= box.left + box.width
                    || box.top >= other.top + other.height || other.top >= box.top + box.height
                #expect(isApart, "\(box) \(other)")
            }
        }
    }

    @Test(
        "the crossover is where the ratio of times passes 1",
        arguments: [
            ([(1, 1.2), (0.5, 0.7), (0.2, 0.3)], 0.8), ([(1, 0.9), (0.5, 0.5)], 1),
            ([(1, 2), (0.5, 1.5)], nil),
        ] as [([(Double, Double)], Double?)])
    func crossover(_ points: [(Double, Double)], _ share: Double?) {
        let found = Crossover.share(points.map { (kept: $0.0, ratio: $0.1) })
        #expect((found == nil) == (share == nil))
        if let found, let share { #expect(abs(found - share) < 1e-9) }
    }
}
