import SmartDeal
import Testing

@Suite("The same work gives the same bytes")
struct DeterminismTests {
    @Test("one thread and two write the same file", arguments: Setting.all)
    func threads(_ setting: Setting) throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 11)
        var model = TestModel()
        model.addWeights("conv.weight", [100, 6, 3, 3], &random)
        model.addWeights("fc.weight", .bf16, [70, 40], &random)
        try model.write(to: folder("in"))
        for threads in 1...2 {
            _ = try CheckpointCompressor(setting.recipe, threads: threads)
                .compress(folder("in"), to: folder("\(threads)"))
        }
        _ = try CheckpointCompressor(setting.recipe).compress(folder("in"), to: folder("3"))
        #expect(try folder.read("1") == folder.read("2"))
        #expect(try folder.read("2") == folder.read("3"))
        for threads in 1...2 {
            var restorer = CheckpointRestorer()
            restorer.threads = threads
            _ = try restorer.restore(folder("1"), to: folder("dense\(threads)"))
        }
        #expect(try folder.read("dense1") == folder.read("dense2"))
    }

    @Test("a budget of bits is divided the same by one thread and two")
    func budget() throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 12)
        var model = TestModel()
        model.addWeights("a.weight", [40, 6, 3, 3], &random)
        model.addWeights("b.weight", [64, 50], &random)
        try model.write(to: folder("in"))
        for threads in 1...2 {
            _ = try CheckpointCompressor(Recipe([], bits: 5.5), threads: threads)
                .compress(folder("in"), to: folder("\(threads)"))
        }
        #expect(try folder.read("1") == folder.read("2"))
    }

    @Test("another seed gives another file of about the same error")
    func seeds() throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 13)
        var model = TestModel()
        model.addWeights("w", [64, 96], &random)
        try model.write(to: folder("in"))
        var errors: [Double] = []
        for seed in [0, 1] as [UInt64] {
            var compressor = CheckpointCompressor(Recipe())
            compressor.seed = seed
            let report = try compressor.compress(folder("in"), to: folder("\(seed)"))
            errors.append(try #require(report.relative_error))
        }
        #expect(try folder.read("0") != folder.read("1"))
        #expect(abs(errors[0] / errors[1] - 1) < 0.03, "\(errors)")
    }
}
