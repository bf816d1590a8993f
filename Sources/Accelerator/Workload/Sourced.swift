/// Where a number of a workload comes from.
public enum Provenance: String, Sendable, CaseIterable {
    /// Counted in the weights of the model, or in its activations on real inputs.
    case measured
    /// Given by the user, or a default that reports name.
    case assumed
    /// Follows from the shapes alone: nothing is known to be zero.
    case shapes = "from shapes"
}

/// A number and where it comes from.
public struct Sourced<Value: Sendable & Equatable>: Sendable, Equatable {
    public var value: Value
    public var provenance: Provenance

    public init(_ value: Value, _ provenance: Provenance) {
        self.value = value
        self.provenance = provenance
    }
}
