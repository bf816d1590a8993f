/// Where data is read and written.
public enum MemoryLevel: String, Sendable, CaseIterable {
    case dram
    /// The buffers on the chip, one for each kind of data.
    case sram
    /// Registers in the array.
    case registers = "rf"
    /// Wires between the parts of the array, where their energy is counted.
    case links
}

/// What is read and written.
public enum DataKind: String, Sendable, CaseIterable {
    case input, output, weight, coefficient, basis, index
    case partialSum = "partial_sum"
    /// Gradients of activations.
    case error
    /// Gradients of weights.
    case gradient
    /// Momentum, counters and master copies.
    case optimizer
}

/// What a pass of a layer reads and writes of one kind of data at one level.
public struct Access: Sendable, Equatable {
    public let level: MemoryLevel
    public let data: DataKind
    /// Bits a word.
    public let bits: Double
    /// Words.
    public internal(set) var reads: Double
    public internal(set) var writes: Double
    /// pJ.
    public internal(set) var energy: Double

    /// Bytes read and written.
    public var bytes: Double { (reads + writes) * bits / 8 }
    public var bytesRead: Double { reads * bits / 8 }
    public var bytesWritten: Double { writes * bits / 8 }
}
