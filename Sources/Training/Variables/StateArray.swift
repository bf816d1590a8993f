/// Numbers of a checkpoint, in the type that they have in memory.
package enum StateArray: Sendable, Equatable {
    case float32([Float])
    case uint8([UInt8])
    case int8([Int8])
    case int64([Int64])

    /// The number of elements.
    package var count: Int {
        switch self {
        case .float32(let values): values.count
        case .uint8(let values): values.count
        case .int8(let values): values.count
        case .int64(let values): values.count
        }
    }
}
