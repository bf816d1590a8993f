/// What an energy table has a price for, beside the buffers on the chip.
public enum EnergyUnit: Hashable, Sendable {
    /// A byte of DRAM.
    case dram
    /// A byte of a register file in the array.
    case register
    /// A byte from one part of the array to the next.
    case link
    /// Integer arithmetic by bits; a MAC is a multiplication and an addition.
    case mac(Int), multiply(Int), add(Int)
    /// Floating-point arithmetic by bits.
    case floatMultiply(Int), floatAdd(Int)

    static let widths = [8, 16, 32]

    /// All that a table may have.
    static let all: [EnergyUnit] =
        [.dram, .register, .link]
        + widths.flatMap { [.mac($0), .multiply($0), .add($0), .floatMultiply($0), .floatAdd($0)] }

    /// Its key in a table.
    public var name: String {
        switch self {
        case .dram: "dram"
        case .register: "register"
        case .link: "link"
        case .mac(let bits): "mac\(bits)"
        case .multiply(let bits): "multiply\(bits)"
        case .add(let bits): "add\(bits)"
        case .floatMultiply(let bits): "float_multiply\(bits)"
        case .floatAdd(let bits): "float_add\(bits)"
        }
    }

    /// Whether its price is for a byte and not for an operation.
    var isMemory: Bool {
        switch self {
        case .dram, .register, .link: true
        default: false
        }
    }
}
