import Foundation
import Testing

@testable import SmartDeal

@Suite("Resuming a training run") struct TrainingResumeTests {
    private typealias Data = TrainingTestData

    private static let cases: [(name: String, settings: TrainingSettings)] = [
        ("dense with an average", Data.settings { $0.averageStart = 0 }),
        (
            "adamw",
            Data.settings {
                $0.optimizer = .adamW
                $0.learningRate = 0.002
            }
        ),
        ("smartdeal", Data.settings { $0.form = .smartDeal }),
        (
            "smartdeal, two to switch",
            Data.settings {
                $0.form = .smartDeal
                $0.switchBar = 2
                $0.averageStart = 1
            }
        ),
        ("re-training", Data.settings { $0.retrains = true }),
        (
            "adapting",
            Data.settings {
                $0.task = .adapt
                $0.form = .smartDeal
            }
        ),
    ]

    /// Log lines without what a clock says.
    private static func log(_ folder: TestFolder) throws -> [EpochRecord] {
        try TrainingRunTests.records(folder).map {
            var record = $0
            (record.seconds, record.step_ms, record.images_per_second) = (0, 0, 0)
            return record
        }
    }

    @Test(
        "a run that is stopped at any step and goes on gives the bits of one that was not",
        arguments: cases.indices)
    func bits(index: Int) throws {
        let (name, settings) = Self.cases[index]
        // Half of the images for each phase of a task.
        let isAdapting = settings.task == .adapt
        let images = isAdapting ? 320 : 160
        let whole = try TestFolder()
        let expected = try Data.trainer(settings, images: images, folder: whole.path).run()
        // In the first epoch, at its end, in the second; in both phases.
        for stop in isAdapting ? [2, 7, 13] : [2, 4, 5, 8] {
            let folder = try TestFolder()
            let trainer = try Data.trainer(settings, images: images, folder: folder.path)
            let error = #expect(throws: SmartDealError.self) {
                try trainer.run(progress: Data.stopping(after: stop))
            }
            #expect(error?.code == .interrupted)
            #expect(error?.message.contains("--resume") == true)
            let resumed = try Data.trainer(
                settings, images: images, folder: folder.path, resumes: true
            ).run()
            #expect(resumed.network.bits == expected.network.bits, "\(name), stop \(stop)")
            #expect(try folder.read("model.onnx") == whole.read("model.onnx"))
            #expect(try Self.log(folder) == Self.log(whole))
        }
    }

    @Test("resuming a finished run writes the same files again")
    func finished() throws {
        let folder = try TestFolder()
        let settings = Data.settings { $0.form = .smartDeal }
        _ = try Data.trainer(settings, folder: folder.path).run()
        let model = try folder.read("model.onnx")
        _ = try Data.trainer(settings, folder: folder.path, resumes: true).run()
        #expect(try folder.read("model.onnx") == model)
    }

    @Test("a folder with a run in it is left alone without --resume")
    func occupied() throws {
        let folder = try TestFolder()
        let settings = Data.settings { $0.epochs = 1 }
        _ = try Data.trainer(settings, folder: folder.path).run()
        let model = try folder.read("model.onnx")
        let error = #expect(throws: TrainingError.self) {
            try Data.trainer(settings, folder: folder.path).run()
        }
        #expect(error?.message.contains("--resume") == true)
        #expect(try folder.read("model.onnx") == model)
    }

    @Test("a checkpoint of other settings is refused, naming the keys that differ")
    func otherSettings() throws {
        let folder = try TestFolder()
        _ = try Data.trainer(Data.settings { $0.epochs = 1 }, folder: folder.path).run()
        let other = Data.settings {
            $0.epochs = 1
            $0.momentum = 0.8
            $0.flip = false
        }
        let error = #expect(throws: TrainingError.self) {
            try Data.trainer(other, folder: folder.path, resumes: true).run()
        }
        #expect(error?.code == .invalidCheckpoint)
        for part in ["momentum (0.9 there, 0.8 now)", "augmentation.flip (true there, false now)"] {
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
    }

    @Test("lines of the log that the checkpoint does not know go away")
    func logIsCut() throws {
        let folder = try TestFolder()
        let settings = Data.settings()
        #expect(throws: SmartDealError.self) {
            try Data.trainer(settings, folder: folder.path)
                .run(progress: Data.stopping(after: 7))
        }
        let half = String(decoding: try folder.read("log.jsonl"), as: UTF8.self)
        try folder.write(Array((half + "{\"epoch\": 99").utf8), to: "log.jsonl")
        _ = try Data.trainer(settings, folder: folder.path, resumes: true).run()
        #expect(try TrainingRunTests.records(folder).map(\.epoch) == [1, 2])
    }

    @Test("cut off or changed anywhere, a checkpoint is an error and nothing worse")
    func hostile() throws {
        let folder = try TestFolder()
        let settings = Data.settings {
            $0.form = .smartDeal
            $0.averageStart = 0
        }
        #expect(throws: SmartDealError.self) {
            try Data.trainer(settings, folder: folder.path)
                .run(progress: Data.stopping(after: 7))
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(seed: seed)
        for name in ["checkpoint/state.safetensors", "checkpoint/start.safetensors"] {
            let whole = try folder.read(name)
            var variants = (0..<20).map { _ in
                Array(whole.prefix(Int(random.next() % UInt64(whole.count))))
            }
            for index in 0..<60 {
                var changed = whole
                // Half of them in the header.
                let limit = index % 2 == 0 ? min(whole.count, 3000) : whole.count
                let place = Int(random.next() % UInt64(limit))
                changed[place] ^= UInt8(1 << (random.next() % 8))
                variants.append(changed)
            }
            for (index, variant) in variants.enumerated() {
                try folder.write(variant, to: name)
                #expect(throws: (any Error).self, "\(name), variant \(index), seed \(seed)") {
                    try Data.trainer(settings, folder: folder.path, resumes: true).run()
                }
            }
            try folder.write(whole, to: name)
        }
        _ = try Data.trainer(settings, folder: folder.path, resumes: true).run()
    }

    @Test("without a checkpoint, resuming begins at the beginning")
    func nothingThere() throws {
        let folder = try TestFolder()
        let settings = Data.settings { $0.epochs = 1 }
        let trainer = try Data.trainer(settings, folder: folder("new"), resumes: true)
        #expect(!trainer.hasCheckpoint)
        _ = try trainer.run()
        #expect(trainer.hasCheckpoint)
    }
}
