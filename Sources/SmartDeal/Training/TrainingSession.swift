import DenseMath
import Decomposition
import Foundation
import ModelFiles
import Networks
import PowerOfTwo
import Training

/// A run from its first phase, or from a checkpoint, to the files at its end.
final class TrainingSession {
    private let trainer: Trainer
    private let folder: TrainingFolder?
    /// The settings as text, by key.
    private let entries: [String: String]
    /// The checksum of the weights that the phase at work began with, where it is packed.
    private var startChecksum: String?
    /// What the last checkpoint holds.
    private var saved: TrainingPosition?

    private var settings: TrainingSettings { trainer.settings }

    init(_ trainer: Trainer) {
        self.trainer = trainer
        folder = trainer.folder.map(TrainingFolder.init)
        var entries = Dictionary(
            uniqueKeysWithValues: trainer.settings.entries.map { ($0.key, $0.value) })
        let packs = trainer.settings.form == .smartDeal || trainer.settings.retrains
        entries["recipe"] = packs ? trainer.recipe.summary : "none"
        self.entries = entries
    }

    func run(progress: TaskProgress) throws -> Trainer.Result {
        let begin = ContinuousClock.now
        let checkpoint = try openFolder()
        saved = checkpoint?.position
        do {
            let phase = try runPhases(from: checkpoint, progress: progress)
            return try finish(phase, since: begin, progress: progress)
        } catch let error as SmartDealError where error.code == .interrupted {
            guard let folder else { throw error }
            throw SmartDealError(
                .interrupted, error.message + "; --resume goes on from there",
                path: folder.checkpoints)
        } catch let error as TrainingError where error.code == .notANumber {
            guard let folder, let saved else { throw error }
            throw TrainingError(
                .notANumber,
                "\(error.description); the last good checkpoint is of step \(saved.step) of epoch "
                    + "\(saved.epoch + 1)", path: folder.checkpoints)
        }
    }

    private func openFolder() throws -> TrainingCheckpoint? {
        guard let folder else { return nil }
        if folder.hasState, !trainer.resumes {
            throw TrainingError(
                .invalidOption,
                "the folder holds a run already: --resume goes on with it, another folder or "
                    + "removing it begins anew", path: folder.path)
        }
        try folder.create()
        guard folder.hasState else { return nil }
        let checkpoint = try TrainingCheckpoint(path: folder.state)
        try checkpoint.check(entries, path: folder.state)
        try folder.write(checkpoint.position.logText, to: folder.log)
        return checkpoint
    }

    // MARK: Phases

    private func runPhases(
        from checkpoint: TrainingCheckpoint?, progress: TaskProgress
    ) throws -> TrainingPhase {
        let isPretrained = settings.task == .full || settings.source != nil
        let names =
            isPretrained
            ? [TrainingPhase.training] : [TrainingPhase.pretraining, TrainingPhase.training]
        var network = trainer.network
        var position = checkpoint?.position ?? TrainingPosition()
        guard position.phase < names.count else {
            throw TrainingError(
                .invalidCheckpoint, "it is of a phase that the run does not have",
                path: folder?.state)
        }
        while true {
            let own = checkpoint?.position.phase == position.phase ? checkpoint : nil
            let name = names[position.phase]
            let start = try start(name, from: network, checkpoint: own, progress: progress)
            let phase = try TrainingPhase(
                start, settings, recipe: trainer.recipe, threads: trainer.threads,
                position: position, checkpoint: own)
            if own == nil {
                if settings.reestimatesBatchNorm, name == TrainingPhase.training {
                    try phase.reestimateBatchNorm(progress: progress)
                }
                try save(phase)
            }
            try phase.run(
                progress: progress, save: { try self.save(phase) },
                log: { try self.folder.map { try $0.write(phase.position.logText, to: $0.log) } })
            guard position.phase + 1 < names.count else { return phase }
            if let result = phase.result { network = result.network }
            var next = TrainingPosition()
            next.phase = position.phase + 1
            next.log = phase.position.log
            next.secondsBefore = phase.position.secondsBefore
            position = next
        }
    }

    /// What a phase begins with: the network with a new classifier where the task asks for one, and
    /// in the form in which it learns.
    private func start(
        _ name: String, from network: Network, checkpoint: TrainingCheckpoint?,
        progress: TaskProgress
    ) throws -> TrainingPhase.Start {
        let isPretraining = name == TrainingPhase.pretraining
        let data = try TrainingData.of(
            settings.task, isPretraining: isPretraining, train: trainer.train,
            test: trainer.test, seed: settings.seed)
        var network = network
        if settings.task == .adapt {
            try Classifier(of: network).reset(
                in: &network, classes: data.train.classNames.count,
                seed: settings.seed &+ (isPretraining ? 0 : 1))
        }
        network.preprocessing?.classNames = data.train.classNames
        startChecksum = nil
        if !isPretraining, settings.form == .smartDeal || settings.retrains {
            try pack(&network, checkpoint: checkpoint, progress: progress)
        } else {
            network = network.withDenseWeights()
        }
        var structure: [String: CompressedParameter] = [:]
        if settings.retrains, !isPretraining {
            for (name, parameter) in network.parameters {
                if case .smartDeal(let packed) = parameter { structure[name] = packed }
            }
            network = network.withDenseWeights()
        }
        return TrainingPhase.Start(
            network: network, structure: structure, data: data, name: name,
            epochs: isPretraining ? settings.pretrainEpochs ?? settings.epochs : settings.epochs)
    }

    /// Puts weights in SmartDeal form, or takes those that a run in the folder began with.
    private func pack(
        _ network: inout Network, checkpoint: TrainingCheckpoint?, progress: TaskProgress
    ) throws {
        let start: StartWeights
        if let checkpoint, let folder {
            start = try StartWeights(path: folder.start, for: network)
            guard start.checksum == checkpoint.start else {
                throw TrainingError(
                    .invalidCheckpoint, "it is damaged, or not of the state beside it",
                    path: folder.start)
            }
        } else {
            progress.begin(
                "compressing", total: network.weightSites.reduce(0) { $0 + $1.shape.reduce(1, *) })
            network = try network.compressed(
                recipe: trainer.recipe, threads: trainer.threads, seed: settings.seed
            ) {
                try progress.advance($0, tensor: $1)
            }
            guard let folder else { return }
            start = try StartWeights.write(network, to: folder.start)
        }
        for (name, packed) in start.parameters { network.parameters[name] = .smartDeal(packed) }
        startChecksum = start.checksum
    }

    private func save(_ phase: TrainingPhase) throws {
        guard let folder else { return }
        do {
            try TrainingCheckpoint(
                position: phase.position, states: phase.states, means: phase.averaging.means,
                settings: entries, start: startChecksum
            ).write(to: folder.state)
        } catch let error as TrainingError where error.code == .notANumber {
            throw phase.diverged(error.description)
        }
        saved = phase.position
    }

    // MARK: The end

    private func finish(
        _ phase: TrainingPhase, since begin: ContinuousClock.Instant, progress: TaskProgress
    ) throws -> Trainer.Result {
        guard let last = phase.result else { preconditionFailure("no epoch was trained") }
        let average = try phase.averaged(progress: progress)
        let isAverageBetter = average.map { $0.report.accuracy > last.report.accuracy } ?? false
        let chosen = isAverageBetter ? average ?? last : last
        var summary = TrainingSummary(
            settings: entries, network: settings.network, dataset: settings.dataset,
            form: settings.form.rawValue, task: settings.task.rawValue, epochs: settings.epochs,
            test_accuracy: chosen.report.accuracy, test_loss: chosen.report.loss,
            best_accuracy: phase.position.bestAccuracy, last_accuracy: last.report.accuracy,
            average_accuracy: average?.report.accuracy,
            chosen: isAverageBetter ? "average" : "last",
            training_seconds: phase.position.secondsBefore,
            seconds: (ContinuousClock.now - begin).inSeconds, threads: trainer.threads,
            seed: settings.seed, ledger: phase.ledger, version: SmartDeal.version)
        if let folder {
            summary.model_bytes = try ONNXModel(
                network: chosen.network, path: folder.model
            ).write(to: folder.model)
            let records = try phase.position.records
            try folder.write(TrainingPage(summary, records).html, to: folder.report)
            try folder.write(try summary.json, to: folder.summary)
        }
        return Trainer.Result(network: chosen.network, summary: summary)
    }
}

extension Network {
    /// The network with all weights dense.
    fileprivate func withDenseWeights() -> Network {
        var result = self
        for (name, parameter) in parameters {
            if case .smartDeal(let packed) = parameter {
                result.parameters[name] = .dense(packed.rebuilt())
            }
        }
        return result
    }
}

extension TrainingPosition {
    /// The log as a file has it.
    fileprivate var logText: String { log.map { $0 + "\n" }.joined() }

    /// The log's lines, read.
    fileprivate var records: [EpochRecord] {
        get throws {
            try log.map { try JSONDecoder().decode(EpochRecord.self, from: Data($0.utf8)) }
        }
    }
}
