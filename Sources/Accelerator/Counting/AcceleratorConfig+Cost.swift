extension AcceleratorConfig {
    /// What a network costs on this accelerator.
    ///
    /// - Parameter batch: images, at least 1.
    /// - Throws: ``AcceleratorError`` `.missingUnit` when the energy table lacks a price, and
    ///   `.invalidWorkload` for a batch below 1.
    public func cost(
        of workload: Workload, phase: Phase = .inference, batch: Int = 1,
        policy: SparsityPolicy = .sameMasks
    ) throws -> CostReport {
        guard batch >= 1, batch <= 1 << 30 else {
            throw AcceleratorError(
                .invalidWorkload, ["a batch of \(batch) images, it can be 1 to \(1 << 30)"])
        }
        let prices = try Prices(self, phase: phase)
        let layers = workload.layers.map {
            LayerPasses(self, prices, $0, batch: batch, policy: policy)
        }
        var rows = layers.map(\.forward)
        if phase == .training {
            for layer in layers.reversed() {
                if layer.layer.passesGradient { rows.append(layer.backwardInput) }
                rows.append(layer.backwardWeight)
            }
            rows += layers.map(\.update)
        }
        return CostReport(
            accelerator: name, array: dataflow.text, units: units.name, network: workload.name,
            phase: phase, batch: batch, policy: policy, clock: clock, layers: rows,
            storage: storage(layers, phase),
            assumptions: workload.assumptions + assumptions(workload, phase, policy),
            notModelled: workload.notModelled.map { "operator \($0)" } + Self.notModelled,
            calibrations: calibrations
                + (calibrations.contains { $0.path.hasPrefix("units.") }
                    ? [] : units.calibrations))
    }

    private static let notModelled = [
        "leakage, clock and control", "refresh and row activation of DRAM",
        "input rows that neighbouring tiles both read from DRAM",
        "biases, normalisation and activation functions",
        "layers that run at the same time or keep their outputs on the chip",
    ]

    private func storage(_ layers: [LayerPasses], _ phase: Phase) -> StorageCost {
        var storage = StorageCost()
        for layer in layers {
            storage.weights += layer.stored.bytes
            storage.denseWeights += Double(layer.layer.shape.weights) * 4
            let inputs = layer.inputs.reduce(0) { $0 + $1.bytes }
            if phase == .training {
                storage.gradients += layer.gradients.reduce(0) { $0 + $1.bytes }
                storage.optimizer += layer.optimizer.reduce(0) { $0 + $1.bytes }
                storage.activations += inputs
            } else {
                let outputs =
                    layer.batch * Double(layer.layer.shape.outputs) * bits.activation / 8
                storage.activations = max(storage.activations, inputs + outputs)
            }
        }
        return storage
    }

    private func assumptions(
        _ workload: Workload, _ phase: Phase, _ policy: SparsityPolicy
    ) -> [String] {
        var lines: [String] = []
        if skipsWeights == .element || weightFormat == .bitmap || weightFormat == .runLength {
            lines.append(
                policy == .sameMasks
                    ? "policy same_masks: zeros are those of the same network, rebuilt"
                    : "policy own_pruning: zeros are those of pruning single weights")
        }
        if mac == .boothSerial {
            let unknown = workload.layers.count { $0.activations.digitShares == nil }
            if unknown > 0 {
                lines.append(
                    "serial units wait for \(synchronousDigits) digits an activation, assumed "
                        + "(\(unknown) layer\(unknown == 1 ? "" : "s") without a histogram)")
            }
        }
        if skipsWeights == .row,
            workload.layers.contains(where: {
                $0.weights.rowCounts == nil && $0.weights.rowDensity.value < 1
            })
        {
            lines.append(
                "lines wait for one that has a standard deviation more rows than the mean, "
                    + "assumed where masks are not known")
        }
        if phase == .training {
            lines.append(
                "training: \(training.update.rawValue), \(Int(training.error))-bit errors, "
                    + "\(Int(training.gradient))-bit gradients, "
                    + "\(Int(training.momentum))-bit momentum, "
                    + (training.floats ? "products in floats" : "products in integers"))
            lines.append("training: errors are dense and have the Booth digits of activations")
        }
        return lines
    }
}
