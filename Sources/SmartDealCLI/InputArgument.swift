import SmartDeal

/// A `VALUE` or `NAME=VALUE` of the command line that is for one of a network's inputs.
struct InputArgument {
    /// The input's name; without NAME= the network's first.
    let name: String
    let value: String

    /// Names and values may hold `=`: of the names that fit, the longest counts.
    ///
    /// - Parameter isValue: whether a text with a `=` that follows no known name is a value.
    init(_ argument: String, for network: Network, isValue: (String) -> Bool) throws {
        let names = network.inputs.map(\.name)
        let fitting = names.filter { argument.hasPrefix($0 + "=") }
        if let name = fitting.max(by: { $0.count < $1.count }) {
            self.name = name
            value = String(argument.dropFirst(name.count + 1))
            return
        }
        let known = names.map { "'\($0)'" }.joined(separator: ", ")
        guard let first = names.first else {
            throw NetworkError(.invalidInput, "the network takes no inputs, found '\(argument)'")
        }
        if let equals = argument.firstIndex(of: "="), !isValue(argument) {
            throw NetworkError(
                .invalidInput, "no input is named '\(argument[..<equals])'; there are \(known)")
        }
        name = first
        value = argument
    }
}
