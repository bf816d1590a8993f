import DenseMath
import Foundation
import Inference
import ModelFiles
import Networks

/// Measures how well a network classifies the images of a data set.
public struct Evaluation: Sendable {
    /// Images that are run at once, unless the network is fixed to another number.
    public var batch = 100
    public var threads = ParallelLoop.availableThreads
    /// The arithmetic; bytes need a network with the ranges of its values.
    public var precision = Precision.f32
    /// When weights in SmartDeal form are rebuilt.
    public var rebuilding = Rebuilding.once

    public init() {}

    /// How well a network did. Keys as the JSON output has them.
    public struct Report: Sendable, Codable, Equatable {
        public var model: String
        public var dataset: String
        public var split: String
        /// The share of images whose class has the highest score, 0...1.
        public var accuracy: Double
        /// The mean cross-entropy, in nats, of the scores or, where the network ends with a softmax,
        /// of the probabilities.
        public var loss: Double
        public var images: Int
        public var correct: Int
        /// Preparing images, running, and scoring; making plans is not counted.
        public var seconds: Double
        public var images_per_second: Double
        public var precision: String
        public var preprocessing: String
        public var threads: Int
    }

    /// Runs a network on all images of a data set.
    ///
    /// Pixels are normalised as the model says, or else as is usual for the data set. Classes are
    /// matched by name where both name them.
    ///
    /// - Throws: ``SmartDealError`` `.datasetMismatch` for images or classes that the network is
    ///   not for, `.notANumber`; ``NetworkError``.
    public func evaluate(
        _ network: Network, name: String, on dataset: Dataset, split: Dataset.Split = .test,
        progress: TaskProgress = TaskProgress()
    ) throws -> Report {
        try classify(network, name: name, on: dataset, split: split, progress: progress).report
    }

    /// ``evaluate(_:name:on:split:progress:)``, and the class that each image was given.
    func classify(
        _ network: Network, name: String, on dataset: Dataset, split: Dataset.Split,
        progress: TaskProgress
    ) throws -> (report: Report, classes: [Int]) {
        let preprocessing = network.preprocessing ?? dataset.standardPreprocessing
        let input = try network.imageInput(for: dataset)
        guard let output = network.outputs.first else {
            throw SmartDealError(.datasetMismatch, "the network has no output")
        }
        let classes = try ImageClasses(of: dataset, for: network)
        let areProbabilities = network.isProbability(output)
        let session = InferenceSession(
            network, threads: threads, precision: precision, rebuilding: rebuilding)
        let fixed: Int? = if case .fixed(let size)? = input.shape.first { size } else { nil }
        guard batch > 0, fixed ?? 1 > 0 else {
            throw SmartDealError(.datasetMismatch, "the network takes no images: \(input.typeText)")
        }
        progress.begin("evaluating", total: dataset.count)
        var chosen: [Int] = []
        var correct = 0
        var loss = 0.0
        var time = Duration.zero
        while chosen.count < dataset.count {
            let range = chosen.count..<min(chosen.count + (fixed ?? batch), dataset.count)
            let size = fixed ?? range.count
            let plan = try session.plan(for: [input.name: [size] + dataset.imageShape])
            let begin = ContinuousClock.now
            // The last image again and again where the network asks for more than are left.
            let filling = repeatElement(range.upperBound - 1, count: size - range.count)
            let images = try dataset.batch(Array(range) + filling, preprocessing: preprocessing)
            let outputs = try plan.run([input.name: images])
            guard let tensor = outputs[output] else { break }
            let scores = try ClassScores(
                tensor, areProbabilities: areProbabilities, labels: classes.labels[range],
                of: classes)
            time += ContinuousClock.now - begin
            correct += scores.correct
            loss += scores.loss
            chosen += scores.chosen
            let share = Double(correct) / Double(chosen.count)
            try progress.advance(range.count, tensor: "\(HumanNumber.percent(share)) right so far")
        }
        let count = Double(max(1, dataset.count))
        let seconds = time.inSeconds
        let report = Report(
            model: name, dataset: dataset.name, split: split.rawValue,
            accuracy: Double(correct) / count, loss: loss / count, images: dataset.count,
            correct: correct, seconds: seconds, images_per_second: count / max(seconds, 1e-9),
            precision: precision.rawValue, preprocessing: preprocessing.name, threads: threads)
        return (report, chosen)
    }
}

extension Network {
    /// The input, if it takes the images of a data set.
    ///
    /// - Throws: ``SmartDealError`` `.datasetMismatch`.
    func imageInput(for dataset: Dataset) throws -> Network.Input {
        guard inputs.count == 1, let input = inputs.first else {
            throw SmartDealError(
                .datasetMismatch,
                "the network has \(inputs.count) inputs; images are for networks with one")
        }
        let expected = input.shape.dropFirst()
        let fits =
            expected.count == dataset.imageShape.count
            && zip(expected, dataset.imageShape).allSatisfy { dimension, size in
                if case .fixed(let fixed) = dimension { fixed == size } else { true }
            }
        guard fits, input.elementType == .float32 else {
            throw SmartDealError(
                .datasetMismatch,
                "the network takes \(input.typeText), the images of '\(dataset.name)' are "
                    + "\(dataset.imageShape)")
        }
        return input
    }
}

extension Network {
    /// Whether a value is the result of a softmax, in another shape perhaps.
    fileprivate func isProbability(_ value: String) -> Bool {
        var value = value
        for node in nodes.reversed() where node.outputs.first == value {
            switch node.operation {
            case .softmax: return true
            case .unary(.identity), .reshape, .flatten, .squeeze: value = node.input(0) ?? ""
            default: return false
            }
        }
        return false
    }
}
