import Foundation
import SmartDeal
import Testing

/// A way to compress, with a name for the output of tests.
struct Setting: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let recipe: Recipe

    init(_ name: String, _ settings: [(String, RecipeValue)] = []) {
        testDescription = name
        recipe = Recipe(settings)
    }

    static let all = [
        Setting("default"),
        Setting("reference", [("mode", .text("reference"))]),
        Setting(
            "reference, everything",
            [
                ("mode", .text("reference")), ("threshold", .number(0.02)),
                ("row-sparsity", .flag(true)), ("column-scaling", .flag(true)),
                ("prune", .number(0.4)), ("iterations", .number(5)),
            ]),
        Setting(
            "reference, float basis", [("mode", .text("reference")), ("basis-bits", .number(32))]),
        Setting("fast", [("mode", .text("fast"))]),
        Setting("fast, two symbols", [("mode", .text("fast")), ("nibbles", .number(2))]),
        Setting("prune population", [("prune", .number(0.3))]),
        Setting("prune value", [("prune", .number(1.2)), ("prune-kind", .text("value"))]),
        Setting("prune energy", [("prune", .number(0.9)), ("prune-kind", .text("energy"))]),
        Setting(
            "fast, prune energy",
            [("mode", .text("fast")), ("prune", .number(0.8)), ("prune-kind", .text("energy"))]),
        Setting("float basis", [("basis-bits", .number(32))]),
        Setting("row sparsity", [("row-sparsity", .flag(true)), ("threshold", .number(0.02))]),
        Setting(
            "rows of five, a basis for four filters",
            [("basis-width", .number(5)), ("filters-per-basis", .number(4))]),
        Setting("alphabet with zeros", [("alphabet", .text("5x3")), ("prune", .number(0.95))]),
    ]
}

@Suite("Compress, restore, verify")
struct RoundTripTests {
    @Test("every kind of tensor comes back as it was, or close", arguments: Setting.all)
    func mixedModel(_ setting: Setting) throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        try checkRoundTrip(folder("in"), setting, folder)
    }

    @Test(
        "a trained network comes back close in every mode",
        arguments: zip(
            [Setting("default"), Setting.all[1], Setting.all[4], Setting.all[8]],
            [0.09, 0.17, 0.13, 0.34]))
    func trainedNetwork(_ setting: Setting, mostError: Double) throws {
        let folder = try TestFolder()
        let report = try checkRoundTrip(Fixture.resNet20, setting, folder)
        #expect(report.tensors.count { $0.compressed } == 22)
        #expect(report.tensors.count == 107)
        #expect(try #require(report.relative_error) < mostError)
        #expect(report.ratio > 6)
        #expect(report.weights_ratio > report.ratio)
    }

    @discardableResult
    private func checkRoundTrip(
        _ input: String, _ setting: Setting, _ folder: TestFolder
    ) throws -> CompressionReport {
        let report = try CheckpointCompressor(setting.recipe).compress(input, to: folder("packed"))
        let restored = try CheckpointRestorer().restore(folder("packed"), to: folder("dense"))
        let before = try Checkpoint(path: input)
        let after = try Checkpoint(path: folder("dense"))
        try checkBytes(report, input, folder("packed"))
        #expect(restored.input_bytes == report.output_bytes)
        #expect(restored.output_bytes == (try fileSize(folder("dense"))))
        #expect(restored.restored == report.tensors.count { $0.compressed })
        #expect(restored.copied == report.tensors.count { !$0.compressed })

        #expect(after.tensors.map(\.name) == before.tensors.map(\.name))
        #expect(after.tensors.map(\.elementType) == before.tensors.map(\.elementType))
        #expect(after.tensors.map(\.shape) == before.tensors.map(\.shape))
        #expect(after.metadata == before.metadata)
        #expect(report.tensors.map(\.name) == before.tensors.map(\.name))
        let packed = try ModelCheckpoint(path: folder("packed"))
        #expect(packed.modelMetadata == before.metadata)
        #expect(packed.contents.map(\.name) == before.tensors.map(\.name))
        for (row, (old, new)) in zip(report.tensors, zip(before.tensors, after.tensors))
        where !row.compressed {
            let isSame = before.withBytes(of: old) { a in
                after.withBytes(of: new) { b in a.elementsEqual(b) }
            }
            #expect(isSame, "\(row.name) is not byte for byte what it was")
        }
        try checkErrors(report, input, folder)
        return report
    }

    /// Every number of bytes in a report is one of the files.
    private func checkBytes(_ report: CompressionReport, _ input: String, _ output: String) throws {
        #expect(report.input_bytes == (try fileSize(input)))
        #expect(report.output_bytes == (try fileSize(output)))
        #expect(!report.estimated)
        let packed = try ModelCheckpoint(path: output)
        #expect(report.tensors.map(\.bytes_after) == packed.contents.map(\.byteCount))
        #expect(report.tensors.map(\.bytes_before) == packed.contents.map(\.denseByteCount))
        let parts = packed.checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
        #expect(report.tensors.reduce(0) { $0 + $1.bytes_after } == parts)
        #expect(parts < report.output_bytes)
        #expect(report.ratio == Double(report.input_bytes) / Double(report.output_bytes))
        for row in report.tensors where row.compressed {
            #expect(row.bytes_after < row.bytes_before)
            #expect(row.bits_per_weight == Double(row.bytes_after * 8) / Double(row.weightCount))
        }
        let bits = try #require(report.bits_per_weight)
        let exact = try bitsPerWeight(ofCompressedWeightsIn: output)
        #expect(abs(bits - exact) < 0.02 * exact, "reported \(bits), in the file \(exact)")
    }

    /// The errors that the report gives are those that comparing the files finds.
    private func checkErrors(
        _ report: CompressionReport, _ input: String, _ folder: TestFolder
    ) throws {
        let packed = try CheckpointVerifier().compare(input, folder("packed"))
        let dense = try CheckpointVerifier().compare(input, folder("dense"))
        let rounding = try CheckpointVerifier().compare(folder("packed"), folder("dense"))
        for (row, (a, (b, c))) in zip(
            report.tensors, zip(packed.tensors, zip(dense.tensors, rounding.tensors)))
        {
            #expect(row.name == a.name && a.name == b.name && b.name == c.name)
            #expect(a.compressed == row.compressed && !b.compressed)
            let found = try #require(a.relative_error)
            let restored = try #require(b.relative_error)
            let rounded = try #require(c.relative_error)
            #expect(abs((row.relative_error ?? 0) - found) < 1e-6, "\(row.name)")
            switch row.dtype {
            case "F16": #expect(rounded < 1e-3 && abs(restored - found) < 1e-3, "\(row.name)")
            case "BF16": #expect(rounded < 4e-3 && abs(restored - found) < 4e-3, "\(row.name)")
            default: #expect(rounded == 0 && restored == found, "\(row.name)")
            }
        }
        let worst = try #require(packed.worst)
        #expect(abs(worst - (report.worst?.error ?? 0)) < 1e-6)
        #expect(packed.worst_tensor == report.worst?.name)
    }

    @Test("what is compressed and why not is told of every tensor")
    func reasons() throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        var compressor = CheckpointCompressor(Recipe())
        compressor.exclude = [Glob("{half,embed}.weight")]
        compressor.include = [Glob("*.weight"), Glob("s*"), Glob("conv.*"), Glob("empty*")]
        compressor.recipe.rules = [.init(Glob("line.weight"), [.init("skip", .flag(true))])]
        let report = try compressor.compress(folder("in"), to: folder("out"))
        let reasons = Dictionary(uniqueKeysWithValues: report.tensors.map { ($0.name, $0.reason) })
        #expect(reasons["conv.weight"] == "best")
        #expect(reasons["conv.bias"] == "bias or statistics")
        #expect(reasons["half.weight"] == "excluded")
        #expect(reasons["embed.weight"] == "excluded")
        #expect(reasons["is_used"] == "not included")
        #expect(reasons["steps"] == "I64 is no weight type")
        #expect(reasons["empty"] == "empty")
        #expect(reasons["line.weight"] == "skipped by the recipe")
        #expect(reasons["tiny.weight"] == "too small to gain")
        let names = report.tensors.filter(\.compressed).map(\.name)
        #expect(
            names == [
                "conv.weight", "brain.weight", "depthwise.weight", "point.weight", "zero.weight",
            ])
    }

    @Test("a weight of zeros has no error and comes back as zeros")
    func zeros() throws {
        let folder = try TestFolder()
        var model = TestModel()
        model.add("w", .f32, [64, 64], [Float](repeating: 0, count: 4096))
        try model.write(to: folder("in"))
        for setting in Setting.all {
            let report = try CheckpointCompressor(setting.recipe)
                .compress(folder("in"), to: folder("out"))
            #expect(report.tensors[0].relative_error == 0, "\(setting.testDescription)")
            _ = try CheckpointRestorer().restore(folder("out"), to: folder("dense"))
            let verified = try CheckpointVerifier().compare(folder("in"), folder("dense"))
            #expect(verified.worst == 0, "\(setting.testDescription)")
        }
    }

    @Test("a sharded checkpoint gives the bytes that the single file gives")
    func shards() throws {
        let folder = try TestFolder()
        let model = TestModel.mixed()
        try model.write(to: folder("in"))
        var shards = [model, model]
        shards[0].tensors = Array(model.tensors.prefix(6))
        shards[1].tensors = Array(model.tensors.dropFirst(6))
        var map: [String: String] = [:]
        for (index, shard) in shards.enumerated() {
            let name = "model-0000\(index + 1)-of-00002.safetensors"
            try shard.write(to: folder(name))
            for tensor in shard.tensors { map[tensor.name] = name }
        }
        let index = try JSONEncoder().encode(["weight_map": map])
        try folder.write([UInt8](index), to: "model.safetensors.index.json")

        let whole = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("a"))
        let parts = try CheckpointCompressor(Recipe())
            .compress(folder("model.safetensors.index.json"), to: folder("b"))
        #expect(try folder.read("a") == folder.read("b"))
        #expect(whole.tensors == parts.tensors)
        #expect(
            parts.input_bytes
                == (try map.values.reduce(into: Set()) { $0.insert($1) }
                    .reduce(0) { $0 + (try fileSize(folder($1))) }))
        let verified = try CheckpointVerifier()
            .compare(folder("model.safetensors.index.json"), folder("a"))
        #expect(verified.tensors.count == model.tensors.count)
    }

    @Test("compressing a compressed file and restoring a dense one are refused")
    func wrongWay() throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        _ = try CheckpointCompressor(Recipe([("mode", .text("fast"))]))
            .compress(folder("in"), to: folder("out"))
        expectError("already-compressed", saying: folder("out"), "restore it first") {
            try CheckpointCompressor(Recipe()).compress(folder("out"), to: folder("again"))
        }
        expectError("already-compressed") {
            try CheckpointCompressor(Recipe()).predict(folder("out"))
        }
        expectError("not-compressed", saying: folder("in")) {
            try CheckpointRestorer().restore(folder("in"), to: folder("again"))
        }
        #expect(try folder.names() == ["in", "out"])
    }

    @Test("a file may be compressed and restored over itself")
    func inPlace() throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("model"))
        try TestModel.mixed().write(to: folder("original"))
        _ = try CheckpointCompressor(Recipe()).compress(folder("model"), to: folder("model"))
        _ = try CheckpointRestorer().restore(folder("model"), to: folder("model"))
        let report = try CheckpointVerifier().compare(folder("original"), folder("model"))
        #expect(try #require(report.worst) < 0.2)
        #expect(try folder.names() == ["model", "original"])
    }

    @Test("a model with tensors named as the parts of a weight stays readable")
    func takenNames() throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 1)
        var model = TestModel()
        for suffix in ["symbols", "mask", "group_mask", "basis", "basis_scale"] {
            model.addWeights(suffix + ".w", [32, 32], &random)
            model.add(suffix + ".w." + suffix, .u8, [4], bytes: [1, 2, 3, 4])
        }
        model.addWeights("free", [32, 32], &random)
        try model.write(to: folder("in"))
        let report = try CheckpointCompressor(Recipe()).compress(folder("in"), to: folder("out"))
        #expect(report.tensors.filter(\.compressed).map(\.name) == ["free"])
        #expect(report.tensors[0].reason == "the names of its parts are taken")
        _ = try CheckpointRestorer().restore(folder("out"), to: folder("dense"))
        let verified = try CheckpointVerifier().compare(folder("in"), folder("dense"))
        #expect(verified.tensors.count { $0.relative_error == 0 } == 10)
    }

    @Test("weights far from 1 keep their error", arguments: [1e-30, 1e-12, 1e12, 1e30] as [Float])
    func magnitudes(scale: Float) throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 5)
        var model = TestModel()
        model.add("w", .f32, [32, 96], random.weights(32 * 96, scale: scale))
        try model.write(to: folder("in"))
        for mode in Mode.allCases {
            let report = try CheckpointCompressor(
                Recipe([("mode", .text(mode.rawValue)), ("threshold", .number(0))])
            ).compress(folder("in"), to: folder("out"))
            let verified = try CheckpointVerifier().compare(folder("in"), folder("out"))
            let error = try #require(report.relative_error)
            #expect(error > 0.02 && error < 0.3, "\(mode) \(scale)")
            #expect(abs(error - (verified.worst ?? -1)) < 1e-6)
        }
    }

    @Test("comparing names the tensors that one file has and the other has not")
    func differentModels() throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 2)
        var model = TestModel()
        model.addWeights("a", [4, 4], &random)
        model.addWeights("b", [4, 4], &random)
        try model.write(to: folder("one"))
        model.tensors[1].name = "c"
        model.tensors[0].shape = [2, 8]
        try model.write(to: folder("two"))
        expectError("tensors-differ", saying: "'a' is [2, 8], not [4, 4]", "'b'", "'c'") {
            try CheckpointVerifier().compare(folder("one"), folder("two"))
        }
    }

    @Test("an error that has no number is told as unknown, not as small")
    func unknownErrors() throws {
        let folder = try TestFolder()
        var model = TestModel()
        model.add("zero", .f32, [2, 2], [0, 0, 0, 0])
        model.add("nan", .f32, [2], [.nan, 1])
        model.add("codes", .i64, [1], bytes: [1, 0, 0, 0, 0, 0, 0, 0])
        try model.write(to: folder("one"))
        let same = try CheckpointVerifier().compare(folder("one"), folder("one"))
        #expect(same.worst == 0)
        model.tensors[0].bytes[3] = 0x3F
        model.tensors[1].bytes[4] = 1
        model.tensors[2].bytes[0] = 2
        try model.write(to: folder("two"))
        let report = try CheckpointVerifier().compare(folder("one"), folder("two"))
        #expect(report.worst == nil)
        #expect(report.tensors.allSatisfy { $0.relative_error == nil })
    }
}

/// Bits that the compressed weights of a file take a weight: all of the file but the bytes of the
/// other tensors and their entries in the header.
func bitsPerWeight(ofCompressedWeightsIn path: String) throws -> Double {
    let model = try ModelCheckpoint(path: path)
    var bytes = try fileSize(path)
    var weights = 0
    var position = 0
    for tensor in model.checkpoint.tensors {
        let end = position + tensor.byteCount
        let isDense = model.contents.contains {
            if case .dense(let dense) = $0 { dense.name == tensor.name } else { false }
        }
        if isDense {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let entry =
                "\"\(tensor.name)\":{\"dtype\":\"\(tensor.elementType.rawValue)\","
                + "\"shape\":[\(shape)],\"data_offsets\":[\(position),\(end)]},"
            bytes -= tensor.byteCount + entry.utf8.count
        }
        position = end
    }
    for content in model.contents {
        if case .packed = content { weights += content.shape.reduce(1, *) }
    }
    return Double(bytes * 8) / Double(weights)
}
