import Networks
import Training

/// What a step of training keeps in memory, against what dense training of the same network does.
/// All in bytes.
public struct TrainingLedger: Codable, Sendable, Equatable {
    /// One way of training.
    public struct Column: Codable, Sendable, Equatable {
        /// Parameters that learn: packed ones packed, symbols, masks, basis and scales.
        public var weights = 0
        /// Momentum, second moments, counters.
        public var optimizer = 0
        /// Gradients of parameters that are there at the same time.
        public var gradients = 0
        /// Values that a forward pass leaves for the backward one.
        public var activations = 0

        /// The sum.
        public var total: Int { weights + optimizer + gradients + activations }
    }

    /// As it is trained.
    public var run = Column()
    /// 32-bit floats, all gradients kept until the update, as frameworks do.
    public var dense = Column()
    /// Bytes of the weights in SmartDeal form as 32-bit floats, divided by their bytes; 1 when
    /// there are none.
    public var packed_weights_ratio = 1.0
    /// The same of all parameters that learn.
    public var weights_ratio = 1.0

    init(_ parameters: LearningParameters, _ plan: TrainingPlan, rule: Optimizer) {
        var (packed, floats) = (0, 0)
        for (name, variable) in parameters.variables {
            let bytes = variable.bytes
            run.weights += bytes.weights
            run.optimizer += bytes.optimizer
            let count = variable.shape.reduce(1, *)
            dense.weights += 4 * count
            if !parameters.statistics.contains(name) {
                dense.optimizer += 4 * count * rule.momentCount
                dense.gradients += 4 * count
            }
            if variable is SmartDealVariable {
                packed += bytes.weights
                floats += 4 * count
            }
        }
        run.gradients = plan.bytes.gradients
        run.activations = plan.bytes.savedActivations
        dense.activations = plan.bytes.savedActivations
        if packed > 0 { packed_weights_ratio = Double(floats) / Double(packed) }
        weights_ratio = Double(dense.weights) / Double(max(1, run.weights))
    }
}
