import Foundation
import SmartDeal
import Testing

@Suite("The README's example")
struct ReadmeExampleTests {
    @Test("it compiles and does what it says")
    func example() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let input = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Fixtures/fashion_resnet20/fashion_resnet20.safetensors")
        let output = folder.appendingPathComponent("small.safetensors")

        var compressor = CheckpointCompressor()
        compressor.recipe.bits = 5
        compressor.exclude = [Glob("layers.{3,4,5,6,7,8}.*")]
        let report = try compressor.compress(input.path, to: output.path)
        #expect(report.text().contains("smaller file"))

        let values = (0..<8192).map { Float($0 % 61) - 30 }
        let weights = WeightTensor(name: "fc", shape: [64, 128], weights: values)
        let small = try WeightCompressor(options: LayerOptions()).compress(weights)
        #expect(small.relativeError < 0.12 && small.weight.bitsPerWeight < 4.6)
        #expect(small.weight.rebuilt().count == 8192)
    }
}
