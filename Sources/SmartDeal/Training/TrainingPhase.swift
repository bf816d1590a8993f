import DenseMath
import Decomposition
import ModelFiles
import Networks
import PowerOfTwo
import Training

/// One phase of a run at work: its variables, its plan, its batches, and where it is.
final class TrainingPhase {
    /// What a phase is made from.
    struct Start {
        /// The network, its weights in the form in which they learn.
        let network: Network
        /// Packed forms whose structure dense weights keep when they are decomposed.
        let structure: [String: CompressedParameter]
        let data: TrainingData
        let name: String
        let epochs: Int
    }

    let start: Start
    let settings: TrainingSettings
    let recipe: Recipe
    let threads: Int
    let ledger: TrainingLedger
    var position: TrainingPosition
    private(set) var averaging: WeightAveraging
    /// The network at the end of the last epoch that was finished, as it would be saved.
    private(set) var result: (network: Network, report: Evaluation.Report)?

    private let parameters: LearningParameters
    private let plan: TrainingPlan
    private let pipeline: BatchPipeline
    private let isPretraining: Bool

    /// - Parameter checkpoint: of this phase, to go on from.
    /// - Throws: ``TrainingError``, ``NetworkError``.
    init(
        _ start: Start, _ settings: TrainingSettings, recipe: Recipe, threads: Int,
        position: TrainingPosition, checkpoint: TrainingCheckpoint?
    ) throws {
        self.start = start
        self.settings = settings
        self.recipe = recipe
        self.threads = threads
        self.position = position
        isPretraining = start.name == Self.pretraining
        parameters = try LearningParameters(
            of: start.network, settings, structure: start.structure)
        let imageShape = start.data.train.imageShape
        plan = try TrainingPlan(
            start.network, variables: parameters.variables,
            inputShape: [settings.batch] + imageShape, loss: settings.lossFunction,
            threads: threads, quantization: settings.quantization)
        pipeline = try Self.pipeline(start, settings)
        plan.step = position.epoch * pipeline.stepsPerEpoch + position.step
        ledger = TrainingLedger(parameters, plan, rule: settings.rule)
        averaging = WeightAveraging(
            count: position.averaged, means: checkpoint?.means ?? [:])
        if let checkpoint { try restore(checkpoint) }
    }

    static let pretraining = "pretrain"
    static let training = "train"

    private static func pipeline(
        _ start: Start, _ settings: TrainingSettings
    ) throws -> BatchPipeline {
        let data = start.data.train
        let preprocessing = start.network.preprocessing ?? data.standardPreprocessing
        return try BatchPipeline(
            DatasetImages(data, preprocessing), batch: settings.batch,
            shuffles: settings.shuffle, augmentation: settings.augmentation(data.imageShape),
            seed: settings.seed)
    }

    // MARK: State

    /// The state of every variable, by name.
    var states: [String: [String: StateArray]] { parameters.variables.mapValues { $0.state() } }

    private func restore(_ checkpoint: TrainingCheckpoint) throws {
        func invalid(_ message: String, _ name: String?) -> TrainingError {
            TrainingError(.invalidCheckpoint, message, path: name)
        }
        let (known, given) = (Set(parameters.variables.keys), Set(checkpoint.states.keys))
        if let name = known.symmetricDifference(given).min() {
            throw invalid(
                known.contains(name)
                    ? "the checkpoint does not have it" : "the network has no such parameter", name)
        }
        for (name, variable) in parameters.variables {
            try variable.restore(checkpoint.states[name] ?? [:])
        }
        guard position.epoch < start.epochs, position.step <= pipeline.stepsPerEpoch,
            position.correct <= position.step * settings.batch
        else {
            throw invalid(
                "epoch \(position.epoch), step \(position.step) is not in \(start.epochs) epochs "
                    + "of \(pipeline.stepsPerEpoch) steps", nil)
        }
        let fits = parameters.variables.allSatisfy {
            checkpoint.means[$0.key]?.count == $0.value.shape.reduce(1, *)
        }
        guard averaging.count == 0 ? averaging.means.isEmpty : fits else {
            throw invalid("its averages of weights are not those of the network", nil)
        }
    }

    /// Measures batch normalisation again before the first step.
    func reestimateBatchNorm(progress: TaskProgress) throws {
        try BatchStatistics(parameters: parameters, plan: plan, pipeline: pipeline)
            .measure(epoch: start.epochs, progress: progress)
    }

    // MARK: Epochs

    /// Trains to the end.
    ///
    /// - Parameters:
    ///   - save: keeps the state, after each epoch's steps and when asked to stop.
    ///   - log: keeps the log, after each epoch.
    /// - Throws: ``SmartDealError`` `.interrupted` after saving, ``TrainingError`` `.notANumber`.
    func run(
        progress: TaskProgress, save: () throws -> Void, log: () throws -> Void
    ) throws {
        let steps = pipeline.stepsPerEpoch
        let done = position.epoch * steps + position.step
        progress.begin(
            isPretraining ? "pretraining" : "training", total: start.epochs * steps - done)
        while position.epoch < start.epochs {
            if position.step == 0 { for name in parameters.names { beginEpoch(name) } }
            while position.step < steps {
                try runStep()
                if progress.isCancelled {
                    try save()
                    throw SmartDealError(
                        .interrupted,
                        "stopped after step \(position.step) of epoch \(position.epoch + 1)")
                }
                // Whether to stop is asked above, where the state is kept.
                try? progress.advance(1, tensor: progressText)
            }
            try save()
            try finishEpoch()
            try log()
        }
    }

    private func beginEpoch(_ name: String) { parameters.variables[name]?.beginEpoch() }

    /// Only these learn in the first epochs.
    private lazy var classifierNames: Set<String>? = {
        guard !isPretraining, settings.warmUpEpochs > 0,
            let classifier = try? Classifier(of: start.network)
        else { return nil }
        return Set([classifier.weight] + [classifier.bias].compactMap(\.self))
    }()

    private func rate(ofStep step: Int) -> Double {
        settings.rateSchedule.rate(
            settings.highestRate, step: step, stepsPerEpoch: pipeline.stepsPerEpoch,
            epochs: start.epochs)
    }

    private func runStep() throws {
        let begin = ContinuousClock.now
        let batch = try pipeline.batch(epoch: position.epoch, step: position.step)
        let loss = try plan.forward(batch.images, labels: batch.labels)
        guard loss.loss.isFinite else {
            let node = try plan.firstBadNode(batch.images)
            throw diverged(
                "the loss is \(loss.loss)"
                    + (node.map { ", the first node with such a result is '\($0)'" } ?? ""))
        }
        let index = position.epoch * pipeline.stepsPerEpoch + position.step
        let update = UpdateStep(learningRate: Float(rate(ofStep: index)), index: index)
        let learning = position.epoch < settings.warmUpEpochs ? classifierNames : nil
        try plan.backward { variable, gradient in
            if let learning, !learning.contains(variable.name) { return }
            variable.update(gradient, update, threads: threads)
        }
        position.lossSum += loss.loss
        if settings.logsSteps { position.losses.append(loss.loss) }
        position.correct += loss.correct
        position.step += 1
        position.seconds += (ContinuousClock.now - begin).inSeconds
    }

    /// An error that says where it is.
    func diverged(_ reason: String) -> TrainingError {
        TrainingError(
            .notANumber,
            "\(reason); in \(start.name) epoch \(position.epoch + 1), step \(position.step + 1)")
    }

    private var progressText: String {
        let images = Double(position.step * settings.batch)
        let rate = HumanNumber.fixed(images / max(position.seconds, 1e-9), decimals: 0)
        let loss = HumanNumber.fixed(position.lossSum / Double(position.step), decimals: 4)
        return "epoch \(position.epoch + 1)/\(start.epochs), "
            + "step \(position.step)/\(pipeline.stepsPerEpoch), loss \(loss), "
            + "\(HumanNumber.percent(Double(position.correct) / images)) right, \(rate) images/s"
    }

    // MARK: After an epoch

    private func finishEpoch() throws {
        let network = try exported()
        if let first = settings.averageStart, !isPretraining, position.epoch >= first,
            (position.epoch - first) % settings.averageEvery == 0
        {
            averaging.add(
                parameters.variables.mapValues {
                    LearningParameters.value(of: $0, threads: threads)
                })
        }
        let report = try evaluate(network)
        result = (network, report)
        let steps = pipeline.stepsPerEpoch
        let images = Double(steps * settings.batch)
        let record = EpochRecord(
            phase: start.name, epoch: position.epoch + 1, loss: position.lossSum / Double(steps),
            train_accuracy: Double(position.correct) / images, test_loss: report.loss,
            test_accuracy: report.accuracy,
            learning_rate: rate(ofStep: (position.epoch + 1) * steps - 1),
            seconds: position.seconds, step_ms: position.seconds / Double(steps) * 1000,
            images_per_second: images / max(position.seconds, 1e-9),
            changed_symbols: parameters.changedSymbols, weight_bytes: ledger.run.weights,
            optimizer_bytes: ledger.run.optimizer, gradient_bytes: ledger.run.gradients,
            activation_bytes: ledger.run.activations,
            step_losses: settings.logsSteps ? position.losses : nil)
        position.log.append(try record.line)
        position.bestAccuracy = max(position.bestAccuracy, report.accuracy)
        position.secondsBefore += position.seconds
        position.averaged = averaging.count
        position.epoch += 1
        (position.step, position.lossSum, position.correct, position.seconds) = (0, 0, 0, 0)
        position.losses = []
    }

    private var structureFit: StructureFit {
        StructureFit(recipe: recipe, threads: threads, seed: settings.seed)
    }

    /// The network as it would be saved; where weights are decomposed after each epoch, they go on
    /// from what is left of them.
    private func exported() throws -> Network {
        var network = try parameters.current()
        for (name, packed) in start.structure.sorted(by: { $0.key < $1.key }) {
            guard let variable = parameters.variables[name] as? DenseVariable else { continue }
            let values = LearningParameters.value(of: variable, threads: threads)
            let fitted = try structureFit.fit(values, like: packed, name: name)
            try variable.replaceValue(fitted.rebuilt(threads: threads).floats)
            network.parameters[name] = .smartDeal(fitted)
        }
        return network
    }

    /// The network of averaged weights, batch normalisation measured again, as it would be saved;
    /// nil when none were averaged.
    func averaged(
        progress: TaskProgress
    ) throws -> (network: Network, report: Evaluation.Report)? {
        guard averaging.count > 0 else { return nil }
        var network = start.network
        for (name, mean) in averaging.means.sorted(by: { $0.key < $1.key }) {
            let packed: CompressedParameter? =
                if case .smartDeal(let packed)? = network.parameters[name] {
                    packed
                } else {
                    start.structure[name]
                }
            if let packed {
                network.parameters[name] = .smartDeal(
                    try structureFit.fit(mean, like: packed, name: name))
            } else if let shape = network.parameters[name]?.shape {
                network.parameters[name] = .dense(Tensor(shape: shape, mean))
            }
        }
        let parameters = try LearningParameters(of: network, settings)
        if !parameters.statistics.isEmpty {
            let plan = try TrainingPlan(
                network, variables: parameters.variables,
                inputShape: [settings.batch] + start.data.train.imageShape,
                loss: settings.lossFunction, threads: threads)
            try BatchStatistics(parameters: parameters, plan: plan, pipeline: pipeline)
                .measure(epoch: start.epochs, progress: progress)
            for name in parameters.statistics {
                network.parameters[name] = try parameters.variables[name]?.parameter()
            }
        }
        return (network, try evaluate(network))
    }

    private func evaluate(_ network: Network) throws -> Evaluation.Report {
        var evaluation = Evaluation()
        evaluation.threads = threads
        do {
            return try evaluation.evaluate(network, name: network.name, on: start.data.test)
        } catch let error as SmartDealError where error.code == .notANumber {
            throw diverged("testing: \(error.message)")
        }
    }
}
