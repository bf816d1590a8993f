import Foundation
import SmartDeal
import Testing

@Suite("Going on after an interruption")
struct ResumeTests {
    private let folder: TestFolder
    private let whole: [UInt8]
    /// The weights in order; each takes one step.
    private static let names = ["a.weight", "b.weight", "c.weight", "d.weight", "e.weight"]

    init() throws {
        folder = try TestFolder()
        var random = TestRandom(seed: 21)
        var model = TestModel()
        model.metadata = ["format": "pt"]
        for name in Self.names {
            model.addWeights(name, [32, 40], &random)
            model.addWeights(name.replacingOccurrences(of: "weight", with: "bias"), [32], &random)
        }
        try model.write(to: folder("in"))
        _ = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("whole"))
        whole = try folder.read("whole")
    }

    private func compress(
        _ recipe: Recipe = Recipe(), seed: UInt64 = 0, resume: Bool = true,
        stoppingAt name: String? = nil
    ) throws -> CompressionReport {
        var compressor = CheckpointCompressor(recipe, threads: 1, resume: resume)
        compressor.seed = seed
        let progress = TaskProgress.cancelling {
            $0.phase == "compressing" && $0.tensor == name
        }
        return try compressor.compress(folder("in"), to: folder("out"), progress: progress)
    }

    /// Stops after the named weight.
    private func interrupt(at name: String = "c.weight") {
        expectError("interrupted", saying: "nothing was overwritten") {
            try compress(stoppingAt: name)
        }
    }

    private func journal() throws -> [String] {
        try String(decoding: folder.read("out.partial.journal"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test("after an interruption there is no output, only the finished tensors and their journal")
    func interruption() throws {
        interrupt()
        #expect(try folder.names() == ["in", "out.partial", "out.partial.journal", "whole"])
        // The fingerprint, three weights and three biases, the end of the last line.
        #expect(try journal().count == 8)
    }

    @Test("resuming gives the file of an uninterrupted run", arguments: names.dropLast())
    func resuming(stop: String) throws {
        interrupt(at: stop)
        let report = try compress()
        #expect(try folder.read("out") == whole)
        #expect(report.tensors.count == 10)
        #expect(report.output_bytes == whole.count)
        #expect(try folder.names() == ["in", "out", "whole"])
    }

    @Test("the report after resuming is that of an uninterrupted run")
    func report() throws {
        var expected = try CheckpointCompressor(Recipe(), threads: 1)
            .compress(folder("in"), to: folder("out"))
        try FileManager.default.removeItem(atPath: folder("out"))
        interrupt()
        expected.seconds = 0
        var report = try compress()
        report.seconds = 0
        #expect(report == expected)
    }

    @Test("finished tensors are not compressed again")
    func finishedTensors() throws {
        interrupt()
        expectError("interrupted") { try compress(stoppingAt: "d.weight") }
        #expect(try journal().count == 10)
        let names = Names()
        var compressor = CheckpointCompressor(Recipe(), threads: 1, resume: true)
        compressor.seed = 0
        _ = try compressor.compress(
            folder("in"), to: folder("out"), progress: TaskProgress { names.add($0.tensor) })
        #expect(names.all == ["e.weight"])
        #expect(try folder.read("out") == whole)
    }

    @Test("an interruption leaves an existing output as it was")
    func existingOutput() throws {
        try folder.write("precious", to: "out")
        interrupt()
        #expect(try folder.read("out") == Array("precious".utf8))
        _ = try compress()
        #expect(try folder.read("out") == whole)
    }

    @Test("without resume nothing is left behind, and a partial file of others stays")
    func withoutResume() throws {
        expectError("interrupted") { try compress(resume: false, stoppingAt: "c.weight") }
        #expect(try folder.names() == ["in", "whole"])
        interrupt()
        _ = try compress(resume: false)
        #expect(try folder.read("out") == whole)
        #expect(try folder.names() == ["in", "out", "out.partial", "out.partial.journal", "whole"])
    }

    @Test("other options are refused, and what is finished stays")
    func otherOptions() throws {
        interrupt()
        let before = try folder.read("out.partial.journal")
        for recipe in [
            Recipe([("mode", .text("fast"))]), Recipe([("prune", .number(0.25))]),
            Recipe([], bits: 6),
        ] {
            expectError("cannot-resume", saying: "out.partial", "other options") {
                try compress(recipe)
            }
        }
        expectError("cannot-resume") { try compress(seed: 1) }
        var compressor = CheckpointCompressor(Recipe(), resume: true)
        compressor.exclude = [Glob("e.weight")]
        expectError("cannot-resume") { try compressor.compress(folder("in"), to: folder("out")) }
        #expect(try folder.read("out.partial.journal") == before)
        _ = try compress()
        #expect(try folder.read("out") == whole)
    }

    @Test("another input is refused: other tensors, or the same ones written anew")
    func otherInput() throws {
        interrupt()
        let bytes = try folder.read("in")
        var model = TestModel()
        model.add("a.weight", .f32, [2, 2], [1, 2, 3, 4])
        try model.write(to: folder("in"))
        expectError("cannot-resume", saying: "another input") { try compress() }
        try folder.write(bytes, to: "in")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: folder("in"))
        expectError("cannot-resume", saying: "another input") { try compress() }
        #expect(try !folder.names().contains("out"))
    }

    @Test("an input behind a link that now leads to another file is refused")
    func linkedInput() throws {
        let files = FileManager.default
        try files.moveItem(atPath: folder("in"), toPath: folder("first"))
        try files.copyItem(atPath: folder("first"), toPath: folder("second"))
        try files.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: folder("second"))
        try files.createSymbolicLink(atPath: folder("in"), withDestinationPath: folder("first"))
        interrupt()
        try files.removeItem(atPath: folder("in"))
        try files.createSymbolicLink(atPath: folder("in"), withDestinationPath: folder("second"))
        expectError("cannot-resume", saying: "another input") { try compress() }
    }

    @Test("a last line that was cut short is ignored, again and again", arguments: [1, 2, 40, 200])
    func cutLine(bytes: Int) throws {
        interrupt()
        try folder.write(
            folder.read("out.partial.journal").dropLast(bytes), to: "out.partial.journal")
        // The line was that of the last bias or the weight before it, which are made again.
        expectError("interrupted") { try compress(stoppingAt: "d.weight") }
        let lines = try journal()
        #expect(lines.count == 10)
        #expect(lines[1...].dropLast().allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        _ = try compress()
        #expect(try folder.read("out") == whole)
        #expect(try folder.names() == ["in", "out", "whole"])
    }

    @Test("a journal without a whole first line starts over")
    func cutFingerprint() throws {
        interrupt()
        try folder.write(
            folder.read("out.partial.journal").prefix(20) + [], to: "out.partial.journal")
        _ = try compress()
        #expect(try folder.read("out") == whole)
        interrupt()
        try FileManager.default.removeItem(atPath: folder("out.partial"))
        _ = try compress()
        #expect(try folder.read("out") == whole)
    }

    @Test("a line of rubbish ends what is believed")
    func rubbish() throws {
        interrupt()
        var lines = try journal()
        lines[3] = "{\"finished\": 7}"
        try folder.write(lines.joined(separator: "\n"), to: "out.partial.journal")
        _ = try compress()
        #expect(try folder.read("out") == whole)
    }

    @Test("lines that contradict the input or each other are refused, never trapped on")
    func contradictions() throws {
        interrupt()
        let lines = try journal()
        let spool = try folder.read("out.partial")
        func expectRefusal(
            _ lines: [String], _ codes: Set<String> = ["cannot-resume"],
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            try folder.write(lines.joined(separator: "\n"), to: "out.partial.journal")
            try folder.write(spool, to: "out.partial")
            do {
                _ = try compress()
                Issue.record("no error", sourceLocation: sourceLocation)
            } catch {
                let facts = ErrorFacts(error)
                #expect(
                    facts.map { codes.contains($0.code) } ?? false, "\(error)",
                    sourceLocation: sourceLocation)
            }
            #expect(try !folder.names().contains("out"), sourceLocation: sourceLocation)
        }
        // Lines twice, more lines than tensors, lines in another order.
        try expectRefusal(Array(lines[...2]) + lines[1...])
        try expectRefusal([lines[0]] + Array(repeating: lines[1], count: 30) + [""])
        try expectRefusal([lines[0], lines[2], lines[1], ""])
        // Parts that lie elsewhere, or are of other types and sizes.
        let format: Set<String> = [
            "cannot-resume", "invalid-offset", "wrong-tensor-size", "spool-mismatch",
            "shape-overflow", "duplicate-name",
        ]
        func changed(_ from: String, _ to: String) -> [String] {
            var changed = lines
            changed[1] = changed[1].replacingOccurrences(of: from, with: to)
            #expect(changed != lines, "\(from) is not in \(lines[1])")
            return changed
        }
        try expectRefusal(changed("\"begin\":0", "\"begin\":1"), format)
        try expectRefusal(changed("\"begin\":0", "\"begin\":-8"), format)
        try expectRefusal(changed("\"begin\":0", "\"begin\":9000000000000000000"), format)
        try expectRefusal(changed("\"dtype\":\"I8\"", "\"dtype\":\"I9\""), format)
        try expectRefusal(changed("\"dtype\":\"I8\"", "\"dtype\":\"F64\""), format)
        try expectRefusal(changed("a.weight.basis_scale", "a.weight.basis"), format)
        try expectRefusal(changed("\"shape\":[32,1]", "\"shape\":[-32,-1]"), format)
        try expectRefusal(changed("\"shape\":[32,1]", "\"shape\":[4611686018427387904,4]"), format)
    }

    @Test("a spool shorter than its journal is refused")
    func shortSpool() throws {
        interrupt()
        try folder.write(folder.read("out.partial").dropLast(200), to: "out.partial")
        expectError("spool-mismatch", saying: "out.partial") { try compress() }
    }

    @Test("bytes that were spooled but not noted are cut off")
    func longSpool() throws {
        interrupt()
        try folder.write(folder.read("out.partial") + [1, 2, 3], to: "out.partial")
        _ = try compress()
        #expect(try folder.read("out") == whole)
    }
}

/// Names in the order of their first appearance, from any thread.
private final class Names: @unchecked Sendable {
    private let lock = NSLock()
    private var names: [String] = []

    var all: [String] { lock.withLock { names } }

    func add(_ name: String) {
        lock.withLock { if !names.contains(name) { names.append(name) } }
    }
}
