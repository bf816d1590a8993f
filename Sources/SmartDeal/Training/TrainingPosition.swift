/// Where a run is, and what it has measured on the way.
struct TrainingPosition: Codable, Equatable {
    /// Which phase: 0 is the first one.
    var phase = 0
    /// Epochs of the phase that are over.
    var epoch = 0
    /// Steps of the epoch that are over.
    var step = 0
    /// Sums over the steps of the epoch that are over.
    var lossSum = 0.0
    var correct = 0
    /// The losses of those steps, where they are logged.
    var losses: [Double] = []
    /// Seconds that those steps took.
    var seconds = 0.0
    /// Seconds of the run before the epoch.
    var secondsBefore = 0.0
    /// The best accuracy of any epoch.
    var bestAccuracy = 0.0
    /// How many values are in the average of weights.
    var averaged = 0
    /// The log's lines of epochs that are over.
    var log: [String] = []

    /// Whether the numbers can be those of a run.
    var isSound: Bool {
        (0...1).contains(phase) && epoch >= 0 && step >= 0 && correct >= 0 && averaged >= 0
            && lossSum.isFinite && seconds.isFinite && secondsBefore.isFinite
            && epoch <= 1 << 40 && step <= 1 << 40
    }
}
