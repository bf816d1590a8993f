/// The running range of the values that one convolution or product takes, for the network when it
/// does not learn.
package final class ActivationRange {
    /// Nil before the first batch.
    package private(set) var range: ValueRange?

    package init() {}

    /// Moves the ends to `momentum` of what they were and 1 - `momentum` of the batch's, as the
    /// authors' `QuantMeasure` does; the first batch counts whole.
    func move(to batch: ValueRange, momentum: Float) {
        guard let old = range else {
            range = batch
            return
        }
        range = ValueRange(
            old.minimum * momentum + batch.minimum * (1 - momentum),
            old.maximum * momentum + batch.maximum * (1 - momentum))
    }

    /// What has to be kept: both ends, or nothing before the first batch.
    package func state() -> StateArray {
        .float32(range.map { [$0.minimum, $0.maximum] } ?? [])
    }

    /// - Throws: ``TrainingError`` `.invalidCheckpoint` for what ``state()`` cannot have given.
    package func restore(_ state: StateArray, path: String? = nil) throws {
        guard case .float32(let ends) = state, ends.isEmpty || ends.count == 2 else {
            throw TrainingError(
                .invalidCheckpoint,
                "expected the two ends of a range, found \(state.count) "
                    + "numbers", path: path)
        }
        guard let first = ends.first, let last = ends.last else {
            range = nil
            return
        }
        guard first.isFinite, last.isFinite, first <= last else {
            throw TrainingError(
                .invalidCheckpoint, "\(first) to \(last) is no range", path: path)
        }
        range = ValueRange(first, last)
    }
}
