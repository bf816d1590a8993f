/// A pass of training through a layer; inference is the first.
public enum Pass: String, Sendable, CaseIterable {
    case forward
    /// Gradients of the layer's inputs.
    case backwardInput = "backward-input"
    /// Gradients of its weights.
    case backwardWeight = "backward-weight"
    /// New weights.
    case update
}

/// What a pass takes longest for.
public enum Resource: String, Sendable, CaseIterable {
    case compute
    case dram
    case inputPort = "input port"
    case weightPort = "weight port"
    case outputPort = "output port"
}

/// What one pass of one layer costs.
public struct LayerCost: Sendable, Equatable {
    /// The layer's name.
    public let name: String
    public let operation: LayerWorkload.Kind
    public let pass: Pass
    /// Multiply-accumulates, zeros included.
    public internal(set) var macs: Double
    /// Those that are carried out.
    public internal(set) var performedMACs: Double
    /// Shift-adds of bit-serial units that carry them out; 0 for parallel ones.
    public internal(set) var shiftAdds: Double
    /// Shift-adds that rebuild weights.
    public internal(set) var rebuildAdds: Double
    public internal(set) var accesses: [Access]
    /// pJ of multiplying and adding, without rebuilding.
    public internal(set) var computeEnergy: Double
    /// pJ of the rebuild engines' adders; their registers are among the ``accesses`` of the basis.
    public internal(set) var rebuildEnergy: Double
    /// Cycles if memory were never waited for.
    public internal(set) var computeCycles: Double
    /// Cycles of each resource that takes any; the longest binds.
    public internal(set) var resourceCycles: [Resource: Double]

    /// pJ.
    public var energy: Double {
        accesses.reduce(computeEnergy + rebuildEnergy) { $0 + $1.energy }
    }
    /// Cycles: transfers and computing overlap, the longest counts.
    public var cycles: Double { resourceCycles.values.max() ?? 0 }
    /// What takes the longest, computing where it takes as long.
    public var bound: Resource {
        let longest = cycles
        return Resource.allCases.first { resourceCycles[$0] == longest } ?? .compute
    }

    /// pJ at one level.
    public func energy(at level: MemoryLevel) -> Double {
        accesses.reduce(0) { $1.level == level ? $0 + $1.energy : $0 }
    }
    /// pJ of one kind of data at all levels.
    public func energy(of data: DataKind) -> Double {
        accesses.reduce(0) { $1.data == data ? $0 + $1.energy : $0 }
    }
    /// Bytes read and written at one level.
    public func bytes(at level: MemoryLevel) -> Double {
        accesses.reduce(0) { $1.level == level ? $0 + $1.bytes : $0 }
    }
    /// The words of one kind of data that are read and written at one level.
    public func words(at level: MemoryLevel, of data: DataKind) -> (reads: Double, writes: Double) {
        accesses.reduce((0, 0)) {
            $1.level == level && $1.data == data ? ($0.0 + $1.reads, $0.1 + $1.writes) : $0
        }
    }
}
