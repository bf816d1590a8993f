import SmartDeal
import Testing

@Suite("Inspecting and predicting")
struct InspectTests {
    @Test(
        "bytes of weights without masks are foretold exactly, errors within a quarter",
        arguments: [Setting.all[0], Setting.all[1], Setting.all[4]])
    func prediction(_ setting: Setting) throws {
        try checkPrediction(of: Fixture.resNet20, setting)
    }

    @Test(
        "so are those of weights that are longer than their samples",
        arguments: [
            Setting.all[0], Setting.all[1], Setting.all[5], Setting.all[10], Setting.all[12],
        ])
    func longPrediction(_ setting: Setting) throws {
        let folder = try TestFolder()
        var random = TestRandom(seed: 51)
        var model = TestModel()
        model.addWeights("conv.weight", [70, 100, 3, 3], &random)
        model.addWeights("fc.weight", .bf16, [40, 1600], &random)
        try model.write(to: folder("in"))
        try checkPrediction(of: folder("in"), setting)
    }

    private func checkPrediction(of input: String, _ setting: Setting) throws {
        let folder = try TestFolder()
        let compressor = CheckpointCompressor(setting.recipe)
        let real = try compressor.compress(input, to: folder("out"))
        var inspector = CheckpointInspector()
        inspector.compressor = compressor
        let foretold = try inspector.inspect(input)
        #expect(foretold.estimated)
        #expect(foretold.output == nil)
        #expect(foretold.input_bytes == real.input_bytes)
        #expect(foretold.tensors.map(\.name) == real.tensors.map(\.name))
        #expect(foretold.tensors.map(\.compressed) == real.tensors.map(\.compressed))
        let packed = try ModelCheckpoint(path: folder("out"))
        let names = Set(packed.checkpoint.tensors.map(\.name))
        var compared = 0
        for (a, b) in zip(foretold.tensors, real.tensors) {
            if !names.contains(a.name + ".mask") {
                #expect(a.bytes_after == b.bytes_after, "\(a.name)")
                if a.compressed { compared += 1 }
            }
            guard a.compressed, a.weightCount > 1000 else { continue }
            let bits = Double(try #require(a.authors_bits)) / Double(try #require(b.authors_bits))
            #expect(abs(bits - 1) < 0.25, "\(a.name): \(bits) times the authors' bits")
            #expect(a.filters_per_basis == b.filters_per_basis, "\(a.name)")
            let (x, y) = (try #require(a.relative_error), try #require(b.relative_error))
            #expect(abs(x / y - 1) < 0.25, "\(a.name): foretold \(x), real \(y)")
        }
        #expect(compared > 0 || setting.testDescription == "reference")
        let ratio = Double(foretold.output_bytes) / Double(real.output_bytes)
        #expect(abs(ratio - 1) < 0.02, "\(foretold.output_bytes) for \(real.output_bytes)")
    }

    @Test("predicting writes nothing")
    func writesNothing() throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        let bytes = try folder.read("in")
        var compressor = CheckpointCompressor(Recipe(), resume: true)
        compressor.threads = 1
        let report = try compressor.predict(folder("in"))
        #expect(report.tensors.count == TestModel.mixed().tensors.count)
        #expect(try folder.names() == ["in"])
        #expect(try folder.read("in") == bytes)
    }

    @Test("a compressed file tells what its compression told", arguments: Setting.all)
    func compressedFile(_ setting: Setting) throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        let real = try CheckpointCompressor(setting.recipe)
            .compress(folder("in"), to: folder("out"))
        let found = try CheckpointInspector().inspect(folder("out"))
        #expect(!found.estimated)
        #expect(found.output_bytes == real.output_bytes)
        #expect(found.recipe == real.recipe)
        #expect(found.bits_per_weight == real.bits_per_weight)
        for (a, b) in zip(found.tensors, real.tensors) {
            #expect(a.name == b.name && a.kind == b.kind && a.shape == b.shape)
            #expect(a.dtype == b.dtype && a.compressed == b.compressed)
            #expect(a.bytes_before == b.bytes_before && a.bytes_after == b.bytes_after)
            #expect(a.bits_per_weight == b.bits_per_weight)
            #expect(a.density == b.density && a.row_density == b.row_density)
            #expect(a.group_density == b.group_density && a.symbol_counts == b.symbol_counts)
            #expect(a.alphabet == b.alphabet && a.nibbles_per_row == b.nibbles_per_row)
            #expect(a.basis_width == b.basis_width && a.filters_per_basis == b.filters_per_basis)
            #expect(a.hardware_bits == b.hardware_bits)
            #expect(a.relative_error == nil)
        }
    }

    @Test("pruning drops the share that was asked for")
    func prunedShare() throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        let report = try CheckpointCompressor(Recipe([("prune", .number(0.5))]))
            .compress(folder("in"), to: folder("out"))
        for tensor in report.tensors where tensor.compressed {
            let density = try #require(tensor.group_density)
            // Positions are whole: a few of them are a larger share.
            #expect(density <= 0.5 && density > 0.3, "\(tensor.name): \(density)")
        }
    }
}
