package import DensePrimitives
package import Networks
internal import PowerOfTwo

/// A parameter of a network while it learns.
///
/// A plan reads its value as a dense, row-major tensor of ``shape`` and gives its gradient in the
/// same order. A variable that is not kept dense writes its value when a plan asks for it, so that
/// its dense form is there only for as long as a step of the plan needs it.
package protocol Variable: AnyObject {
    /// The parameter's name in the network.
    var name: String { get }
    /// The shape of the network's tensor.
    var shape: [Int] { get }
    /// The dense value, where it is kept; nil for one that has to be written.
    var storage: PlanMemory? { get }
    /// For a weight with structural masks, which positions each group of 32 filters keeps.
    var keptPositions: KeptPositions? { get }

    /// Writes the dense value, of which a plan makes use once.
    func write(to value: UnsafeMutablePointer<Float>, threads: Int)

    /// Moves the value against a gradient, which may be overwritten. Gradients at positions that
    /// are not kept are undefined.
    func update(_ gradient: UnsafeMutablePointer<Float>, _ step: UpdateStep, threads: Int)

    /// Begins an epoch.
    func beginEpoch()

    /// The parameter as a network keeps it.
    func parameter() throws -> Parameter

    /// All that has to be kept to go on as if never stopped, by names of its own.
    func state() -> [String: StateArray]
    /// Takes up a state that a variable of the same network gave.
    ///
    /// - Throws: ``TrainingError`` `.invalidCheckpoint` for parts that are missing or do not fit.
    func restore(_ state: [String: StateArray]) throws

    /// What it takes in memory.
    var bytes: VariableBytes { get }
}

/// One update of all variables.
package struct UpdateStep: Sendable {
    /// The learning rate of this step.
    package var learningRate: Float
    /// Updates before this one, since training began.
    package var index: Int

    package init(learningRate: Float, index: Int) {
        self.learningRate = learningRate
        self.index = index
    }
}

/// Bytes that a variable takes from step to step.
package struct VariableBytes: Sendable, Equatable {
    /// The value: packed for one in SmartDeal form.
    package var weights = 0
    /// Momentum, second moments, counters.
    package var optimizer = 0

    package init(weights: Int = 0, optimizer: Int = 0) {
        self.weights = weights
        self.optimizer = optimizer
    }
}

/// The structure that a weight keeps while it learns.
package struct KeptPositions: Sendable, Equatable {
    /// Weights of one position: the kernel width, or 1.
    package let unit: Int
    /// For every group of 32 filters the positions that it keeps, rising.
    package let groups: [[Int]]

    package init(unit: Int, groups: [[Int]]) {
        self.unit = unit
        self.groups = groups
    }

    /// Those of a weight with structural masks that the network has as `[filters, ...]`; nil for
    /// others.
    package init?(_ parameter: CompressedParameter) {
        let weight = parameter.weight
        guard weight.groupMask != nil, !parameter.isTransposed else { return nil }
        unit = weight.geometry.unit
        groups = (0..<weight.geometry.groupCount).map { weight.mask(ofGroup: $0)?.setIndexes ?? [] }
    }

    /// Sets the elements of a tensor `[filters, ...]` at other positions to zero.
    func clearOthers(of tensor: UnsafeMutablePointer<Float>, shape: [Int]) {
        let filters = shape.first ?? 1
        let length = shape.dropFirst().reduce(1, *)
        let groupSize = WeightGeometry.groupSize
        for (group, kept) in groups.enumerated() {
            // The runs between kept positions, the same in every filter of the group.
            var runs: [Range<Int>] = []
            var end = 0
            for position in kept {
                if position * unit > end { runs.append(end..<position * unit) }
                end = (position + 1) * unit
            }
            if end < length { runs.append(end..<length) }
            for filter in group * groupSize..<min(filters, (group + 1) * groupSize) {
                for run in runs {
                    (tensor + filter * length + run.lowerBound).update(
                        repeating: 0, count: run.count)
                }
            }
        }
    }
}
