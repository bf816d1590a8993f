/// A training run as one page for a browser: no scripts, nothing loaded from elsewhere.
struct TrainingPage: Sendable {
    private let summary: TrainingSummary
    private let records: [EpochRecord]

    init(_ summary: TrainingSummary, _ records: [EpochRecord]) {
        self.summary = summary
        self.records = records
    }

    var html: String {
        let page: HTML = """
            <!DOCTYPE html>
            <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>\(summary.network.shortened), trained by SmartDeal</title>
            <style>\(HTMLReportStyle.sheet)</style>
            </head>
            <body>
            <header>
            <h1>\(HTML.name(summary.network)) on \(HTML.name(summary.dataset))</h1>
            \(figures)
            </header>
            <main>
            \(phases.map(charts))
            \(ledger)
            \(settings)
            </main>
            </body>
            </html>

            """
        return page.source
    }

    /// The numbers that matter most.
    private var figures: HTML {
        let ledger = summary.ledger
        let average = summary.average_accuracy.map {
            "averaged weights: \(HumanNumber.percent($0))"
        }
        return """
            <div class="figures">
            <div><b>\(Self.precise(summary.test_accuracy))</b> right\
            <small>of the test images; last epoch \(Self.precise(summary.last_accuracy))</small>\
            <small>\(average ?? "")</small></div>
            <div><b>\(HumanNumber.ratio(ledger.weights_ratio))</b> smaller weights\
            <small>while they learn, against 32-bit floats; those in SmartDeal form \
            \(HumanNumber.ratio(ledger.packed_weights_ratio))</small></div>
            <div><b>\(HumanNumber.ratio(Self.ratio(ledger.dense.total, ledger.run.total)))</b> \
            less memory<small>weights, optimizer, gradients and activations of a step</small></div>
            <div><b>\(HumanNumber.seconds(summary.training_seconds))</b>\
            <small>of training, \(summary.threads) \
            \(summary.threads == 1 ? "thread" : "threads")</small></div>
            </div>
            """
    }

    private static func precise(_ share: Double) -> String {
        HumanNumber.fixed(share * 100, decimals: 2) + " %"
    }

    private static func ratio(_ a: Int, _ b: Int) -> Double { Double(a) / Double(max(1, b)) }

    private var phases: [(name: String, records: [EpochRecord])] {
        [TrainingPhase.pretraining, TrainingPhase.training].compactMap { name in
            let own = records.filter { $0.phase == name }
            return own.isEmpty ? nil : (name, own)
        }
    }

    private func charts(_ phase: (name: String, records: [EpochRecord])) -> HTML {
        func curve(_ name: String, _ style: String, _ value: (EpochRecord) -> Double)
            -> CurveChart.Curve
        {
            CurveChart.Curve(name: name, style: style, values: phase.records.map(value))
        }
        let loss = CurveChart(
            "Loss",
            [
                curve("training", "conv", \.loss), curve("test", "conv1x1", \.test_loss),
            ])
        let accuracy = CurveChart(
            "Accuracy in per cent",
            [
                curve("training", "conv") { $0.train_accuracy * 100 },
                curve("test", "conv1x1") { $0.test_accuracy * 100 },
            ])
        let rate = CurveChart("Learning rate", [curve("last step", "linear", \.learning_rate)])
        let heading =
            phase.name == TrainingPhase.pretraining ? "Pretraining, dense" : "Training"
        return """
            <section><h2>\(heading)</h2>
            <div class="curves">
            <section><h3>Loss</h3>\(loss.html)</section>
            <section><h3>Accuracy, %</h3>\(accuracy.html)</section>
            <section><h3>Learning rate</h3>\(rate.html)</section>
            </div></section>
            """
    }

    private var ledger: HTML {
        let (run, dense) = (summary.ledger.run, summary.ledger.dense)
        let rows: [(String, Int, Int)] = [
            ("weights", run.weights, dense.weights),
            ("optimizer state", run.optimizer, dense.optimizer),
            ("gradients", run.gradients, dense.gradients),
            ("saved activations", run.activations, dense.activations),
            ("all", run.total, dense.total),
        ]
        let cells = rows.map { name, run, dense -> HTML in
            """
            <tr><th scope="row">\(name)</th><td class="n">\(HumanNumber.bytes(run))</td>\
            <td class="n">\(HumanNumber.bytes(dense))</td>\
            <td class="n">\(HumanNumber.ratio(Self.ratio(dense, run)))</td></tr>
            """
        }
        return """
            <section><h2>Memory of a step</h2>
            <p>Dense training is computed from shapes: 32-bit floats, all gradients kept until the \
            update. Here a gradient is gone once its parameter has moved.</p>
            <div class="scroll" tabindex="0"><table>
            <thead><tr><th>what</th><th class="n">this run</th><th class="n">dense</th>\
            <th class="n">ratio</th></tr></thead>
            <tbody>\(cells)</tbody></table></div></section>
            """
    }

    private var settings: HTML {
        let rows = summary.settings.sorted { $0.key < $1.key }.map { key, value -> HTML in
            "<dt>\(key)</dt><dd>\(value)</dd>"
        }
        return "<section><h2>Settings</h2><dl>\(rows)</dl></section>"
    }
}
