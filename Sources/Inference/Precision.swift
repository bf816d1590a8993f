/// How a plan computes convolutions whose filters drop positions in groups.
public enum PrunedConvolutions: String, Sendable, CaseIterable {
    /// As is faster, by the share of positions that are kept.
    case automatic
    /// By oneDNN, zeros included.
    case dense
    /// At kept positions only, wherever the kernels can.
    case sparse
}

/// The arithmetic of a plan.
public enum Precision: String, Sendable, CaseIterable {
    /// 32-bit floats.
    case f32
    /// Bytes between convolutions and products, whose sums have 32 bits; floats elsewhere.
    case int8
}
