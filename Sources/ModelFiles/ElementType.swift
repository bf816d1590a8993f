/// The type of a tensor's elements, under the name it has in a safetensors header (`dtype`).
///
/// Source: `Dtype` of safetensors/src/tensor.rs.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
    /// One byte, 0 or 1.
    case bool = "BOOL"
    /// 4-bit float: 2 exponent bits, 1 mantissa bit (MXFP4).
    case f4 = "F4"
    /// 6-bit float: 2 exponent bits, 3 mantissa bits.
    case f6E2M3 = "F6_E2M3"
    /// 6-bit float: 3 exponent bits, 2 mantissa bits.
    case f6E3M2 = "F6_E3M2"
    /// 8-bit float: 5 exponent bits, 2 mantissa bits.
    case f8E5M2 = "F8_E5M2"
    /// 8-bit float: 4 exponent bits, 3 mantissa bits.
    case f8E4M3 = "F8_E4M3"
    /// 8-bit power of two, the scale of MX formats.
    case f8E8M0 = "F8_E8M0"
    /// Unsigned 8-bit integer.
    case u8 = "U8"
    /// Signed 8-bit integer.
    case i8 = "I8"
    /// Signed 16-bit integer.
    case i16 = "I16"
    /// Unsigned 16-bit integer.
    case u16 = "U16"
    /// IEEE 754 half precision.
    case f16 = "F16"
    /// The upper half of an IEEE 754 single.
    case bf16 = "BF16"
    /// Signed 32-bit integer.
    case i32 = "I32"
    /// Unsigned 32-bit integer.
    case u32 = "U32"
    /// IEEE 754 single precision.
    case f32 = "F32"
    /// Two singles: a complex number.
    case c64 = "C64"
    /// IEEE 754 double precision.
    case f64 = "F64"
    /// Signed 64-bit integer.
    case i64 = "I64"
    /// Unsigned 64-bit integer.
    case u64 = "U64"

    /// The bits of one element; those of 4 and 6 are packed without gaps.
    public var bitCount: Int {
        switch self {
        case .f4: 4
        case .f6E2M3, .f6E3M2: 6
        case .bool, .f8E5M2, .f8E4M3, .f8E8M0, .u8, .i8: 8
        case .i16, .u16, .f16, .bf16: 16
        case .i32, .u32, .f32: 32
        case .c64, .f64, .i64, .u64: 64
        }
    }

    /// Whether tensors of this type can be read as weights: F32, F16 and BF16.
    public var isWeightType: Bool {
        switch self {
        case .f32, .f16, .bf16: true
        default: false
        }
    }
}
