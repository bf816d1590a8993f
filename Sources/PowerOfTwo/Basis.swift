/// The bases (B) of a weight, one after another: `[count, rank, width]`, rank being the
/// coefficients of a row (symbols a row times coefficients a symbol).
public enum Basis: Sendable, Equatable {
    /// Integers, to be multiplied by the scale of the filter and slice.
    case int8([Int8])
    /// Floats, to be multiplied by the scale too where there are scales.
    case float32([Float])

    /// Bits of one element: 8 or 32.
    public var bits: Int {
        switch self {
        case .int8: 8
        case .float32: 32
        }
    }

    /// The number of elements of all bases.
    public var count: Int {
        switch self {
        case .int8(let elements): elements.count
        case .float32(let elements): elements.count
        }
    }

    /// One element as a float.
    package subscript(index: Int) -> Float {
        switch self {
        case .int8(let elements): Float(elements[index])
        case .float32(let elements): elements[index]
        }
    }
}
