import DenseMath
import Inference
import ModelFiles
import Networks

/// What a network does on a data set before and after it is compressed.
public struct ModelComparison: Sendable, Codable, Equatable {
    /// A network on the data set.
    public struct Side: Sendable, Codable, Equatable {
        /// The share of images whose class has the highest score, 0...1.
        public var accuracy: Double
        /// The mean cross-entropy, in nats.
        public var loss: Double
        /// The median time of one image.
        public var median_ms: Double
        /// Bytes of the file.
        public var bytes: Int
    }

    public var dataset: String
    public var split: String
    public var images: Int
    public var threads: Int
    public var before: Side
    public var after: Side
    /// Images to which both give the same class.
    public var same_class: Int

    /// Runs two models on all images, and on single ones by turns to compare times.
    ///
    /// - Throws: ``SmartDealError`` `.datasetMismatch`, ``ModelFileError``, ``NetworkError``.
    public init(
        _ original: String, _ compressed: String, on dataset: Dataset,
        split: Dataset.Split = .test, threads: Int = ParallelLoop.availableThreads,
        progress: TaskProgress = TaskProgress()
    ) throws {
        var evaluation = Evaluation()
        evaluation.threads = threads
        var loaded = try [original, compressed].map { try LoadedNetwork(path: $0) }
        // One normalisation for both, so that nothing but the weights differs.
        loaded[0].network.preprocessing =
            loaded[0].network.preprocessing ?? loaded[1].network.preprocessing
        loaded[1].network.preprocessing = loaded[0].network.preprocessing
        let results = try loaded.map {
            try evaluation.classify(
                $0.network, name: $0.name, on: dataset, split: split, progress: progress)
        }
        let times = try LatencyBenchmark.medians(
            of: loaded.map(\.network), threads: threads, seconds: 1)
        let sides = zip(zip(loaded, results), times).map { model, milliseconds in
            Side(
                accuracy: model.1.report.accuracy, loss: model.1.report.loss,
                median_ms: milliseconds, bytes: model.0.fileByteCount ?? 0)
        }
        self.dataset = dataset.name
        self.split = split.rawValue
        self.threads = threads
        images = dataset.count
        before = sides[0]
        after = sides[1]
        same_class = zip(results[0].classes, results[1].classes).count { $0 == $1 }
    }
}

extension ModelComparison {
    /// A table of both sides and under what conditions they were measured.
    public func text() -> String {
        var table = TextTable(["", "before", "after", "change"], leftAligned: [0])
        for row in rows { table.add(row) }
        return table.text + "\n\n" + conditions
    }

    /// Name, before, after, change.
    var rows: [[String]] {
        let points = (after.accuracy - before.accuracy) * 100
        let loss = after.loss - before.loss
        func signed(_ value: Double, _ decimals: Int) -> String {
            (value > 0 ? "+" : "") + HumanNumber.fixed(value, decimals: decimals)
        }
        func row(_ name: String, _ change: String, _ value: (Side) -> String) -> [String] {
            [name, value(before), value(after), change]
        }
        let smaller = Double(before.bytes) / Double(max(1, after.bytes))
        let faster = before.median_ms / max(after.median_ms, 1e-9)
        return [
            row("file", HumanNumber.ratio(smaller) + " smaller") { HumanNumber.bytes($0.bytes) },
            row("accuracy", signed(points, 2) + " points") {
                HumanNumber.fixed($0.accuracy * 100, decimals: 2) + " %"
            },
            row("loss", signed(loss, 4)) { HumanNumber.fixed($0.loss, decimals: 4) },
            row("one image", HumanNumber.ratio(faster) + " as fast") {
                HumanNumber.fixed($0.median_ms, decimals: 3) + " ms"
            },
        ]
    }

    /// What was measured, and how.
    var conditions: String {
        let same = Double(same_class) / Double(max(1, images))
        return "\(images) images of \(dataset) (\(split)), \(threads) "
            + "\(threads == 1 ? "thread" : "threads"), f32. Both give the same class to "
            + "\(HumanNumber.percent(same)). Weights are rebuilt once, when the model is loaded: "
            + "an image takes as long as with dense weights."
    }
}
