public import PowerOfTwo

/// Where running a network on bytes rounds its values.
public struct ByteRounding: Sendable, Equatable {
    /// The values that are kept as bytes: all who read them read them rounded.
    public var kept: [String: ByteScale]
    /// The values that convolutions and products round when they read them, the kept ones among them.
    public var read: [String: ByteScale]

    public init(kept: [String: ByteScale], read: [String: ByteScale]) {
        self.kept = kept
        self.read = read
    }
}
