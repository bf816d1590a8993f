import Foundation
import Testing

@Suite("The tool's commands")
struct CommandTests {
    private let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
        try folder.writeModel("in")
    }

    private func run(_ arguments: String...) throws -> Tool.Result {
        try Tool.start(arguments, in: folder.path).wait()
    }

    @Test("compress, restore and verify a model")
    func roundTrip() throws {
        let compressed = try run("compress", "in", "-o", "out")
        #expect(compressed.status == 0, "\(compressed.errors)")
        #expect(compressed.output.contains("a.weight"))
        #expect(compressed.output.contains("kept as they were: 1 bias or statistics"))
        let restored = try run("restore", "out", "-o", "dense")
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(restored.output.hasPrefix("2 weights rebuilt, 1 tensors copied"))
        let verified = try run("verify", "in", "dense")
        #expect(verified.status == 0)
        #expect(verified.output.contains("1 of 3 tensors equal, worst"))
        #expect(try folder.names() == ["dense", "in", "out"])
    }

    /// The keys of a report of compression, as cli.md fixes them.
    private static let tensorKeys = [
        "name", "kind", "shape", "compressed", "reason", "relative_error", "density",
        "row_density", "group_density", "alphabet", "nibbles_per_row", "basis_width",
        "bits_per_weight", "bytes_before", "bytes_after", "authors_bits",
    ]
    private static let reportKeys = [
        "input_bytes", "output_bytes", "ratio", "weights_ratio", "seconds", "tensors",
    ]

    private func expectKeys(
        _ keys: [String], in object: [String: Any],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let missing = keys.filter { object[$0] == nil }
        #expect(missing.isEmpty, sourceLocation: sourceLocation)
    }

    @Test("JSON of compress and inspect has the keys that scripts rely on, for every tensor")
    func reportJSON() throws {
        for arguments in [
            ["compress", "in", "-o", "out", "--json"], ["compress", "in", "--dry-run", "--json"],
            ["inspect", "in", "--json"], ["inspect", "out", "--json"],
        ] {
            let result = try Tool.start(arguments, in: folder.path).wait()
            #expect(result.status == 0, "\(result.errors)")
            let object = try result.json()
            expectKeys(Self.reportKeys, in: object)
            let tensors = try #require(object["tensors"] as? [[String: Any]])
            #expect(tensors.count == 3)
            for tensor in tensors { expectKeys(Self.tensorKeys, in: tensor) }
        }
        let size = try folder.read("out").count
        let object = try run("inspect", "out", "--json").json()
        #expect(object["output_bytes"] as? Int == size)
    }

    @Test("JSON of restore, verify and info is one object")
    func otherJSON() throws {
        _ = try run("compress", "in", "-o", "out", "--quiet")
        let restored = try run("restore", "out", "-o", "dense", "--json").json()
        expectKeys(["input_bytes", "output_bytes", "restored", "copied", "seconds"], in: restored)
        let verified = try run("verify", "in", "dense", "--json").json()
        expectKeys(["tensors", "worst"], in: verified)
        let tensors = try #require(verified["tensors"] as? [[String: Any]])
        for tensor in tensors {
            expectKeys(["name", "relative_error", "max_abs_difference"], in: tensor)
        }
        let info = try run("info", "--json").json()
        expectKeys(
            ["version", "format_version", "cpu", "instruction_set", "kernels", "blas", "threads"],
            in: info)
    }

    @Test("JSON of verify has its keys where an error has no number")
    func unknownErrorJSON() throws {
        try folder.writeModel("zero", weights: [("w", 1, 1)], replacing: ("w", 0, 0))
        try folder.writeModel("one", weights: [("w", 1, 1)], replacing: ("w", 0, 1))
        let verified = try run("verify", "zero", "one", "--json").json()
        #expect(verified["worst"] is NSNull)
        let tensors = try #require(verified["tensors"] as? [[String: Any]])
        #expect(tensors[0]["relative_error"] is NSNull)
        #expect(tensors[0]["max_abs_difference"] is NSNull)
        #expect(try run("verify", "zero", "one", "--max-error", "9").status == 2)
    }

    @Test("an error over the limit that was set is status 2, after the work is done")
    func maxError() throws {
        let over = try run("compress", "in", "-o", "out", "--max-error", "0.01")
        #expect(over.status == 2)
        #expect(over.errors.contains("over --max-error 0.01: a.weight"))
        #expect(over.output.contains("smaller file"))
        #expect(try folder.names() == ["in", "out"])
        #expect(try run("compress", "in", "-o", "out", "--max-error", "0.5").status == 0)
        let verified = try run("verify", "in", "out", "--max-error", "0.01", "--json")
        #expect(verified.status == 2)
        _ = try verified.json()
        #expect(try run("verify", "in", "out", "--max-error", "0.5").status == 0)
        #expect(try run("verify", "in", "in", "--max-error", "0").status == 0)
    }

    @Test("quiet is silent on standard error, and results stay on standard output")
    func quiet() throws {
        for arguments in [
            ["compress", "in", "-o", "out"], ["restore", "out", "-o", "dense"],
            ["verify", "in", "dense"], ["inspect", "in"], ["inspect", "out"], ["info"],
        ] {
            let result = try Tool.start(arguments + ["--quiet"], in: folder.path).wait()
            #expect(result.status == 0)
            #expect(result.errors == "")
            #expect(!result.output.isEmpty)
        }
    }

    @Test("a dry run and inspect write nothing")
    func dryRun() throws {
        let before = try folder.read("in")
        for arguments in [
            ["compress", "in", "--dry-run"],
            ["compress", "in", "-o", "out", "--dry-run", "--resume"],
            ["inspect", "in"],
        ] {
            let result = try Tool.start(arguments, in: folder.path).wait()
            #expect(result.status == 0)
            #expect(result.output.contains("(estimated)"))
            #expect(try folder.names() == ["in"])
        }
        #expect(try folder.read("in") == before)
    }

    @Test(
        "wrong usage is status 64 with a hint, and writes nothing",
        arguments: [
            (["compress", "in", "-o", "out", "--thread", "2"], "--threads"),
            (["compress", "in", "-o", "out", "--threshhold", "2"], "--threshold"),
            (["compress", "in", "-o", "out", "--bit", "4"], "--bits"),
            (["compress", "in"], "-o OUT"),
            (["compress", "-o", "out"], "<in>"),
            (["compress", "in", "more", "-o", "out"], "more"),
            (["compress", "in", "-o", "out", "--mode", "better"], "best"),
            (["compress", "in", "-o", "out", "--prune", "1.5"], "0..<1"),
            (["compress", "in", "-o", "out", "--prune", "much"], "--prune"),
            (["compress", "in", "-o", "out", "--prune", "nan"], "0..<1"),
            (["compress", "in", "-o", "out", "--prune-kind", "none"], "population"),
            (["compress", "in", "-o", "out", "--bits", "0"], "--bits"),
            (["compress", "in", "-o", "out", "--bits", "33"], "--bits"),
            (["compress", "in", "-o", "out", "--bits", "4", "--mode", "fast"], "--mode best"),
            (["compress", "in", "-o", "out", "--bits", "4", "--nibbles", "2"], "one of both"),
            (["compress", "in", "-o", "out", "--nibbles", "4"], "1, 2 or 3"),
            (["compress", "in", "-o", "out", "--nibbles", "2.5"], "--nibbles"),
            (["compress", "in", "-o", "out", "--basis-width", "9"], "1...8"),
            (["compress", "in", "-o", "out", "--basis-bits", "16"], "8 or 32"),
            (["compress", "in", "-o", "out", "--iterations", "1"], "at least 2"),
            (["compress", "in", "-o", "out", "--threshold", "inf"], "threshold"),
            (["compress", "in", "-o", "out", "--threads", "0"], "1...1024"),
            (["compress", "in", "-o", "out", "--seed", "x"], "--seed"),
            (["compress", "in", "-o", "out", "--max-error", "-1"], "--max-error"),
            (
                ["compress", "in", "-o", "out", "--nibbles", "2", "--mode", "reference"],
                "reference"
            ),
            (["restore", "in"], "--output"),
            (["verify", "in"], "<other>"),
            (["inspect"], "<file>"),
            (["verify", "in", "in", "--max-error", "x"], "--max-error"),
            (["compres", "in"], "compres"),
            (["--unknown"], "--unknown"),
        ])
    func usage(arguments: [String], words: String) throws {
        let result = try Tool.start(arguments, in: folder.path).wait()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.output == "")
        #expect(try folder.names() == ["in"])
    }

    @Test("help and version are status 0")
    func help() throws {
        #expect(try run("--version").output == "0.1.0\n")
        for command in ["compress", "restore", "verify", "inspect", "info"] {
            let result = try run(command, "--help")
            #expect(result.status == 0)
            #expect(result.output.contains("USAGE: smartdeal \(command)"))
            #expect(result.output.contains("--json"))
            #expect(result.output.contains("--threads"))
        }
    }

    @Test("flags change what the recipe's defaults say, and its layers win over flags")
    func flagsAndRecipe() throws {
        try folder.write(
            "mode: reference\nlayers:\n  b.weight: {mode: fast}\n", to: "recipe.yaml")
        func modes(_ arguments: String...) throws -> [String] {
            let all = ["compress", "in", "-o", "out", "--json", "--recipe", "recipe.yaml"]
            let object = try Tool.start(all + arguments, in: folder.path).wait().json()
            let tensors = try #require(object["tensors"] as? [[String: Any]])
            return tensors.compactMap { $0["reason"] as? String }
        }
        #expect(try modes() == ["reference", "fast", "bias or statistics"])
        #expect(try modes("--mode", "best") == ["best", "fast", "bias or statistics"])
        #expect(
            try modes("--include", "a*", "--include", "b?*", "--exclude", "b.*")
                == ["reference", "excluded", "bias or statistics"])
        #expect(try modes("--include", "a*") == ["reference", "not included", "not included"])
    }

    @Test("the same seed gives the same file, whatever the number of threads")
    func determinism() throws {
        _ = try run("compress", "in", "-o", "one", "--threads", "1", "--seed", "5")
        _ = try run("compress", "in", "-o", "two", "--threads", "2", "--seed", "5")
        _ = try run("compress", "in", "-o", "three", "--seed", "6")
        #expect(try folder.read("one") == folder.read("two"))
        #expect(try folder.read("one") != folder.read("three"))
    }

    @Test("a report page is written beside the output")
    func reportPage() throws {
        let result = try run("compress", "in", "-o", "out", "--report", "page.html")
        #expect(result.status == 0)
        #expect(try folder.names() == ["in", "out", "page.html"])
    }

    @Test("resume goes on after a killed run and gives the same file", .timeLimit(.minutes(1)))
    func resume() throws {
        try folder.writeModel("big", weights: (0..<8).map { ("layer\($0).weight", 128, 768) })
        #expect(try run("compress", "big", "-o", "whole", "--threads", "1").status == 0)
        let running = try Tool.start(
            ["compress", "big", "-o", "out", "--resume", "--threads", "1"], in: folder.path)
        // The fingerprint and at least one tensor.
        let journal = folder.path + "/out.partial.journal"
        while (try? String(contentsOfFile: journal, encoding: .utf8))?.contains("\n{") != true {
            usleep(1000)
        }
        kill(running.identifier, SIGKILL)
        #expect(try running.wait().wasSignalled)
        #expect(
            try folder.names() == ["big", "in", "out.partial", "out.partial.journal", "whole"])
        let other = try run("compress", "big", "-o", "out", "--resume", "--seed", "1")
        #expect(other.status == 1)
        #expect(other.errors.contains("cannot-resume"))
        let result = try run("compress", "big", "-o", "out", "--resume")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try folder.read("out") == folder.read("whole"))
        #expect(try folder.names() == ["big", "in", "out", "whole"])
    }
}
