import DenseMath
import Testing

@testable import Training

/// Images of 2 x 3 pixels, channel c of image i being 10 i + c + pixel / 10.
private struct Ramps: ImageSource {
    let imageShape = [2, 2, 3]
    let labels: [Int]
    let black: [Float] = [-1, -2]

    init(_ count: Int) { labels = Array(0..<count) }

    func images(_ indices: [Int]) throws -> Tensor {
        Tensor(
            shape: [indices.count] + imageShape,
            indices.flatMap { image in
                (0..<12).map { Float(10 * image) + Float($0 / 6) + Float($0 % 6) / 10 }
            })
    }
}

/// A source that cannot be read.
private struct Broken: ImageSource {
    let imageShape = [1, 1, 1]
    let labels = [0, 0]
    let black: [Float] = [0]

    func images(_ indices: [Int]) throws -> Tensor {
        throw TrainingError(.invalidInput, "broken")
    }
}

@Suite("Batches") struct BatchPipelineTests {
    private func pipeline(
        _ count: Int, batch: Int, shuffles: Bool = true, crop: Int = 0, flip: Bool = false,
        seed: UInt64 = 7
    ) throws -> BatchPipeline {
        try BatchPipeline(
            Ramps(count), batch: batch, shuffles: shuffles,
            augmentation: Augmentation(crop: crop, flip: flip), seed: seed)
    }

    private func labels(_ pipeline: BatchPipeline, epoch: Int) throws -> [Int] {
        try (0..<pipeline.stepsPerEpoch).flatMap {
            try pipeline.batch(epoch: epoch, step: $0).labels
        }
    }

    @Test("an epoch has every image at most once; those that fill no batch are left out")
    func everyImageOnce() throws {
        let pipeline = try pipeline(23, batch: 5)
        #expect(pipeline.stepsPerEpoch == 4)
        let first = try labels(pipeline, epoch: 0)
        #expect(first.count == 20 && Set(first).count == 20)
        #expect(first != first.sorted())
        #expect(try labels(pipeline, epoch: 1) != first)
    }

    @Test("a batch depends on seed, epoch and step, not on what was asked for before")
    func independence() throws {
        let through = try pipeline(40, batch: 4, crop: 1, flip: true)
        var all: [Batch] = []
        for epoch in 0..<3 {
            for step in 0..<10 { all.append(try through.batch(epoch: epoch, step: step)) }
        }
        for (epoch, step) in [(2, 7), (0, 3), (1, 9), (2, 0)] {
            let direct = try pipeline(40, batch: 4, crop: 1, flip: true)
                .batch(epoch: epoch, step: step)
            #expect(direct.images == all[epoch * 10 + step].images)
            #expect(direct.labels == all[epoch * 10 + step].labels)
        }
        let other = try pipeline(40, batch: 4, crop: 1, flip: true, seed: 8)
            .batch(epoch: 0, step: 0)
        #expect(other.images != all[0].images)
    }

    @Test("without shuffling and changes, batches are the images in order")
    func plain() throws {
        let pipeline = try pipeline(6, batch: 3, shuffles: false)
        for step in 0..<2 {
            let indices = Array(3 * step..<3 * step + 3)
            let batch = try pipeline.batch(epoch: 4, step: step)
            #expect(batch.labels == indices)
            #expect(try batch.images == Ramps(6).images(indices))
        }
    }

    @Test("a changed image is a window of the image with a black border, perhaps mirrored")
    func windows() throws {
        let crop = 2
        let batch = try pipeline(200, batch: 200, shuffles: false, crop: crop, flip: true)
            .batch(epoch: 0, step: 0)
        let originals = try Ramps(200).images(Array(0..<200)).floats
        let changed = batch.images.floats
        var seen = Set<[Int]>()
        for image in 0..<200 {
            let found = Array(changed[12 * image..<12 * (image + 1)])
            var matches: [[Int]] = []
            for top in -crop...crop {
                for left in -crop...crop {
                    for mirrored in [0, 1] {
                        let expected = (0..<12).map { index -> Float in
                            let (channel, y, x) = (index / 6, index % 6 / 3 + top, index % 3)
                            let column = (mirrored == 1 ? 2 - x : x) + left
                            guard (0..<2).contains(y), (0..<3).contains(column) else {
                                return channel == 0 ? -1 : -2
                            }
                            return originals[12 * image + 6 * channel + 3 * y + column]
                        }
                        if expected == found { matches.append([top, left, mirrored]) }
                    }
                }
            }
            #expect(!matches.isEmpty, "image \(image)")
            seen.formUnion(matches)
        }
        // 50 kinds of change, 200 images: nearly all are seen.
        #expect(seen.count > 40)
    }

    @Test("fewer images than a batch are refused, and a failing source is an error")
    func failures() throws {
        #expect(throws: TrainingError.self) { try pipeline(3, batch: 4) }
        let broken = try BatchPipeline(
            Broken(), batch: 2, shuffles: true, augmentation: Augmentation(), seed: 0)
        #expect(throws: TrainingError(.invalidInput, "broken")) {
            try broken.batch(epoch: 0, step: 0)
        }
    }
}
