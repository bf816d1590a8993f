import Accelerator

/// What the numbers of the page rest on.
extension EnergyPage {
    var basis: HTML? {
        let shared = report.assumptions.map { "<li>\($0)</li>" as HTML }
        let own = costs.flatMap { cost in
            report.ownAssumptions(cost).map { line -> HTML in
                "<li><b>\(cost.accelerator)</b>: \(line)</li>"
            }
        }
        return """
            <section><h2>What the numbers rest on</h2>
            <p>Measured: counted in the weights of the model, or in its activations on images. \
            Assumed: given by you or a default. From shapes: nothing is known to be zero.</p>
            <ul>\(shared + own)</ul></section>
            """
    }

    var notModelled: HTML? {
        let lines = report.notModelled.map { "<li>\($0)</li>" as HTML }
        return """
            <section><h2>What is not modelled</h2>
            <ul>\(lines)</ul></section>
            """
    }

    var calibrations: HTML? {
        var found: [CalibratedParameter] = []
        for cost in costs {
            for calibration in cost.calibrations where !found.contains(calibration) {
                found.append(calibration)
            }
        }
        guard !found.isEmpty else { return nil }
        let rows = found.map { calibration -> [HTML] in
            let users = costs.filter { $0.calibrations.contains(calibration) }
            let names = users.map(\.accelerator).joined(separator: ", ")
            return [
                "\(calibration.path)", "\(Self.exact(calibration.value))",
                "\(calibration.reason)", "\(users.count == costs.count ? "all" : names)",
            ]
        }
        return """
            <section><h2>Calibrated parameters</h2>
            <p>No source gives these values; they were chosen for the reason beside them, none to \
            meet a published result.</p>
            \(Self.table(
                ["key", "value", "reason", "accelerators"], rows, textColumns: [2, 3]))</section>
            """
    }

    var workload: HTML? {
        let rows = report.prepared.workload.layers.enumerated().map { index, layer -> [HTML] in
            let shape = layer.shape
            let loops =
                "\(shape.channels) \u{2192} \(shape.filters), "
                + "\(shape.kernelHeight)\u{D7}\(shape.kernelWidth)"
                + (shape.strideHeight > 1 ? " / \(shape.strideHeight)" : "")
                + (shape.groups > 1 ? ", \(shape.groups) groups" : "")
            return [
                "\(index + 1) \(HTML.name(layer.name))", "\(layer.operation.rawValue)",
                "\(loops)<small> on \(shape.inputHeight)\u{D7}\(shape.inputWidth)</small>",
                "\(HumanNumber.count(Double(shape.macs)))",
                Self.density(layer.weights.rowDensity),
                Self.density(layer.weights.elementDensity),
                Self.density(layer.activations.rowDensity),
                Self.density(layer.activations.elementDensity), Self.digits(layer.activations),
            ]
        }
        return """
            <section><h2>Layers</h2>
            <p>Shares that are not zero: <span class="measured">measured</span>, \
            <span class="assumed">assumed</span>, or <span>from shapes</span>. Digits: radix-4 \
            Booth digits of an activation that are not zero, of 4.</p>
            \(Self.table(
                ["layer", "operation", "shape", "products", "weight rows", "weights",
                    "activation rows", "activations", "digits"], rows, textColumns: [1, 2]))\
            </section>
            """
    }

    private static func density(_ number: Sourced<Double>) -> HTML {
        source(number.provenance, HumanNumber.percent(number.value))
    }

    private static func digits(_ activations: ActivationProfile) -> HTML {
        let number = activations.meanDigits
        let shares = activations.digitShares.map { shares in
            shares.enumerated().map { "\($0.offset): \(HumanNumber.percent($0.element))" }
                .joined(separator: ", ")
        }
        let text = HumanNumber.fixed(number.value, decimals: 2)
        guard let shares else { return source(number.provenance, text) }
        return "<span class=\"measured\" title=\"\(shares)\">\(text)</span>"
    }

    private static func source(_ provenance: Provenance, _ text: String) -> HTML {
        switch provenance {
        case .measured: "<span class=\"measured\" title=\"measured\">\(text)</span>"
        case .assumed: "<span class=\"assumed\" title=\"assumed\">\(text)</span>"
        case .shapes: "<span title=\"from shapes\">\(text)</span>"
        }
    }

    var units: HTML? {
        var tables: [EnergyTable] = []
        for entry in report.entries where !tables.contains(entry.config.units) {
            tables.append(entry.config.units)
        }
        let sections = tables.map { table -> HTML in
            let rows = table.rows.sorted { $0.key.name < $1.key.name }.map { unit, row -> [HTML] in
                ["\(unit.name)", "\(Self.price(row.picojoules))", "\(row.source)"]
            }
            let buffers = table.buffers.map { row -> [HTML] in
                [
                    "buffer of \(HumanNumber.bytes(row.bytes))",
                    "\(Self.price(row.read)) read, \(Self.price(row.write)) written",
                    "\(row.source)",
                ]
            }
            return """
                <h3>\(table.name)</h3><p>\(table.about)</p>
                \(Self.table(
                    ["unit", "pJ a byte or an operation", "source"], buffers + rows,
                    textColumns: [2]))
                """
        }
        return "<section><h2>Unit energies</h2>\(sections)</section>"
    }

    private static func exact(_ value: Double) -> String {
        Int(exactly: value).map { String($0) } ?? String(value)
    }

    private static func price(_ picojoules: Double) -> String {
        HumanNumber.fixed(picojoules, decimals: picojoules < 10 ? 3 : 1)
    }

    var layerTables: HTML? {
        let tables = costs.map { cost -> HTML in
            let rows = cost.layers.map { layer -> [HTML] in
                [
                    HTML.name(layer.name), "\(layer.pass.rawValue)",
                    "\(HumanNumber.energy(layer.energy))",
                    "\(HumanNumber.energy(layer.energy(at: .dram)))",
                    "\(HumanNumber.energy(layer.energy(at: .sram)))",
                    "\(HumanNumber.energy(layer.energy(at: .registers)))",
                    "\(HumanNumber.energy(layer.computeEnergy))",
                    "\(HumanNumber.energy(layer.rebuildEnergy))",
                    "\(HumanNumber.bytes(layer.bytes(at: .dram)))",
                    "\(HumanNumber.count(layer.cycles))", "\(layer.bound.rawValue)",
                ]
            }
            return """
                <details><summary>\(cost.accelerator)</summary>
                \(Self.table(
                    ["layer", "pass", "energy", "DRAM", "buffers", "registers", "computing",
                        "rebuilding", "DRAM traffic", "cycles", "bound by"], rows,
                    textColumns: [1, 10]))</details>
                """
        }
        return "<section><h2>Every layer on every accelerator</h2>\(tables)</section>"
    }

    /// A table whose first column names the rows; numbers stand to the right unless told otherwise.
    static func table(
        _ header: [String], _ rows: [[HTML]], textColumns: Set<Int> = []
    ) -> HTML {
        func style(_ column: Int) -> HTML? {
            guard column > 0 else { return nil }
            return textColumns.contains(column) ? " class=\"text\"" : " class=\"n\""
        }
        let head = header.enumerated().map { "<th\([style($0.offset)])>\($0.element)</th>" as HTML }
        let body = rows.map { row -> HTML in
            let cells = row.enumerated().map { index, cell -> HTML in
                index == 0
                    ? "<th scope=\"row\">\(cell)</th>" : "<td\([style(index)])>\(cell)</td>"
            }
            return "<tr>\(cells)</tr>"
        }
        return """
            <div class="scroll" tabindex="0"><table><thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)
            </tbody></table></div>
            """
    }
}
