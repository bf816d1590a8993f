import DenseMath
import Decomposition
import Foundation
import ModelFiles
import Networks
import Training

/// Trains a network, dense or in SmartDeal form.
public struct Trainer: Sendable {
    public var settings: TrainingSettings
    public var threads = ParallelLoop.availableThreads
    /// Where log, checkpoints, model, summary and report go; nil for nowhere.
    public var folder: String?
    /// Whether to go on from the checkpoint in the folder, bit for bit as if never stopped when
    /// settings, machine and number of threads are the same.
    public var resumes = false
    /// How weights are put in SmartDeal form.
    public var recipe: Recipe

    let network: Network
    let train: Dataset
    let test: Dataset

    /// What a run gives.
    public struct Result: Sendable {
        /// The trained network, its weights packed where they are in SmartDeal form.
        public var network: Network
        public var summary: TrainingSummary
    }

    /// A trainer of a network.
    ///
    /// - Parameters:
    ///   - network: with the weights to begin with.
    ///   - test: what accuracy is measured on, after every epoch.
    public init(
        _ network: Network, train: Dataset, test: Dataset,
        settings: TrainingSettings = TrainingSettings()
    ) {
        var network = network
        network.preprocessing = network.preprocessing ?? train.standardPreprocessing
        // Other weights have other ranges.
        network.activationRanges = nil
        self.network = network
        self.train = train
        self.test = test
        self.settings = settings
        recipe = .training(network)
        if settings.network.isEmpty { self.settings.network = network.name }
        if settings.dataset.isEmpty { self.settings.dataset = train.name }
    }

    /// A trainer of what settings name: network, data set, source, recipe.
    ///
    /// A built-in network takes image shape and number of classes from the data set unless its name
    /// says them.
    ///
    /// - Throws: ``NetworkError``, ``ModelFileError``, ``DecompositionError``.
    public init(_ settings: TrainingSettings) throws {
        let train = try Dataset.load(settings.dataset, split: .train, limit: settings.limit)
        let test = try Dataset.load(settings.dataset, split: .test, limit: settings.testLimit)
        var name = settings.network
        if let source = settings.source {
            name = TrainingFolder.isFolder(source) ? TrainingFolder(path: source).model : source
        }
        let loaded = try LoadedNetwork(Self.specification(name, for: train), seed: settings.seed)
        self.init(loaded.network, train: train, test: test, settings: settings)
        if let recipe = settings.recipe { self.recipe = try Recipe.load(recipe) }
    }

    /// The name of a built-in network with what it leaves to the data set.
    private static func specification(_ name: String, for data: Dataset) -> String {
        let base = name.prefix { $0 != "@" && $0 != "/" }
        guard Zoo.names.contains(String(base)) else { return name }
        let shape = data.imageShape.map(String.init).joined(separator: "x")
        let rest = name.dropFirst(base.count)
        let input = rest.first == "@" ? rest.prefix { $0 != "/" } : "@\(shape)"
        let classes = rest.drop { $0 != "/" }
        return String(base + input) + (classes.isEmpty ? "/\(data.classNames.count)" : classes)
    }

    /// Whether the folder holds a state to resume from.
    public var hasCheckpoint: Bool { folder.map { TrainingFolder(path: $0).hasState } ?? false }

    /// Trains to the end.
    ///
    /// - Throws: ``TrainingError``: `.invalidOption` for settings or a recipe that break rules, `.notANumber`
    ///   for a loss that is none, `.invalidCheckpoint`; ``SmartDealError`` `.interrupted` when
    ///   asked to stop, with the state kept; ``NetworkError``, ``DecompositionError``,
    ///   ``ModelFileError``.
    public func run(progress: TaskProgress = TaskProgress()) throws -> Result {
        let packs = settings.form == .smartDeal || settings.retrains
        let problems = settings.problems + (packs ? recipe.problemsInTraining : [])
        guard problems.isEmpty else {
            throw TrainingError(.invalidOption, problems.joined(separator: "; "))
        }
        return try TrainingSession(self).run(progress: progress)
    }
}
