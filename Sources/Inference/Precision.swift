/// The arithmetic of a plan.
public enum Precision: String, Sendable, CaseIterable {
    /// 32-bit floats.
    case f32
    /// Bytes between convolutions and products, whose sums have 32 bits; floats elsewhere.
    case int8
}
