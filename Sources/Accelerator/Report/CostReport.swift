/// What a network costs on an accelerator, with all that the numbers rest on.
public struct CostReport: Sendable, Equatable {
    /// The accelerator's name.
    public let accelerator: String
    /// The array in words, such as `64 slices x 16 lines x 8 MACs`.
    public let array: String
    /// The energy table's name.
    public let units: String
    /// The network's name.
    public let network: String
    public let phase: Phase
    /// Images.
    public let batch: Int
    public let policy: SparsityPolicy
    public let clock: Double
    /// One row a layer and pass, in the order in which they run.
    public let layers: [LayerCost]
    /// What has to be kept in DRAM.
    public let storage: StorageCost
    /// What the numbers rest on, a line each.
    public let assumptions: [String]
    /// What is not counted, a line each.
    public let notModelled: [String]
    /// Parameters of the accelerator and of its energy table that were chosen to fit.
    public let calibrations: [CalibratedParameter]

    /// pJ: the sum over ``layers``.
    public var energy: Double { sum { $0.energy } }
    /// The sum over ``layers``, which run one after the other.
    public var cycles: Double { sum { $0.cycles } }
    public var seconds: Double { cycles / clock }
    public var macs: Double { sum { $0.macs } }
    public var performedMACs: Double { sum { $0.performedMACs } }
    public var computeEnergy: Double { sum { $0.computeEnergy } }
    public var rebuildEnergy: Double { sum { $0.rebuildEnergy } }

    /// pJ at one level.
    public func energy(at level: MemoryLevel) -> Double { sum { $0.energy(at: level) } }
    /// pJ of moving one kind of data.
    public func energy(of data: DataKind) -> Double { sum { $0.energy(of: data) } }
    /// Bytes read and written at one level.
    public func bytes(at level: MemoryLevel) -> Double { sum { $0.bytes(at: level) } }

    private func sum(_ part: (LayerCost) -> Double) -> Double {
        layers.reduce(0) { $0 + part($1) }
    }
}

/// What a network is run for.
public enum Phase: String, Sendable, CaseIterable {
    case inference
    /// One step on one batch.
    case training
}

/// Which zeros designs without coefficients can use.
public enum SparsityPolicy: String, Sendable, CaseIterable {
    /// Those of the same network: rebuilt rows are dense inside.
    case sameMasks = "same_masks"
    /// Those that pruning single weights for such a design would give.
    case ownPruning = "own_pruning"
}

/// Bytes that have to be kept, never added up across kinds.
public struct StorageCost: Sendable, Equatable {
    /// Weights as the accelerator stores them.
    public internal(set) var weights = 0.0
    /// The same weights as 32-bit floats.
    public internal(set) var denseWeights = 0.0
    /// Gradients of weights; 0 for inference.
    public internal(set) var gradients = 0.0
    /// Momentum, counters, master copies; 0 for inference.
    public internal(set) var optimizer = 0.0
    /// Activations that the backward passes need, or for inference the largest layer's input and
    /// output.
    public internal(set) var activations = 0.0
}

/// A parameter that was chosen to fit, and why.
public struct CalibratedParameter: Sendable, Equatable {
    /// The path of its key.
    public let path: String
    public let value: Double
    public let reason: String
}
