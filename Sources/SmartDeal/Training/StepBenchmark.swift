import DenseMath
import Decomposition
import Networks
import Training

/// Measures steps of training: forward, loss, backward, update, on one seeded random batch.
public final class StepBenchmark {
    /// How long steps took. Keys as the JSON output has them.
    public struct Report: Sendable, Codable, Equatable {
        public var network: String
        public var form: String
        public var batch: Int
        public var threads: Int
        public var isa: String
        public var steps: Int
        public var min_ms: Double
        public var median_ms: Double
        /// Bytes of the block that values and gradients of a step lie in.
        public var step_bytes: Int
        public var weight_bytes: Int
        public var optimizer_bytes: Int
    }

    private let plan: TrainingPlan
    private let parameters: LearningParameters
    private let images: Tensor
    private let labels: [Int]
    private let name: String
    private let form: TrainingSettings.Form
    private var step = 0

    /// Prepares a network.
    ///
    /// - Parameters:
    ///   - prune: the share of positions of convolutions that the SmartDeal form drops.
    ///   - steps: made once before measuring, so that memory is there and caches are warm.
    /// - Throws: ``NetworkError``, ``TrainingError``, ``DecompositionError``.
    public init(
        _ network: Network, name: String, form: TrainingSettings.Form, prune: Double, batch: Int,
        threads: Int, seed: UInt64 = 0
    ) throws {
        var network = network
        if form == .smartDeal {
            var recipe = Recipe.training(network)
            recipe.kinds[.conv] = [Recipe.Setting("prune", .number(prune))]
            network = try network.compressed(recipe: recipe, threads: threads, seed: seed)
        }
        var settings = TrainingSettings()
        settings.form = form
        parameters = try LearningParameters(of: network, settings)
        guard let input = network.inputs.first else {
            throw TrainingError(.invalidInput, "the network has no input", path: name)
        }
        let shape = [batch] + (try input.resolvedShape(nil)).dropFirst()
        plan = try TrainingPlan(
            network, variables: parameters.variables, inputShape: Array(shape),
            loss: .crossEntropy(), threads: threads)
        var random = SplitMix64(seed: seed)
        images = Tensor(
            shape: Array(shape),
            (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) })
        let classes = try network.inferred()[network.outputs[0]]?.shape.last ?? 1
        labels = (0..<batch).map { $0 % classes }
        self.name = name
        self.form = form
        try advance()
    }

    private func advance() throws {
        let threads = plan.threads
        let update = UpdateStep(learningRate: 0.05, index: step)
        _ = try plan.forward(images, labels: labels)
        try plan.backward { variable, gradient in
            variable.update(gradient, update, threads: threads)
        }
        step += 1
    }

    /// Makes steps and measures each.
    public func measure(steps: Int) throws -> Report {
        let times = try (0..<max(1, steps)).map { _ in
            let begin = ContinuousClock.now
            try advance()
            return (ContinuousClock.now - begin).inSeconds * 1000
        }.sorted()
        let bytes = parameters.variables.values.map(\.bytes)
        return Report(
            network: name, form: form.rawValue, batch: images.shape[0], threads: plan.threads,
            isa: InstructionSet.selected.rawValue, steps: times.count, min_ms: times[0],
            median_ms: times[times.count / 2], step_bytes: plan.bytes.arena,
            weight_bytes: bytes.reduce(0) { $0 + $1.weights },
            optimizer_bytes: bytes.reduce(0) { $0 + $1.optimizer })
    }
}

extension StepBenchmark.Report {
    /// For people.
    public func text() -> String {
        let values = HumanNumber.bytes(step_bytes)
        return """
            \(network), \(form), batch \(batch), \(threads) threads, \(isa)
            a training step: min \(HumanNumber.fixed(min_ms, decimals: 1)), \
            median \(HumanNumber.fixed(median_ms, decimals: 1)) ms of \(steps)
            weights \(HumanNumber.bytes(weight_bytes)), optimizer \
            \(HumanNumber.bytes(optimizer_bytes)), values and gradients \(values)
            """
    }
}
