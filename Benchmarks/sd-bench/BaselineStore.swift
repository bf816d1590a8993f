import BenchmarkSupport
import Foundation
import SmartDeal

/// Baselines and reports as files; they are replaced whole or not at all.
enum BaselineStore {
    /// `Benchmarks/baselines/baseline.json` of the package that this program was built in.
    static func defaultPath() throws -> String {
        guard let executable = Bundle.main.executableURL else {
            throw BenchmarkFileError("cannot tell where this program is")
        }
        return try PackageRoot.find(from: executable.resolvingSymlinksInPath())
            .appendingPathComponent("Benchmarks/baselines/baseline.json").path
    }

    static func read(_ path: String) throws -> BaselineFile {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw BenchmarkFileError("cannot read it: \(error.localizedDescription)", path: path)
        }
        do {
            return try BaselineFile(json: data)
        } catch let error as BenchmarkFileError {
            throw BenchmarkFileError(error.message, path: path)
        }
    }

    /// Puts a report into a baseline file, which need not exist.
    static func record(_ report: BenchmarkReport, in path: String, isPartial: Bool) throws {
        var file =
            FileManager.default.fileExists(atPath: path) ? try read(path) : BaselineFile()
        file.record(report, isPartial: isPartial)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write(file, to: path)
    }

    static func write(_ value: some Encodable, to path: String) throws {
        try write([UInt8](value.readableJSON()), to: path)
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try AtomicFile(target: path)
        try file.write(bytes)
        try file.commit()
    }
}
