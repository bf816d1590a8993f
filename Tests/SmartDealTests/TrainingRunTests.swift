import Foundation
import Testing

@testable import SmartDeal

@Suite("Training") struct TrainingRunTests {
    private typealias Data = TrainingTestData

    @Test("the loss falls, and what is saved has the accuracy that is reported")
    func saved() throws {
        let folder = try TestFolder()
        let settings = Data.settings { $0.epochs = 3 }
        let result = try Data.trainer(settings, images: 640, folder: folder.path).run()
        let records = try Self.records(folder)
        #expect(records.map(\.epoch) == [1, 2, 3])
        #expect(records[2].loss < 0.8 * records[0].loss)
        let saved = try LoadedNetwork(path: folder("model.onnx")).network
        let report = try Evaluation().evaluate(
            saved, name: "saved", on: Data.fashion(limit: 100))
        #expect(report.accuracy == result.summary.test_accuracy)
        #expect(report.accuracy == records[2].test_accuracy)
        #expect(report.accuracy > 0.4)
        #expect(
            try folder.names() == [
                "checkpoint", "log.jsonl", "model.onnx", "report.html", "summary.json",
            ])
    }

    @Test("in SmartDeal form weights stay packed, pruned positions zero, and the loss falls")
    func smartDeal() throws {
        let folder = try TestFolder()
        let settings = Data.settings {
            $0.form = .smartDeal
            $0.epochs = 3
        }
        let trainer = try Data.trainer(settings, images: 640, folder: folder.path)
        let result = try trainer.run()
        let records = try Self.records(folder)
        #expect(records[2].loss < 0.9 * records[0].loss)
        #expect(records[2].changed_symbols > 0)
        guard case .smartDeal(let weight)? = result.network.parameters["conv2.weight"] else {
            Issue.record("conv2.weight is not packed")
            return
        }
        let mask = try #require(weight.weight.mask(ofGroup: 0))
        let values = weight.rebuilt().floats
        for position in 0..<mask.count where !mask[position] {
            for filter in 0..<16 {
                let begin = filter * 72 + position * 3
                #expect(values[begin..<begin + 3].allSatisfy { $0 == 0 })
            }
        }
        #expect(mask.setIndexes.count == 12)
        #expect(result.summary.ledger.packed_weights_ratio > 4)
        #expect(result.summary.ledger.run.weights < result.summary.ledger.dense.weights)
        let saved = try LoadedNetwork(path: folder("model.onnx")).network
        #expect(saved.parameterByteCount < 2 * result.network.parameterByteCount)
    }

    @Test("a log line has the keys that scripts rely on")
    func logKeys() throws {
        let folder = try TestFolder()
        _ = try Data.trainer(Data.settings { $0.epochs = 1 }, folder: folder.path).run()
        let line = try #require(
            String(decoding: try folder.read("log.jsonl"), as: UTF8.self)
                .split(separator: "\n").first)
        let object = try JSONSerialization.jsonObject(with: Foundation.Data(line.utf8))
        let keys = Set(try #require(object as? [String: Any]).keys)
        #expect(
            keys.isSuperset(of: [
                "epoch", "loss", "train_accuracy", "test_accuracy", "learning_rate", "seconds",
                "step_ms", "weight_bytes", "optimizer_bytes", "activation_bytes",
            ]))
    }

    @Test("adapting trains on one half of the classes and then on the other")
    func adapt() throws {
        let folder = try TestFolder()
        let settings = Data.settings {
            $0.task = .adapt
            $0.form = .smartDeal
            $0.pretrainEpochs = 1
        }
        let result = try Data.trainer(settings, images: 320, folder: folder.path).run()
        #expect(try Self.records(folder).map(\.phase) == ["pretrain", "train", "train"])
        #expect(result.network.parameters["fc.weight"]?.shape == [5, 16])
        let data = try Data.fashion(limit: 320)
        let halves = try [true, false].map {
            try TrainingData.of(
                .adapt, isPretraining: $0, train: data, test: data, seed: settings.seed)
        }
        #expect(Set(halves.flatMap(\.train.classNames)) == Set(data.classNames))
        #expect(halves.reduce(0) { $0 + $1.train.count } == 320)
        #expect(result.network.preprocessing?.classNames == halves[1].train.classNames)
        #expect(Set(halves[1].train.labels).isSubset(of: 0..<5))
    }

    @Test("fine-tuning splits the training images in two halves")
    func finetune() throws {
        let data = try Data.fashion(limit: 100)
        let halves = try [true, false].map {
            try TrainingData.of(.finetune, isPretraining: $0, train: data, test: data, seed: 1)
        }
        #expect(halves.map(\.train.count) == [50, 50])
        #expect(halves.allSatisfy { $0.test.count == 100 })
        let sum = halves.reduce(0) { $0 + $1.train.labels.reduce(0, +) }
        #expect(sum == data.labels.reduce(0, +))
    }

    @Test("averaged weights are saved only where they do better on the test images")
    func averaging() throws {
        for seed in 0..<2 as Range<UInt64> {
            let settings = Data.settings {
                $0.epochs = 3
                $0.averageStart = 1
                $0.seed = seed
            }
            let summary = try Data.trainer(settings, images: 320).run().summary
            let average = try #require(summary.average_accuracy)
            #expect(summary.test_accuracy == max(summary.last_accuracy, average))
            #expect((summary.chosen == "average") == (average > summary.last_accuracy))
        }
    }

    @Test("re-training saves packed weights with the structure of the start")
    func retrain() throws {
        let settings = Data.settings {
            $0.retrains = true
            $0.averageStart = 0
        }
        let result = try Data.trainer(settings, images: 320).run()
        guard case .smartDeal(let weight)? = result.network.parameters["conv2.weight"] else {
            Issue.record("conv2.weight is not packed")
            return
        }
        let start = try Data.network().compressed(
            recipe: .training(Data.network()), threads: 1, seed: settings.seed)
        guard case .smartDeal(let first)? = start.parameters["conv2.weight"] else {
            Issue.record("conv2.weight is not packed at the start")
            return
        }
        #expect(weight.weight.groupMask == first.weight.groupMask)
        #expect(weight.weight.symbols != first.weight.symbols)
    }

    @Test("in warm-up epochs only the classifier learns")
    func warmUp() throws {
        let settings = Data.settings {
            $0.epochs = 1
            $0.warmUpEpochs = 1
        }
        let (before, after) = (
            try Data.network().bits, try Data.trainer(settings).run().network.bits
        )
        for name in ["conv1.weight", "conv2.weight", "bn1.weight", "bn2.bias"] {
            #expect(before[name] == after[name], "\(name)")
        }
        for name in ["fc.weight", "fc.bias"] { #expect(before[name] != after[name], "\(name)") }
    }

    @Test("batch normalisation is measured as the mean over the batches of an epoch")
    func statistics() throws {
        let network = try Network("bn", input: [1, 28, 28]) {
            BatchNorm2d(name: "bn")
            GlobalAveragePool()
            Flatten()
            Linear(10, name: "fc")
        }
        let data = try Data.fashion(limit: 128)
        var settings = Data.settings()
        settings.flip = false
        settings.crop = 0
        let parameters = try LearningParameters(of: network, settings)
        let plan = try TrainingPlan(
            network, variables: parameters.variables, inputShape: [32, 1, 28, 28],
            loss: settings.lossFunction, threads: 1)
        let pipeline = try BatchPipeline(
            DatasetImages(data, data.standardPreprocessing), batch: 32, shuffles: false,
            augmentation: settings.augmentation(data.imageShape), seed: 0)
        try BatchStatistics(parameters: parameters, plan: plan, pipeline: pipeline)
            .measure(epoch: 0, progress: TaskProgress())
        var (mean, variance) = (0.0, 0.0)
        for step in 0..<4 {
            let pixels = try data.batch(32 * step..<32 * step + 32).floats.map(Double.init)
            let own = pixels.reduce(0, +) / Double(pixels.count)
            mean += own / 4
            variance +=
                pixels.reduce(0) { $0 + ($1 - own) * ($1 - own) } / Double(pixels.count - 1) / 4
        }
        let found = parameters.statistics.sorted().map {
            Double(LearningParameters.value(of: parameters.variables[$0]!, threads: 1)[0])
        }
        #expect(abs(found[0] - mean) < 1e-4, "\(found), \(mean)")
        #expect(abs(found[1] - variance) < 1e-4, "\(found), \(variance)")
    }

    @Test("a loss that is no number stops with epoch, step, node and the last good checkpoint")
    func diverging() throws {
        let folder = try TestFolder()
        let settings = Data.settings {
            $0.schedule = .constant
            $0.learningRate = 3e38
        }
        let trainer = try Data.trainer(settings, folder: folder.path)
        let error = #expect(throws: TrainingError.self) { try trainer.run() }
        let text = error?.description ?? ""
        #expect(error?.code == .notANumber)
        for part in ["epoch 1, step", "the first node", "'conv1'", "last good checkpoint"] {
            #expect(text.contains(part), "\(text)")
        }
        let kept = try TrainingCheckpoint(path: folder("checkpoint/state.safetensors"))
        #expect(kept.position.step == 0)
    }

    @Test("too few images for a batch, and settings that break rules, are errors")
    func refusals() throws {
        #expect(throws: TrainingError.self) {
            try Data.trainer(Data.settings(), images: 31).run()
        }
        let error = #expect(throws: TrainingError.self) {
            try Data.trainer(
                Data.settings {
                    $0.epochs = 0
                    $0.momentum = 2
                }
            ).run()
        }
        #expect(error?.message.contains("epochs") == true)
        #expect(error?.message.contains("momentum") == true)
    }

    static func records(_ folder: TestFolder) throws -> [EpochRecord] {
        try String(decoding: try folder.read("log.jsonl"), as: UTF8.self).split(separator: "\n")
            .map { try JSONDecoder().decode(EpochRecord.self, from: Foundation.Data($0.utf8)) }
    }

    @Test("bits of a recipe, which training cannot spread, are an error and not forgotten")
    func bitsOfRecipe() throws {
        var trainer = try Data.trainer(Data.settings { $0.form = .smartDeal })
        trainer.recipe.bits = 3
        let error = #expect(throws: TrainingError.self) { try trainer.run() }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains("bits (3.0)") == true)
    }
}
