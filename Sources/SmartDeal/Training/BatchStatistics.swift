import Networks
import Training

/// Measures the running means and variances of batch normalisation again, with the weights as they
/// are: the plain mean over all batches of one epoch.
struct BatchStatistics {
    let parameters: LearningParameters
    let plan: TrainingPlan
    let pipeline: BatchPipeline

    /// - Parameter epoch: the epoch whose batches are taken.
    /// - Throws: ``SmartDealError`` `.interrupted`, with statistics half done.
    func measure(epoch: Int, progress: TaskProgress) throws {
        let names = parameters.statistics.sorted()
        let variables = names.compactMap { parameters.variables[$0] as? DenseVariable }
        guard !variables.isEmpty else { return }
        var sums = variables.map { [Double](repeating: 0, count: $0.shape.reduce(1, *)) }
        progress.begin("measuring batch normalisation", total: pipeline.stepsPerEpoch)
        for step in 0..<pipeline.stepsPerEpoch {
            // From zeros, a pass leaves a known share of what the batch has.
            for variable in variables {
                try variable.replaceValue([Float](repeating: 0, count: variable.shape.reduce(1, *)))
            }
            let batch = try pipeline.batch(epoch: epoch, step: step)
            _ = try plan.forward(batch.images, labels: batch.labels)
            for (index, variable) in variables.enumerated() {
                let values = LearningParameters.value(of: variable, threads: 1)
                for i in values.indices { sums[index][i] += Double(values[i]) }
            }
            try progress.advance(1, tensor: "")
        }
        let scale = 1 / (Double(TrainingPlan.runningShare) * Double(pipeline.stepsPerEpoch))
        for (variable, sums) in zip(variables, sums) {
            try variable.replaceValue(sums.map { Float($0 * scale) })
        }
    }
}

extension DenseVariable {
    /// Puts other numbers in its place; what its rule keeps for it stays.
    func replaceValue(_ value: [Float]) throws {
        var state = state()
        state["value"] = .float32(value)
        try restore(state)
    }
}
