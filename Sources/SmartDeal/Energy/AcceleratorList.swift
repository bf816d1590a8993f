import Accelerator

/// The built-in accelerators and energy tables. Keys as the JSON output has them.
public struct AcceleratorList: Sendable, Encodable {
    /// One of them.
    public struct Item: Sendable, Encodable {
        public let name: String
        public let about: String
    }

    public let accelerators: [Item]
    public let units: [Item]

    /// - Throws: ``AcceleratorError``, never for what is built in as it is.
    public init() throws {
        accelerators = try AcceleratorConfig.presetNames.map { name in
            Item(name: name, about: try AcceleratorConfig.preset(name).about)
        }
        units = try EnergyTable.names.map { Item(name: $0, about: try EnergyTable.named($0).about) }
    }

    /// Names with a sentence each.
    public var text: String {
        func lines(_ items: [Item]) -> [String] {
            items.flatMap { item in
                let about = item.about.split(whereSeparator: \.isNewline).joined(separator: " ")
                return ["  \(item.name)", "      \(about)"]
            }
        }
        return (["accelerators"] + lines(accelerators) + ["energy tables"] + lines(units))
            .joined(separator: "\n")
    }
}
