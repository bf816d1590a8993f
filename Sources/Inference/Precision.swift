/// Whose kernels a plan takes where there is a choice: for convolutions whose filters drop positions
/// in groups, and in int8 for products of one row with packed weights.
public enum KernelChoice: String, Sendable, CaseIterable {
    /// The faster ones, by measured limits: see ``ExecutionPlan/Step/kernel``.
    case automatic
    /// oneDNN's, which compute zeros as well.
    case dense
    /// Ours wherever there are any: at kept positions only, or on symbols as they lie.
    case sparse
}

/// The arithmetic of a plan.
public enum Precision: String, Sendable, CaseIterable {
    /// 32-bit floats.
    case f32
    /// Bytes between convolutions and products, whose sums have 32 bits; floats elsewhere.
    case int8
}
