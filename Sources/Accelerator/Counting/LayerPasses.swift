/// The passes of one layer on one accelerator.
struct LayerPasses {
    let config: AcceleratorConfig
    let prices: Prices
    let layer: LayerWorkload
    let batch: Double
    let policy: SparsityPolicy
    let stored: StoredWeights

    init(
        _ config: AcceleratorConfig, _ prices: Prices, _ layer: LayerWorkload, batch: Int,
        policy: SparsityPolicy
    ) {
        self.config = config
        self.prices = prices
        self.layer = layer
        self.batch = Double(batch)
        self.policy = policy
        stored = config.stored(layer, policy: policy)
    }

    var forward: LayerCost {
        let work = self.work(layer.shape, skipsActivations: true)
        return product(
            .forward, work, passes: stored, input: inputs, inputKind: .input,
            output: config.storedActivations(
                work.outputs, density: layer.activations.outputDensity.value, .output),
            outputWords: Stream(data: .output, words: work.outputs, bits: config.bits.activation))
    }

    /// Gradients of the inputs: the layer with channels and filters exchanged, on the gradients of
    /// its outputs, which are dense. What a stride leaves out is not computed.
    var backwardInput: LayerCost {
        let shape = layer.shape
        let exchanged = LayerShape(
            channels: shape.filters, filters: shape.channels,
            kernel: (shape.kernelHeight, shape.kernelWidth),
            input: (shape.outputHeight, shape.outputWidth),
            output: (shape.outputHeight, shape.outputWidth), groups: shape.groups)
        var work = self.work(exchanged, skipsActivations: false)
        work.rowCounts = nil
        let bits = config.training.error
        let given = Stream(
            data: .error, words: batch * Double(shape.inputs), bits: bits)
        return product(
            .backwardInput, work, passes: stored,
            input: [Stream(data: .error, words: batch * Double(shape.outputs), bits: bits)],
            inputKind: .error, output: [given], outputWords: given)
    }

    /// Gradients of the weights: the same products as forward, each added to the gradient of its
    /// weight, which stays in the array until an image is through; gradients of the outputs are the
    /// other operand. Of coefficients and bases follow from them.
    var backwardWeight: LayerCost {
        let work = self.work(layer.shape, skipsActivations: true)
        let activity = config.dataflow.activity(work, reuse: 1)
        var ledger = PassLedger(config, prices, layer, .backwardWeight)
        let error = Stream(data: .error, words: work.outputs, bits: config.training.error)
        let sums = Double(layer.shape.weights) * gradientDensity
        let inputs = self.inputs
        // Sums that do not fit are made in parts, each of which takes one operand whole.
        let parts = max(
            1, (sums * config.bits.partialSum / 8 / config.weightBuffer.bytes).rounded(.up))
        let repeatsInputs = inputs.reduce(0) { $0 + $1.bytes } <= error.bytes
        ledger.input(
            inputs, times: repeatsInputs ? parts : 1, arrayReads: activity.inputReads)
        let errorTimes = repeatsInputs ? 1 : parts
        ledger.dram(error, reads: errorTimes)
        ledger.add(
            .sram, .error, bits: error.bits,
            reads: error.words * max(activity.outputPasses, errorTimes),
            writes: error.words * errorTimes, prices.output)
        ledger.add(
            .sram, .gradient, bits: config.bits.partialSum, reads: sums * batch,
            writes: sums * batch, prices.weight)
        for gradient in gradients { ledger.dram(gradient, writes: 1) }
        ledger.array(
            activity, work, digits: layer.activations.meanDigits.value, input: .input)
        if let (coefficients, width) = stored.rebuilt, config.training.update == .bucketSwitch {
            // dCe = dW B^T and dB = Ce^T dW.
            ledger.compute(
                2 * coefficients * width, digits: layer.activations.meanDigits.value)
        }
        ledger.finish()
        return ledger.cost
    }

    /// New weights from their gradients; all of it in DRAM.
    var update: LayerCost {
        let training = config.training
        var ledger = PassLedger(config, prices, layer, .update)
        for gradient in gradients { ledger.dram(gradient, reads: 1) }
        for state in optimizer { ledger.dram(state, reads: 1, writes: 1) }
        switch training.update {
        case .sgd:
            for stream in stored.streams where stream.data != .index {
                ledger.dram(stream, writes: 1)
            }
        case .bucketSwitch:
            for stream in stored.streams where stream.data != .index {
                ledger.dram(stream, reads: 1, writes: 1)
            }
        }
        ledger.update(gradients.reduce(0) { $0 + $1.words })
        ledger.finish()
        return ledger.cost
    }

    /// Gradients of weights, or of coefficients and bases, as they are stored.
    var gradients: [Stream] {
        let bits = config.training.gradient
        guard config.training.update == .bucketSwitch else {
            return [
                Stream(
                    data: .gradient, words: Double(layer.shape.weights) * gradientDensity,
                    bits: bits)
            ]
        }
        return stored.streams.filter { $0.data != .index }.map {
            // Bases, and weights that have none, learn by SGD.
            Stream(
                data: .gradient, words: $0.words,
                bits: $0.data == .coefficient ? bits : config.training.master)
        }
    }

    /// What the optimizer keeps of weights, or of coefficients and bases.
    var optimizer: [Stream] {
        let training = config.training
        guard training.update == .bucketSwitch else {
            let words = Double(layer.shape.weights) * gradientDensity
            return [
                Stream(data: .optimizer, words: words, bits: training.master),
                Stream(data: .optimizer, words: words, bits: training.momentum),
            ]
        }
        return stored.streams.filter { $0.data != .index }.flatMap { stream in
            if stream.data == .coefficient {
                return [
                    Stream(data: .optimizer, words: stream.words, bits: training.momentum),
                    Stream(data: .optimizer, words: stream.words, bits: training.counterBits),
                ]
            }
            return [
                Stream(data: .optimizer, words: stream.words, bits: training.master),
                Stream(data: .optimizer, words: stream.words, bits: training.master),
            ]
        }
    }

    /// Share of weights that have a gradient: those of a dense form all have.
    private var gradientDensity: Double {
        switch config.weightFormat {
        case .dense: 1
        case .bitmap, .runLength: config.keptWeights(layer, policy)
        case .smartdeal: layer.weights.rowDensity.value
        }
    }

    /// The layer's inputs as they are stored, with the index of zero rows where those are skipped.
    var inputs: [Stream] {
        let shape = layer.shape
        var streams = config.storedActivations(
            batch * Double(shape.touchedInputs),
            density: layer.activations.elementDensity.value, .input)
        if config.skipsActivations == .row {
            streams.append(
                Stream(
                    data: .index, words: batch * Double(shape.channels * shape.inputHeight),
                    bits: 1))
        }
        return streams
    }

    private func work(_ shape: LayerShape, skipsActivations: Bool) -> PassWork {
        var work = PassWork(shape: shape, batch: batch)
        switch config.skipsWeights {
        case .none: break
        case .row:
            work.weightDensity = layer.weights.rowDensity.value
            work.rowCounts = layer.weights.rowCounts
            if config.index == .group { work.filtersPerMask = 32 }
        case .element: work.weightDensity = config.keptWeights(layer, policy)
        }
        if skipsActivations {
            switch config.skipsActivations {
            case .none: break
            case .row: work.activationDensity = layer.activations.rowDensity.value
            case .element: work.activationDensity = layer.activations.elementDensity.value
            }
        }
        if config.mac == .boothSerial, case .slices(_, _, let f) = config.dataflow {
            work.synchronousDigits = layer.activations.synchronousDigits(
                lanes: f, assumed: config.synchronousDigits)
        }
        return work
    }

    /// A pass that multiplies with the weights.
    private func product(
        _ pass: Pass, _ work: PassWork, passes stored: StoredWeights, input: [Stream],
        inputKind: DataKind, output: [Stream], outputWords: Stream
    ) -> LayerCost {
        let activity = config.dataflow.activity(work, reuse: config.rebuildReuse)
        let tiling = DRAMTiling(
            input: input.reduce(0) { $0 + $1.bytes }, weight: stored.bytes,
            inputBuffer: config.inputBuffer.bytes, weightBuffer: config.weightBuffer.bytes)
        var ledger = PassLedger(config, prices, layer, pass)
        ledger.input(input, times: tiling.inputTimes, arrayReads: activity.inputReads)
        ledger.weights(
            stored.streams, times: tiling.weightTimes, passes: activity.weightPasses)
        for stream in output { ledger.dram(stream, writes: 1) }
        ledger.add(
            .sram, outputWords.data, bits: outputWords.bits, reads: outputWords.words,
            writes: outputWords.words, prices.output)
        ledger.array(
            activity, work, digits: layer.activations.meanDigits.value, input: inputKind)
        ledger.rebuild(stored, passes: activity.weightPasses)
        ledger.finish()
        return ledger.cost
    }
}

extension AcceleratorConfig.Training {
    /// Bits of a counter from -switchBar to switchBar: a magnitude and a sign.
    var counterBits: Double {
        var bits = 1.0
        while 1 << Int(bits - 1) < Int(switchBar) + 1 { bits += 1 }
        return bits
    }
}
