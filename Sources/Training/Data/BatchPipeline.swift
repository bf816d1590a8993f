internal import DenseMath
internal import Dispatch
internal import Synchronization

/// Gives batches of shuffled, augmented images; each is prepared while the one before trains.
///
/// A batch depends on the seed, the epoch and the step only, not on which batches were asked for
/// before. Images that do not fill a last batch are left out of their epoch.
package final class BatchPipeline {
    /// Batches of an epoch.
    package let stepsPerEpoch: Int
    /// Images of a batch.
    package let batch: Int
    private let maker: BatchMaker
    private let queue = DispatchQueue(label: "smartdeal.batches")
    private var next: (epoch: Int, step: Int, batch: PendingBatch)?

    /// - Throws: ``TrainingError`` `.invalidInput` when there are not enough images for one batch.
    package init(
        _ source: any ImageSource, batch: Int, shuffles: Bool, augmentation: Augmentation,
        seed: UInt64
    ) throws {
        precondition(batch > 0, "a batch has at least one image")
        guard source.labels.count >= batch else {
            throw TrainingError(
                .invalidInput,
                "a batch has \(batch) images, there are \(source.labels.count) to train on")
        }
        self.batch = batch
        stepsPerEpoch = source.labels.count / batch
        maker = BatchMaker(
            source: source, batch: batch, shuffles: shuffles, augmentation: augmentation,
            seed: seed)
    }

    /// The batch of a step, `step` below ``stepsPerEpoch``; begins to prepare the one after it.
    package func batch(epoch: Int, step: Int) throws -> Batch {
        precondition((0..<stepsPerEpoch).contains(step), "an epoch has \(stepsPerEpoch) steps")
        let pending =
            if let next, next.epoch == epoch, next.step == step {
                next.batch
            } else {
                prepare(epoch: epoch, step: step)
            }
        let batch = try pending.wait()
        let isLast = step + 1 == stepsPerEpoch
        let (epoch, step) = (isLast ? epoch + 1 : epoch, isLast ? 0 : step + 1)
        next = (epoch, step, prepare(epoch: epoch, step: step))
        return batch
    }

    private func prepare(epoch: Int, step: Int) -> PendingBatch {
        let pending = PendingBatch()
        queue.async { [maker] in
            pending.fulfil(Result { try maker.batch(epoch: epoch, step: step) })
        }
        return pending
    }
}

/// A batch that a background thread prepares.
private final class PendingBatch: Sendable {
    private let result = Mutex<Result<Batch, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func fulfil(_ batch: Result<Batch, any Error>) {
        result.withLock { $0 = batch }
        done.signal()
    }

    /// Waits for it; only once.
    func wait() throws -> Batch {
        done.wait()
        guard let batch = result.withLock({ $0 }) else { preconditionFailure("no batch was made") }
        return try batch.get()
    }
}

/// Makes batches, from any thread.
private final class BatchMaker: Sendable {
    private let source: any ImageSource
    private let batch: Int
    private let shuffles: Bool
    private let augmentation: Augmentation
    private let seed: UInt64
    /// The order of the epoch at work.
    private let order = Mutex<(epoch: Int, indices: [Int])?>(nil)

    init(
        source: any ImageSource, batch: Int, shuffles: Bool, augmentation: Augmentation,
        seed: UInt64
    ) {
        self.source = source
        self.batch = batch
        self.shuffles = shuffles
        self.augmentation = augmentation
        self.seed = seed
    }

    func batch(epoch: Int, step: Int) throws -> Batch {
        let range = step * batch..<(step + 1) * batch
        let indices = Array(indices(of: epoch)[range])
        let images = try source.images(indices)
        let changed = augmentation.applied(to: images, black: source.black) { image in
            SplitMix64(seed: seed, for: 1, epoch, range.lowerBound + image)
        }
        return Batch(images: changed, labels: indices.map { source.labels[$0] })
    }

    private func indices(of epoch: Int) -> [Int] {
        guard shuffles else { return Array(source.labels.indices) }
        return order.withLock { known in
            if let known, known.epoch == epoch { return known.indices }
            var random = SplitMix64(seed: seed, for: 0, epoch)
            let indices = random.permutation(source.labels.count)
            known = (epoch, indices)
            return indices
        }
    }
}
