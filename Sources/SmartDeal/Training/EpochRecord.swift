import Foundation

/// What is logged of an epoch. Keys as the log has them.
public struct EpochRecord: Codable, Sendable, Equatable {
    /// `pretrain` or `train`.
    public var phase: String
    /// From 1 on.
    public var epoch: Int
    /// The mean loss of the steps, and the share of their images that were classified right.
    public var loss: Double
    public var train_accuracy: Double
    /// Of the network as it would be saved.
    public var test_loss: Double
    public var test_accuracy: Double
    /// Of the last step.
    public var learning_rate: Double
    /// Of the steps; testing and saving come on top.
    public var seconds: Double
    public var step_ms: Double
    public var images_per_second: Double
    /// The share of symbols that are not what they were when the phase began.
    public var changed_symbols: Double
    /// See ``TrainingLedger``.
    public var weight_bytes: Int
    public var optimizer_bytes: Int
    public var gradient_bytes: Int
    public var activation_bytes: Int
    /// The loss of every step, where it is asked for.
    public var step_losses: [Double]?

    /// One line of JSON.
    var line: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
