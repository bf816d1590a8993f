import Foundation
import Testing

@Suite("The tool's failures")
struct FailureTests {
    private let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
        try folder.writeModel("in")
    }

    private func run(_ arguments: String..., blocks: Int? = nil) throws -> Tool.Result {
        try Tool.start(arguments, in: folder.path, blocks: blocks).wait()
    }

    /// Expects that a run fails with a message on standard error, and leaves the folder as it was.
    private func expectFailure(
        _ arguments: [String], saying words: [String], blocks: Int? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try snapshot()
        let result = try Tool.start(arguments, in: folder.path, blocks: blocks).wait()
        #expect(
            result.status == 1 && !result.wasSignalled, "\(result)", sourceLocation: sourceLocation)
        #expect(
            result.errors.hasPrefix("error: "), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output == "", sourceLocation: sourceLocation)
        for word in words {
            #expect(
                result.errors.contains(word), "\(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(try snapshot() == before, sourceLocation: sourceLocation)
    }

    /// All files of the folder with their bytes.
    private func snapshot() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try folder.names() { files[name] = (try? folder.read(name)) ?? [] }
        return files
    }

    @Test("every command names a file that it cannot read, and leaves an existing output alone")
    func unreadableInputs() throws {
        let good = try folder.read("in")
        try folder.write("precious", to: "out")
        try folder.write([], to: "empty")
        try folder.write(Array(good.dropLast(100)), to: "truncated")
        try folder.write(Array(good.prefix(60)), to: "header")
        try folder.write(Array(good.prefix(5)), to: "start")
        try folder.write(good + [0], to: "long")
        try folder.write("PK\u{3}\u{4} this is a zip archive", to: "zip")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/folder", withIntermediateDirectories: false)
        let inputs = [
            ("missing", "unreadable-file"), ("empty", "empty-file"), ("folder", "not-a-file"),
            ("truncated", "100 bytes short"), ("header", "short"), ("start", "header-too-small"),
            ("long", "1 bytes too long"), ("zip", "zip archive"), ("", "unreadable-file"),
        ]
        for (name, words) in inputs {
            for command in [
                ["compress", name, "-o", "out"], ["restore", name, "-o", "out"],
                ["inspect", name], ["verify", name, "in"], ["verify", "in", name],
            ] {
                try expectFailure(command, saying: [words, "'\(name)'"])
            }
        }
    }

    @Test("a weight that is no number is named with its tensor, and can be excluded")
    func notANumber() throws {
        for value in [Float.nan, .infinity, -.infinity] {
            try folder.writeModel("bad", replacing: ("b.weight", 777, value))
            try folder.write("precious", to: "out")
            for mode in ["best", "reference", "fast"] {
                try expectFailure(
                    ["compress", "bad", "-o", "out", "--mode", mode],
                    saying: ["'b.weight'", "weight 777 is \(value)", "exclude"])
            }
            let result = try run("compress", "bad", "-o", "out", "--exclude", "b.weight")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try run("restore", "out", "-o", "dense").status == 0)
            let bytes = try folder.read("bad")
            let dense = try folder.read("dense")
            #expect(dense.suffix(24 * 50 * 4 + 32) == bytes.suffix(24 * 50 * 4 + 32))
        }
    }

    @Test("an output that cannot be written is named before any work")
    func unwritableOutputs() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/folder", withIntermediateDirectories: false)
        #expect(try run("compress", "in", "-o", "packed").status == 0)
        for (output, words) in [
            ("missing/out", "'missing'"), ("folder", "it is a folder"), ("new/", "it is a folder"),
            ("in/out", "in/out"), ("/dev/null", "not a regular file"), ("", "empty"),
        ] {
            for command in [["compress", "in"], ["restore", "packed"]] {
                try expectFailure(command + ["-o", output], saying: [words])
            }
        }
        try expectFailure(
            ["compress", "in", "-o", "out", "--report", "missing/page.html"],
            saying: ["missing/page.html"])
    }

    @Test(
        "a folder that may not be written to is named",
        .enabled(if: geteuid() != 0, "the superuser may write anywhere"))
    func readOnlyFolder() throws {
        let path = folder.path + "/locked"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o555]
        )
        try expectFailure(["compress", "in", "-o", "locked/out"], saying: ["locked"])
    }

    @Test("what a model does not have is named with near names")
    func unmatchedPatterns() throws {
        try expectFailure(
            ["compress", "in", "-o", "out", "--exclude", "a.wieght"],
            saying: ["unmatched-pattern", "'a.wieght'", "did you mean 'a.weight'"])
        try expectFailure(
            ["compress", "in", "-o", "out", "--include", "z*"], saying: ["'z*'"])
        try expectFailure(
            ["compress", "in", "-o", "out", "--recipe", "resnet18"], saying: ["unmatched-pattern"])
        try expectFailure(
            ["compress", "in", "-o", "out", "--recipe", "resnet81"],
            saying: ["resnet81", "resnet18-mild"])
        try folder.write("mode: best\nlayers:\n  a.weight: {pruune: 1}\n", to: "recipe.yaml")
        try expectFailure(
            ["compress", "in", "-o", "out", "--recipe", "recipe.yaml"],
            saying: ["recipe.yaml, line 3", "'prune'"])
    }

    @Test("too few bits are refused with the number that is needed")
    func tooFewBits() throws {
        try expectFailure(
            ["compress", "in", "-o", "out", "--bits", "0.5"], saying: ["0.5 bits", "at least"])
    }

    @Test("restoring what is dense and compressing what is compressed is refused")
    func wrongWay() throws {
        #expect(try run("compress", "in", "-o", "packed").status == 0)
        try expectFailure(["restore", "in", "-o", "out"], saying: ["not-compressed", "'in'"])
        try expectFailure(
            ["compress", "packed", "-o", "out"], saying: ["already-compressed", "restore it first"])
    }

    @Test("comparing different models names the tensors")
    func differentModels() throws {
        try folder.writeModel("other", weights: [("a.weight", 30, 40), ("c.weight", 2, 2)])
        try expectFailure(
            ["verify", "in", "other"],
            saying: ["'a.weight' is [30, 40], not [40, 30]", "'b.weight'", "'c.weight'"])
    }

    @Test("a file of a later format is refused by its number")
    func laterFormat() throws {
        #expect(try run("compress", "in", "-o", "packed").status == 0)
        let bytes = try folder.read("packed")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\"smartdeal.version\":\"1\""))
        let key = Array("\"smartdeal.version\":\"".utf8)
        let position = try #require(bytes.indices.first { bytes[$0...].starts(with: key) })
        var later = bytes
        later[position + key.count] = UInt8(ascii: "7")
        try folder.write(later, to: "later")
        try expectFailure(["restore", "later", "-o", "out"], saying: ["'later'", "format 7"])
        try expectFailure(["inspect", "later"], saying: ["format 7"])
    }

    @Test("a disk that is full at any point leaves nothing behind")
    func fullDisk() throws {
        #expect(try run("compress", "in", "-o", "packed").status == 0)
        let size = try folder.read("packed").count
        try FileManager.default.removeItem(atPath: folder.path + "/packed")
        try folder.write("precious", to: "out")
        // In the first tensor, in the last one, and in the finished file, whose header comes on
        // top of what was spooled.
        for blocks in [1, size / 512 / 2, size / 512 - 1, size / 512] {
            try expectFailure(
                ["compress", "in", "-o", "out"], saying: ["cannot-write", "'out'"], blocks: blocks)
        }
        let result = try run("compress", "in", "-o", "out", blocks: size / 512 + 1)
        #expect(result.status == 0, "\(result.errors)")
        try folder.write("precious", to: "dense")
        for blocks in [1, 5, 18] {
            try expectFailure(
                ["restore", "out", "-o", "dense"], saying: ["cannot-write", "'dense'"],
                blocks: blocks)
        }
    }

    @Test("where not even a message can be written, the status still tells")
    func nowhereToWrite() throws {
        let result = try run("compress", "in", "-o", "out", blocks: 0)
        #expect(result.status == 1 && !result.wasSignalled, "\(result)")
        #expect(try folder.names() == ["in"])
        for arguments in [["info"], ["inspect", "in", "--json"]] {
            let result = try Tool.start(arguments, in: folder.path, blocks: 0).wait()
            #expect(result.status == 1 && !result.wasSignalled, "\(result)")
        }
    }

    @Test(
        "a signal in the middle stops the work with status 1 and leaves nothing behind",
        .timeLimit(.minutes(1)), .enabled(if: Self.showsOpenFiles), arguments: [SIGINT, SIGTERM])
    func stopSignals(signal: Int32) throws {
        try writeBigModel()
        try folder.write("precious", to: "out")
        let before = try folder.names()
        let running = try Tool.start(
            ["compress", "big", "-o", "out", "--threads", "1"], in: folder.path)
        try #require(running.waitUntilWriting(beside: "out"))
        kill(running.identifier, signal)
        let result = try running.wait()
        #expect(result.status == 1 && !result.wasSignalled, "\(result)")
        #expect(result.errors.contains("interrupted"), "\(result)")
        #expect(result.output == "")
        #expect(try folder.names() == before)
        #expect(try folder.read("out") == Array("precious".utf8))
    }

    @Test(
        "a second signal ends the work at once", .timeLimit(.minutes(1)),
        .enabled(if: Self.showsOpenFiles))
    func secondSignal() throws {
        try writeBigModel()
        let running = try Tool.start(
            ["compress", "big", "-o", "out", "--threads", "1"], in: folder.path)
        try #require(running.waitUntilWriting(beside: "out"))
        for _ in 0..<2 {
            kill(running.identifier, SIGINT)
            usleep(1000)
        }
        let result = try running.wait()
        #expect(result.status == 1 && !result.wasSignalled, "\(result)")
        #expect(try folder.names() == ["big", "in"])
    }

    @Test(
        "a killed run leaves no data", .timeLimit(.minutes(1)), .enabled(if: Self.showsOpenFiles))
    func killed() throws {
        try writeBigModel()
        let running = try Tool.start(
            ["compress", "big", "-o", "out", "--threads", "1"], in: folder.path)
        try #require(running.waitUntilWriting(beside: "out"))
        kill(running.identifier, SIGKILL)
        #expect(try running.wait().wasSignalled)
        #expect(try folder.names() == ["big", "in"])
    }

    /// Whether the system tells which files a process has open, which is how these tests know that
    /// work has begun.
    private static let showsOpenFiles = FileManager.default.fileExists(atPath: "/proc/self/fd")

    /// A model that takes seconds.
    private func writeBigModel() throws {
        try folder.writeModel("big", weights: (0..<8).map { ("layer\($0).weight", 256, 1024) })
    }
}
