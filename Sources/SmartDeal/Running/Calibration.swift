import DenseMath
import Inference
import ModelFiles
import Networks

/// Finds between which numbers the values of a network lie on images of a data set.
public struct Calibration: Sendable {
    public var dataset: Dataset
    /// At most this many images, chosen at random.
    public var images = 256
    /// How the ends of a batch are found.
    public var rule = RangeCalibration.Rule.extremes
    public var threads = ParallelLoop.availableThreads
    public var seed: UInt64 = 0

    /// Images that are run at once, unless the network is fixed to another number: every value of
    /// each is kept until its ends are found.
    private static let batch = 8

    /// Chooses from the given images.
    public init(on dataset: Dataset) {
        self.dataset = dataset
    }

    /// Chooses from the training images of a data set, or the test images where it has no others.
    ///
    /// - Throws: ``ModelFileError``.
    public init(on name: String) throws {
        do {
            dataset = try Dataset.load(name, split: .train)
        } catch let error as ModelFileError {
            // The error that counts is the one of a data set that is not there at all.
            guard let test = try? Dataset.load(name, split: .test) else { throw error }
            dataset = test
        }
    }

    /// The ranges of a network's values.
    ///
    /// - Throws: ``SmartDealError`` `.datasetMismatch` for images that the network does not take,
    ///   `.interrupted`; ``NetworkError``.
    public func ranges(
        of network: Network, progress: TaskProgress = TaskProgress()
    ) throws -> ActivationRanges {
        let input = try network.imageInput(for: dataset)
        var generator = SplitMix64(seed: seed)
        let chosen = Array((0..<dataset.count).shuffled(using: &generator).prefix(images))
        let fixed: Int? = if case .fixed(let size)? = input.shape.first { size } else { nil }
        let size = max(1, fixed ?? Self.batch)
        var calibration = RangeCalibration(network, threads: threads, rule: rule)
        progress.begin("calibrating", total: chosen.count)
        // Whole batches only, unless there is but a part of one.
        for begin in stride(from: 0, to: max(1, chosen.count - size + 1), by: size) {
            let indices = (begin..<(begin + size)).map { chosen[$0 % max(1, chosen.count)] }
            let images = try dataset.batch(
                indices, preprocessing: network.preprocessing ?? dataset.standardPreprocessing)
            try calibration.observe([input.name: images])
            try progress.advance(min(size, chosen.count), tensor: "")
        }
        return calibration.ranges
    }
}
