extension Operation.Unary {
    /// The type of the result.
    ///
    /// - Throws: ``NetworkError`` `.invalidNode` for integers where only floats have a meaning.
    func resultType(_ inputs: Operands) throws -> ScalarType {
        switch self {
        case .not:
            _ = try inputs.integers(0)
            return .bool
        case .identity, .relu, .clip, .negate, .absolute:
            return try inputs.required(0).elementType
        default:
            return try inputs.floats(0).elementType
        }
    }
}

extension Operation.Binary {
    /// The type of the result.
    ///
    /// - Throws: ``NetworkError`` `.invalidNode`.
    func resultType(_ inputs: Operands) throws -> ScalarType {
        switch self {
        case .power:
            _ = try inputs.required(1)
            return try inputs.required(0).elementType
        case .and, .or:
            _ = (try inputs.integers(0), try inputs.integers(1))
            return .bool
        case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual:
            _ = try inputs.commonType(0...1)
            return .bool
        default:
            return try inputs.commonType(0...1)
        }
    }
}

extension ScalarType {
    /// An integer as this type keeps it: of the lowest bits, or for truth values 0 and 1.
    package func wrapped(_ value: Int64) -> Int64 {
        switch self {
        case .int32: Int64(Int32(truncatingIfNeeded: value))
        case .uint8: Int64(UInt8(truncatingIfNeeded: value))
        case .int8: Int64(Int8(truncatingIfNeeded: value))
        case .bool: value == 0 ? 0 : 1
        case .int64, .float32: value
        }
    }

    /// The lowest and the highest integer of this type.
    package var integerRange: ClosedRange<Int64> {
        switch self {
        case .int32: Int64(Int32.min)...Int64(Int32.max)
        case .uint8: 0...255
        case .int8: -128...127
        case .bool: 0...1
        case .int64, .float32: .min ... .max
        }
    }
}
