import Accelerator

extension EnergyReport {
    /// The report as one page for a browser: no scripts, nothing loaded from elsewhere, light or
    /// dark as the reader has it.
    public func html() -> String { EnergyPage(self).html }
}

/// A report of energies as a page.
struct EnergyPage: Sendable {
    let report: EnergyReport
    var costs: [CostReport] { report.entries.map(\.cost) }

    init(_ report: EnergyReport) { self.report = report }

    var html: String {
        let page: HTML = """
            <!DOCTYPE html>
            <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>\(fileName.shortened), energy by SmartDeal</title>
            <style>\(HTMLReportStyle.sheet)\(Self.sheet)</style>
            </head>
            <body>
            <header>
            <h1>Energy of \(HTML.name(fileName))</h1>
            <p>\(condition)</p>
            \(figures)
            </header>
            <main>
            \([totals, energyCharts, layerCharts, rooflines, storage, sweep])
            \([basis, notModelled, calibrations, workload, units, layerTables])
            </main>
            </body>
            </html>

            """
        return page.source
    }

    /// Colours of parts can be told apart without seeing red from green (Okabe and Ito).
    private static let sheet: HTML = """
        :root { --part0: #0072b2; --part1: #e69f00; --part2: #009e73; --part3: #cc79a7; \
        --part4: #d55e00; --part5: #7b4fb0; --part6: #56b4e9; --part7: #8c6d31; \
        --part8: #b3b300; --part9: #4b5563; }
        @media (prefers-color-scheme: dark) { :root { --part0: #3d9be0; --part5: #b795ea; \
        --part7: #b9975b; --part9: #a3abb5; } }
        .part0 { color: var(--part0); } .part1 { color: var(--part1); }
        .part2 { color: var(--part2); } .part3 { color: var(--part3); }
        .part4 { color: var(--part4); } .part5 { color: var(--part5); }
        .part6 { color: var(--part6); } .part7 { color: var(--part7); }
        .part8 { color: var(--part8); } .part9 { color: var(--part9); }
        .filled { fill: currentColor; }
        .wide { max-width: 1110px; }
        .histograms figure { max-width: 440px; }
        td.text { white-space: normal; }
        h3 { font-size: 15px; margin: 18px 0 4px; }
        li { margin: 2px 0; max-width: 100ch; }
        .measured { color: var(--part2); } .assumed { color: var(--part4); }
        main > section > .scroll { margin-top: 8px; }

        """

    /// The model without its folder; a built-in network's name may have slashes.
    private var fileName: String {
        let last = report.model.split(separator: "/").last.map(String.init)
        return report.model.hasSuffix(".onnx") ? last ?? report.model : report.model
    }

    private var images: String { report.batch == 1 ? "one image" : "\(report.batch) images" }

    private var condition: HTML {
        report.phase == .training
            ? "One training step on \(images): forward, backward, update."
            : "Inference of \(images)."
    }

    private var figures: HTML {
        let least = costs.min { $0.energy < $1.energy }
        let fastest = costs.min { $0.seconds < $1.seconds }
        let layers = report.prepared.workload.layers
        let weights = layers.reduce(0) { $0 + Double($1.shape.weights) }
        let macs = layers.reduce(0) { $0 + Double($1.shape.macs) }
        return """
            <div class="figures">
            <div><b>\(HumanNumber.energy(least?.energy ?? 0))</b>\
            <small>the least energy: \(least?.accelerator ?? "")</small></div>
            <div><b>\(HumanNumber.duration(fastest?.seconds ?? 0))</b>\
            <small>the least time: \(fastest?.accelerator ?? "")</small></div>
            <div><b>\(HumanNumber.count(macs))</b> products an image\
            <small>zeros included</small></div>
            <div><b>\(HumanNumber.count(weights))</b> weights\
            <small>in \(layers.count) layers</small></div>
            </div>
            """
    }

    private var totals: HTML? {
        let first = costs.first?.energy ?? 0
        let rows = costs.map { cost -> [HTML] in
            let bound = cost.mostBinding
            return [
                "<bdi>\(cost.accelerator)</bdi><small>\(cost.array)</small>",
                "\(HumanNumber.energy(cost.energy))",
                "\(HumanNumber.ratio(first > 0 ? cost.energy / first : 0))",
                "\(HumanNumber.percent(cost.dramShare))",
                "\(HumanNumber.bytes(cost.bytes(at: .dram)))",
                "\(HumanNumber.count(cost.cycles))", "\(HumanNumber.duration(cost.seconds))",
                "\(bound.resource.rawValue) (\(HumanNumber.percent(bound.share)) of cycles)",
            ]
        }
        return """
            <section><h2>Accelerators</h2>
            \(Self.table(
                ["accelerator", "energy", "to the first", "of it DRAM", "DRAM traffic", "cycles",
                    "time", "bound by"], rows, textColumns: [7]))</section>
            """
    }

    private var energyCharts: HTML? {
        let places = costs.map { (name: $0.accelerator, parts: EnergyPart.places($0.layers)) }
        let kinds = costs.map { (name: $0.accelerator, parts: EnergyPart.kinds($0.layers)) }
        return """
            <section><h2>Where the energy goes</h2>
            \(StackedBars("Energy of accelerators by place", places).html)</section>
            <section><h2>What it is spent on</h2>
            <p>Moving each kind of data, through all memories, and computing.</p>
            \(StackedBars("Energy of accelerators by data", kinds).html)</section>
            """
    }

    private var layerCharts: HTML? {
        let layers = report.prepared.workload.layers
        let charts = costs.map { cost -> (CostReport, [(name: String, parts: [EnergyPart])]) in
            let passes = Dictionary(grouping: cost.layers, by: \.name)
            return (
                cost,
                layers.map { ($0.name, EnergyPart.places(passes[$0.name] ?? [])) }
            )
        }
        let highest = charts.flatMap { $0.1 }.map { $0.parts.reduce(0) { $0 + $1.energy } }.max()
        let drawn = charts.map { cost, bars -> HTML in
            let chart = LayerBars(
                "Energy of layers on \(cost.accelerator)", bars, highest: highest ?? 1)
            return """
                <h3>\(cost.accelerator): \(HumanNumber.energy(cost.energy))</h3>
                \(chart.html)
                """
        }
        return """
            <section><h2>Layer by layer</h2>
            <p>Layers in the order in which they run, numbered as in the table of layers below; one \
            scale for all accelerators.</p>
            <div class="legend">\(EnergyPart.legend(charts.flatMap { $0.1.map(\.parts) }))</div>
            \(drawn)</section>
            """
    }

    private var rooflines: HTML? {
        let charts = report.entries.compactMap { entry -> HTML? in
            RooflineChart(entry).map { "<div><h3>\(entry.cost.accelerator)</h3>\($0.html)</div>" }
        }
        guard !charts.isEmpty else { return nil }
        let kinds = LayerWorkload.Kind.allCases.filter { kind in
            report.prepared.workload.layers.contains { $0.operation == kind }
        }
        let legend = kinds.map { kind -> HTML in
            """
            <span><svg xmlns="http://www.w3.org/2000/svg" width="14" height="14">\
            <circle class="point \(RooflineChart.style(kind))" cx="7" cy="7" r="6"/></svg> \
            \(kind.rawValue)</span>
            """
        }
        return """
            <section><h2>Roofline</h2>
            <p>Products that are carried out, of each layer; dashed: what the bandwidth of DRAM and \
            the number of units allow. A serial unit needs a cycle for each digit, so a layer of \
            such units reaches the roof only with one digit an activation.</p>
            <div class="legend">\(legend)</div>
            <div class="histograms">\(charts)</div></section>
            """
    }

    private var storage: HTML? {
        let isTraining = report.phase == .training
        let rows = costs.map { cost -> [HTML] in
            let storage = cost.storage
            let training: [HTML] =
                isTraining
                ? [
                    "\(HumanNumber.bytes(storage.gradients))",
                    "\(HumanNumber.bytes(storage.optimizer))",
                ] : []
            return [
                "\(cost.accelerator)", "\(HumanNumber.bytes(storage.weights))",
                "\(HumanNumber.ratio(storage.denseWeights / max(storage.weights, 1)))",
            ] + training + ["\(HumanNumber.bytes(storage.activations))"]
        }
        let header =
            ["accelerator", "weights", "32-bit floats to it"]
            + (isTraining ? ["gradients", "optimizer"] : [])
            + [isTraining ? "saved activations" : "largest input and output"]
        return "<section><h2>Storage</h2>\(Self.table(header, rows))</section>"
    }

    private var sweep: HTML? {
        report.sweep.map { sweep in
            let hasError = sweep.points.contains { $0.relative_error != nil }
            let rows = sweep.points.prefix(1000).map { point -> [HTML] in
                var row: [HTML] = ["\(point.accelerator)"]
                for key in sweep.keys { row.append("\(point.settings[key] ?? "")") }
                row.append("\(HumanNumber.energy(point.total_pJ))")
                row.append("\(HumanNumber.count(point.cycles))")
                row.append("\(HumanNumber.duration(point.seconds))")
                row.append("\(HumanNumber.bytes(point.weight_bytes))")
                if hasError { row.append("\(HumanNumber.percent(point.relative_error))") }
                row.append(point.pareto ? "yes" : "")
                return row
            }
            let header =
                ["accelerator"] + sweep.keys + ["energy", "cycles", "time", "weights"]
                + (hasError ? ["error"] : []) + ["on the front"]
            let rest: HTML? =
                sweep.points.count > rows.count
                ? "<p>The first \(rows.count) of \(sweep.points.count) points.</p>" : nil
            return """
                <section><h2>Sweep</h2>
                \(ParetoChart(sweep).html)
                <details><summary>\(sweep.points.count) points</summary>\([rest])
                \(Self.table(header, Array(rows)))</details></section>
                """
        }
    }
}
