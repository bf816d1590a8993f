import ArgumentParser
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

    /// The `AxBxC` of the command line, by the input that each is for.
    static func shapes(_ texts: [String], for network: Network?) throws -> [String: [Int]] {
        var shapes: [String: [Int]] = [:]
        guard let network else {
            guard texts.isEmpty else {
                throw ValidationError("--shape is for files; a built-in network takes @CxHxW.")
            }
            return shapes
        }
        for text in texts {
            let argument = try InputArgument(text, for: network) { !$0.contains("=") }
            let sizes = argument.value.split(separator: "x", omittingEmptySubsequences: false)
                .map { Int($0) ?? -1 }
            guard sizes.allSatisfy({ $0 >= 0 }) else {
                throw ValidationError("--shape '\(text)' is not like 1x3x224x224.")
            }
            guard shapes.updateValue(sizes, forKey: argument.name) == nil else {
                throw ValidationError("--shape gives '\(argument.name)' twice.")
            }
        }
        return shapes
    }
}
