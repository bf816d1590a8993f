import Foundation
import SmartDeal

/// Small data sets and settings for tests of training.
enum TrainingTestData {
    /// The bundled images of Fashion-MNIST, as both splits.
    static func fashion(limit: Int) throws -> Dataset { try all.get().prefix(limit) }

    private static let all = Result {
        try Dataset.load(fixture("fashion_mnist_2000"), split: .test)
    }

    static func fixture(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(name)").path
    }

    /// A network with batch normalisation, small enough for a step in a millisecond.
    static func network(seed: UInt64 = 1) throws -> Network {
        try Network("small", input: [1, 28, 28], seed: seed) {
            Conv2d(8, kernelSize: 5, stride: 2, padding: 2, bias: false, name: "conv1")
            BatchNorm2d(name: "bn1")
            ReLU()
            Conv2d(16, kernelSize: 3, stride: 2, padding: 1, bias: false, name: "conv2")
            BatchNorm2d(name: "bn2")
            ReLU()
            GlobalAveragePool()
            Flatten()
            Linear(10, name: "fc")
        }
    }

    static func settings(
        _ change: (inout TrainingSettings) -> Void = { _ in }
    ) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.form = .dense
        settings.epochs = 2
        settings.batch = 32
        settings.learningRate = 0.1
        settings.seed = 3
        change(&settings)
        return settings
    }

    static func trainer(
        _ settings: TrainingSettings, images: Int = 160, folder: String? = nil,
        resumes: Bool = false
    ) throws -> Trainer {
        let data = try fashion(limit: images)
        var trainer = Trainer(
            try network(), train: data, test: data.prefix(100), settings: settings)
        trainer.threads = 1
        trainer.folder = folder
        trainer.resumes = resumes
        return trainer
    }

    /// Progress that asks to stop after so many steps, those of pretraining counted.
    static func stopping(after steps: Int) -> TaskProgress {
        let holder = Holder()
        let progress = TaskProgress { state in
            guard state.phase.hasSuffix("training") else { return }
            holder.steps += 1
            if holder.steps == steps { holder.progress?.cancel() }
        }
        holder.progress = progress
        return progress
    }

    private final class Holder: @unchecked Sendable {
        // Reports come one at a time.
        weak var progress: TaskProgress?
        var steps = 0
    }
}

extension Network {
    /// All parameters as bytes, by name: equal when bits are.
    var bits: [String: [UInt32]] {
        parameters.filter { $0.value.kind == .float32 }.mapValues {
            $0.tensor.floats.map(\.bitPattern)
        }
    }
}
