import Accelerator
import Foundation

/// An accelerator's description: a built-in one, or a YAML file.
public struct AcceleratorChoice: Sendable {
    /// The YAML text.
    public let text: String
    /// The file, or nil for a built-in one.
    public let path: String?

    /// - Throws: ``AcceleratorError`` `.unknownPreset` with near names for what is neither a
    ///   built-in one nor like a path, `.invalidDescription` for a file that cannot be read.
    public init(_ nameOrPath: String) throws {
        (text, path) = try Self.read(
            nameOrPath, builtIn: AcceleratorConfig.presetNames, AcceleratorConfig.presetText)
    }

    /// The YAML text of an energy table: a built-in one, or a file.
    ///
    /// - Throws: ``AcceleratorError`` naming the file and all mistakes in it.
    public static func unitsText(_ nameOrPath: String) throws -> String {
        let (text, path) = try read(
            nameOrPath, builtIn: EnergyTable.names, EnergyTable.text(named:))
        try naming(path) { _ = try EnergyTable(yaml: text) }
        return text
    }

    /// The accelerator, with other values at some paths of keys.
    ///
    /// - Parameter units: the YAML text of another energy table.
    /// - Throws: ``AcceleratorError`` `.invalidDescription` with all mistakes and the file's path.
    public func config(
        overriding changes: [(path: String, value: String)] = [], units: String? = nil
    ) throws -> AcceleratorConfig {
        let table = units.map { [(path: "units", value: $0)] } ?? []
        return try Self.naming(path) {
            try AcceleratorConfig(yaml: text, overriding: table + changes)
        }
    }

    private static func read(
        _ name: String, builtIn: [String], _ text: (String) throws -> String
    ) throws -> (text: String, path: String?) {
        let isPath = name.contains("/") || name.contains(".")
        guard !builtIn.contains(name), isPath || FileManager.default.fileExists(atPath: name)
        else { return (try text(name), nil) }
        do {
            return (try String(contentsOfFile: name, encoding: .utf8), name)
        } catch {
            throw AcceleratorError(
                .invalidDescription,
                [
                    "it cannot be read, and is none of \(builtIn.joined(separator: ", "))"
                ], path: name)
        }
    }

    /// Errors of a file say which.
    private static func naming<Result>(
        _ path: String?, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch let error as AcceleratorError {
            throw AcceleratorError(error.code, error.problems, path: path ?? error.path)
        }
    }
}
