import Foundation
import ModelFiles

/// What makes a compression resumable: the finished tensors' bytes in `OUTPUT.partial` and a line
/// about each in `OUTPUT.partial.journal`.
///
/// The first line is the fingerprint of input and options. A line is written after its bytes are
/// on disk, so that every whole line is true; a last line that was cut short is ignored.
struct CompressionJournal {
    /// The tensors that are done, in order.
    let finished: [CheckpointCompressor.Finished]
    private let parts: [SafetensorsHeader.Tensor]
    private let spool: String
    private let path: String

    private struct Line: Codable {
        struct Part: Codable {
            var name: String
            var dtype: String
            var shape: [Int]
            var begin: Int
            var end: Int
        }
        var finished: CheckpointCompressor.Finished
        var parts: [Part]
    }

    /// Opens the journal of an output, or begins one.
    ///
    /// - Parameter names: the tensors of the input, in order.
    /// - Throws: ``SmartDealError`` `.cannotResume` when it is of another input or other options, or
    ///   tells of other tensors than the first ones of `names`.
    init(_ output: String, _ fingerprint: String, names: [String]) throws {
        spool = output + ".partial"
        path = spool + ".journal"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard let first = lines.popFirst(), FileManager.default.fileExists(atPath: spool) else {
            finished = []
            parts = []
            try Self.write(fingerprint + "\n", to: path)
            return
        }
        guard first == fingerprint else {
            throw SmartDealError(
                .cannotResume,
                "it was begun with another input or other options; "
                    + "remove it and its .journal to start over", path: spool)
        }
        var finished: [CheckpointCompressor.Finished] = []
        var parts: [SafetensorsHeader.Tensor] = []
        let damaged = SmartDealError(
            .cannotResume,
            "its journal is damaged; remove it and its .journal to start over", path: spool)
        var whole = fingerprint + "\n"
        for text in lines {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
                break
            }
            let name = line.finished.report.name
            guard finished.count < names.count, name == names[finished.count] else { throw damaged }
            whole += text + "\n"
            finished.append(line.finished)
            for part in line.parts {
                guard let type = ElementType(rawValue: part.dtype), part.begin <= part.end else {
                    throw damaged
                }
                parts.append(
                    SafetensorsHeader.Tensor(
                        name: part.name, elementType: type, shape: part.shape,
                        range: part.begin..<part.end))
            }
        }
        self.finished = finished
        self.parts = parts
        // New lines must not go after one that was cut short.
        if whole != text { try Self.write(whole, to: path) }
    }

    private static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ModelFileError(
                code: .cannotWrite, message: error.localizedDescription, path: path)
        }
    }

    /// The writer that goes on after the finished tensors.
    func writer(target: String) throws -> SafetensorsWriter {
        finished.isEmpty
            ? try SafetensorsWriter(target: target, spool: spool)
            : try SafetensorsWriter(target: target, resumingFrom: spool, tensors: parts)
    }

    /// Notes a finished tensor, after its bytes are on disk.
    func append(
        _ result: CheckpointCompressor.Finished, parts: [SafetensorsHeader.Tensor],
        _ writer: SafetensorsWriter
    ) throws {
        try writer.sync()
        let line = Line(
            finished: result,
            parts: parts.map {
                Line.Part(
                    name: $0.name, dtype: $0.elementType.rawValue, shape: $0.shape,
                    begin: $0.range.lowerBound, end: $0.range.upperBound)
            })
        do {
            var data = try JSONEncoder().encode(line)
            data.append(UInt8(ascii: "\n"))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? file.close() }
            try file.seekToEnd()
            try file.write(contentsOf: data)
            try file.synchronize()
        } catch {
            throw ModelFileError(
                code: .cannotWrite, message: error.localizedDescription, path: path)
        }
    }

    /// Removes both files.
    func remove() throws {
        try? FileManager.default.removeItem(atPath: spool)
        try? FileManager.default.removeItem(atPath: path)
    }
}
