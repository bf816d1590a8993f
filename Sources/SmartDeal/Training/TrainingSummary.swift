import Foundation

/// What a run came to. Keys as the JSON output has them.
public struct TrainingSummary: Codable, Sendable, Equatable {
    /// All settings as text, by key.
    public var settings: [String: String]
    public var network: String
    public var dataset: String
    public var form: String
    public var task: String
    public var epochs: Int
    /// Of the network that was saved, 0...1.
    public var test_accuracy: Double
    public var test_loss: Double
    /// The best of all epochs.
    public var best_accuracy: Double
    /// Of the last epoch.
    public var last_accuracy: Double
    /// Of the averaged weights, where they were averaged.
    public var average_accuracy: Double?
    /// `last`, or `average` where that was better: which network was saved.
    public var chosen: String
    /// Of all steps, and of this process from start to end.
    public var training_seconds: Double
    public var seconds: Double
    public var threads: Int
    public var seed: UInt64
    /// Of the model file, where one was written.
    public var model_bytes: Int?
    public var ledger: TrainingLedger
    public var version: String

    /// One JSON object and a new line.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        }
    }

    /// A few lines for people.
    public func text() -> String {
        func percent(_ share: Double) -> String {
            HumanNumber.fixed(share * 100, decimals: 2) + " %"
        }
        let average = average_accuracy.map { ", of averaged weights \(percent($0))" } ?? ""
        let lines = [
            "\(network) on \(dataset), \(form), \(task): \(percent(test_accuracy)) of test images "
                + "right (last epoch \(percent(last_accuracy))\(average)) after \(epochs) epochs, "
                + HumanNumber.seconds(training_seconds),
            "weights \(HumanNumber.bytes(ledger.run.weights)), "
                + "\(HumanNumber.ratio(ledger.weights_ratio)) smaller than floats; "
                + "optimizer \(HumanNumber.bytes(ledger.run.optimizer)), "
                + "gradients \(HumanNumber.bytes(ledger.run.gradients)), "
                + "activations \(HumanNumber.bytes(ledger.run.activations))",
        ]
        return lines.joined(separator: "\n")
    }
}
