import DenseMath
import Foundation
import ModelFiles
import Networks

/// What a network's scores of a batch of images amount to.
struct ClassScores {
    /// The class with the highest score of each image.
    private(set) var chosen: [Int] = []
    private(set) var correct = 0
    /// The sum of the cross-entropies, in nats.
    private(set) var loss = 0.0

    /// A probability of 0 counts as the smallest that a float can be.
    private static let highestLoss = -log(Double(Float.leastNonzeroMagnitude))

    /// - Parameters:
    ///   - scores: `[images, classes]`, perhaps with dimensions of 1 after that; images without a
    ///     label are left out.
    ///   - areProbabilities: whether a softmax has been taken of them already.
    /// - Throws: ``SmartDealError`` `.datasetMismatch` for scores of another shape or number of
    ///   classes, `.notANumber`.
    init(
        _ scores: Tensor, areProbabilities: Bool, labels: ArraySlice<Int>, of classes: ImageClasses
    ) throws {
        let counts = scores.shape.dropFirst()
        guard scores.kind == .float32, let rows = scores.shape.first, rows >= labels.count,
            counts.count >= 1, counts.filter({ $0 != 1 }).count <= 1
        else {
            throw SmartDealError(
                .datasetMismatch,
                "the network's output, \(scores.kind.rawValue) \(scores.shape), is no list of "
                    + "scores for each image")
        }
        let count = counts.reduce(1, *)
        guard classes.fit(count) else {
            throw SmartDealError(
                .datasetMismatch,
                "the network tells \(count) classes apart, the data set has \(classes.count)")
        }
        try scores.withFloats { values in
            for (row, label) in labels.enumerated() {
                let line = UnsafeBufferPointer(rebasing: values[row * count..<(row + 1) * count])
                guard line.allSatisfy({ !$0.isNaN && $0 < .infinity }) else {
                    throw SmartDealError(
                        .notANumber,
                        "a score of image \(labels.startIndex + row) is infinite or not a number")
                }
                add(line, label, areProbabilities)
            }
        }
    }

    private mutating func add(
        _ line: UnsafeBufferPointer<Float>, _ label: Int, _ areProbabilities: Bool
    ) {
        let largest = line.max() ?? 0
        // The first of equal scores counts, as argmax has it.
        let best = line.firstIndex(of: largest) ?? 0
        chosen.append(best)
        if best == label { correct += 1 }
        let own =
            if areProbabilities {
                -log(Double(line[label]))
            } else {
                log(line.reduce(0.0) { $0 + exp(Double($1) - Double(largest)) })
                    - (Double(line[label]) - Double(largest))
            }
        loss += own.isFinite ? own : Self.highestLoss
    }
}

/// The classes of a data set's images as a network counts them.
struct ImageClasses {
    /// The class of each image.
    let labels: [Int]
    let count: Int
    /// Whether the network may tell more classes apart: those of a data set that names none.
    private let mayBeMore: Bool

    /// Goes by the names of classes where the network and the data set have them.
    ///
    /// - Throws: ``SmartDealError`` `.datasetMismatch` for a class that the network does not know.
    init(of dataset: Dataset, for network: Network) throws {
        let names = dataset.classNames
        guard let known = network.preprocessing?.classNames, known != names,
            !Self.areNumbers(known), !Self.areNumbers(names)
        else {
            labels = dataset.labels
            count = names.count
            mayBeMore = Self.areNumbers(names)
            return
        }
        let order = try names.map { name in
            guard let index = known.firstIndex(of: name) else {
                throw SmartDealError(
                    .datasetMismatch,
                    "the network knows no class '\(name)'"
                        + NearNames.hint(name, among: known.prefix(1000)))
            }
            return index
        }
        labels = dataset.labels.map { order[$0] }
        count = known.count
        mayBeMore = false
    }

    /// Whether scores of `scoreCount` classes can be theirs.
    func fit(_ scoreCount: Int) -> Bool {
        scoreCount == count || mayBeMore && scoreCount > count
    }

    private static func areNumbers(_ names: [String]) -> Bool {
        names == names.indices.map(String.init)
    }
}

extension SmartDealError.Code {
    /// The images or classes of a data set are not those that a network is for.
    public static let datasetMismatch = Self(rawValue: "dataset-mismatch")
    /// A network computed what is infinite or not a number.
    public static let notANumber = Self(rawValue: "not-a-number")
}
