import Foundation

/// The recorded reports that runs are compared with, at most one for each processor model and
/// instruction set.
package struct BaselineFile: Codable, Sendable, Equatable {
    package let schema: Int
    package private(set) var machines: [BenchmarkReport]

    package init(machines: [BenchmarkReport] = []) {
        schema = BenchmarkReport.currentSchema
        self.machines = machines
    }

    /// Reads a baseline file, or a single report as `--json` writes it.
    ///
    /// - Throws: `BenchmarkFileError` naming what is wrong with it.
    package init(json: Data) throws {
        struct Version: Decodable {
            let schema: Int
            let machines: [Ignored]?
            struct Ignored: Decodable { init(from decoder: any Decoder) {} }
        }
        do {
            let decoder = JSONDecoder()
            let version = try decoder.decode(Version.self, from: json)
            guard version.schema == BenchmarkReport.currentSchema else {
                throw BenchmarkFileError(
                    "schema \(version.schema) is not \(BenchmarkReport.currentSchema)")
            }
            if version.machines == nil {
                self.init(machines: [try decoder.decode(BenchmarkReport.self, from: json)])
            } else {
                self = try decoder.decode(BaselineFile.self, from: json)
            }
        } catch let error as DecodingError {
            throw BenchmarkFileError(Self.text(of: error))
        }
    }

    /// The report of a comparable machine, or nil when there is none.
    package func report(for machine: Machine) -> BenchmarkReport? {
        machines.first { $0.machine.isComparable(to: machine) }
    }

    /// The exact counts to hold a run on `machine` to: its own, then those of any machine.
    package func counts(for machine: Machine) -> [ExactCount] {
        var names = Set<String>()
        let own = report(for: machine).map { [$0] } ?? []
        return (own + machines).flatMap(\.counts).filter { names.insert($0.name).inserted }
    }

    /// Puts `report` in place of the one of the same machine, or adds it.
    ///
    /// - Parameter isPartial: whether items that `report` lacks stay as recorded.
    package mutating func record(_ report: BenchmarkReport, isPartial: Bool) {
        let index = machines.firstIndex { $0.machine.isComparable(to: report.machine) }
        guard let index else {
            machines.append(report)
            return
        }
        machines[index] = isPartial ? machines[index].updated(with: report) : report
    }

    private static func text(of error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .dataCorrupted(let found), .keyNotFound(_, let found), .typeMismatch(_, let found),
            .valueNotFound(_, let found):
            context = found
        @unknown default: return "\(error)"
        }
        let path = context.codingPath.map { key in
            key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
        }
        return (path.isEmpty ? "" : "at \(path.joined()): ") + context.debugDescription
    }
}

extension Encodable {
    /// The value as JSON for people and version control: sorted, indented, with a last newline.
    package func readableJSON() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}

/// A file of benchmark results that cannot be used.
package struct BenchmarkFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    package let message: String
    /// The file, where it is known.
    package let path: String?

    package init(_ message: String, path: String? = nil) {
        self.message = message
        self.path = path
    }

    package var description: String { (path.map { "'\($0)': " } ?? "") + message }
}
