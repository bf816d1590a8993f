import Foundation

/// What PyTorch gives, see Fixtures/training/make.py.
struct Golden: Decodable {
    struct Updates: Decodable {
        var start: [Float]
        var gradients: [[Float]]
        var values: [[Float]]
    }

    var steps_per_epoch: Int
    var epochs: Int
    var peak: Double
    var schedules: [String: [Double]]
    var optimizers: [String: Updates]

    static func load() throws -> Golden {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = folder.appendingPathComponent("Fixtures/training/golden.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
}
