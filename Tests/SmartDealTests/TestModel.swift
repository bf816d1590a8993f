import Foundation
import SmartDeal
import Synchronization
import Testing

/// A folder for one test, removed with everything in it when the test is over.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("SmartDealTests-" + UUID().uuidString).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a name in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// The names of all files, hidden ones too.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: self(name))))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }
}

/// The random numbers of the tests: the same seed gives the same numbers everywhere.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// About normally distributed numbers.
    mutating func weights(_ count: Int, scale: Float = 0.05) -> [Float] {
        (0..<count).map { _ in
            let sum = (0..<6).reduce(Float(0)) { sum, _ in
                sum + Float.random(in: -1...1, using: &self)
            }
            return sum * scale / 1.414
        }
    }
}

/// A checkpoint made for a test, kept as bytes.
struct TestModel {
    struct Tensor {
        var name: String
        var type: ElementType
        var shape: [Int]
        var bytes: [UInt8]
    }

    var tensors: [Tensor] = []
    var metadata: [String: String] = [:]

    /// Adds a tensor of normally distributed weights.
    mutating func addWeights(
        _ name: String, _ type: ElementType, _ shape: [Int], _ random: inout TestRandom
    ) {
        add(name, type, shape, random.weights(shape.reduce(1, *)))
    }

    /// Adds a tensor of normally distributed weights in single precision.
    mutating func addWeights(_ name: String, _ shape: [Int], _ random: inout TestRandom) {
        addWeights(name, .f32, shape, &random)
    }

    mutating func add(_ name: String, _ type: ElementType, _ shape: [Int], _ values: [Float]) {
        add(name, type, shape, bytes: WeightConversion.bytes(from: values, as: type))
    }

    mutating func add(_ name: String, _ type: ElementType, _ shape: [Int], bytes: [UInt8]) {
        tensors.append(Tensor(name: name, type: type, shape: shape, bytes: bytes))
    }

    /// Writes it to a file.
    func write(to path: String) throws {
        let writer = try SafetensorsWriter(target: path)
        for tensor in tensors {
            try writer.append(
                name: tensor.name, elementType: tensor.type, shape: tensor.shape,
                bytes: tensor.bytes)
        }
        _ = try writer.finish(metadata: metadata)
    }

    /// Every kind of weight in every weight type, and what is none: other types, vectors, numbers,
    /// empty tensors, a weight of zeros, one too small to gain.
    static func mixed() -> TestModel {
        var random = TestRandom(seed: 7)
        var model = TestModel()
        model.metadata = ["format": "pt", "note": "é \"quoted\" \\ 漢字"]
        model.addWeights("conv.weight", [40, 8, 3, 3], &random)
        model.addWeights("conv.bias", [40], &random)
        model.addWeights("half.weight", .f16, [33, 70], &random)
        model.add("steps", .i64, [], bytes: [1, 2, 3, 4, 5, 6, 7, 8])
        model.addWeights("brain.weight", .bf16, [64, 31], &random)
        model.add("is_used", .bool, [7], bytes: [1, 0, 1, 1, 0, 0, 1])
        model.addWeights("embed.weight", [50, 12], &random)
        model.addWeights("depthwise.weight", [20, 1, 5, 5], &random)
        model.add("table", .f64, [3, 4], bytes: [UInt8](0..<96))
        model.addWeights("line.weight", .f16, [12, 6, 7], &random)
        model.addWeights("point.weight", .bf16, [24, 40, 1, 1], &random)
        model.add("empty", .f32, [0, 5], bytes: [])
        model.add("empty.too", .f16, [4, 0], bytes: [])
        model.addWeights("scale", [], &random)
        model.add("zero.weight", .f32, [16, 16], [Float](repeating: 0, count: 256))
        model.add("tiny.weight", .f32, [1, 2], [0.5, -0.25])
        model.add("codes", .u8, [3, 3], bytes: [UInt8](0..<9))
        return model
    }
}

/// Files of the repository.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")
        .path
    /// A ResNet-20 trained on Fashion-MNIST: 22 weights, 107 tensors, all F32.
    static let resNet20 = folder + "/fashion_resnet20/fashion_resnet20.safetensors"
}

/// The size of a file in bytes.
func fileSize(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return attributes[.size] as? Int ?? -1
}

extension Recipe {
    /// A recipe of settings for all weights.
    init(_ settings: [(String, RecipeValue)], bits: Double? = nil) {
        self.init()
        defaults = settings.map { Setting($0.0, $0.1) }
        self.bits = bits
    }
}

extension CheckpointCompressor {
    init(_ recipe: Recipe, threads: Int = 2, resume: Bool = false) {
        self.init()
        self.recipe = recipe
        self.threads = threads
        self.resume = resume
    }
}

extension TaskProgress {
    /// Asks its task to stop as soon as `condition` holds.
    static func cancelling(
        when condition: @escaping @Sendable (State) -> Bool
    ) -> TaskProgress {
        let box = ProgressBox()
        let progress = TaskProgress { state in
            if condition(state) { box.progress.withLock { $0?.cancel() } }
        }
        box.progress.withLock { $0 = progress }
        return progress
    }
}

/// Lets a progress report know the progress that it belongs to.
private final class ProgressBox: Sendable {
    let progress = Mutex<TaskProgress?>(nil)
}

/// What the errors of all modules have in common.
struct ErrorFacts {
    let code: String
    let text: String

    init?(_ error: any Error) {
        switch error {
        case let error as ModelFileError: code = error.code.rawValue
        case let error as DecompositionError: code = error.code.rawValue
        case let error as SmartDealError: code = error.code.rawValue
        case let error as PowerOfTwoError: code = error.code.rawValue
        default: return nil
        }
        text = String(describing: error)
    }
}

/// Expects an error of a code, and that its text has certain words.
func expectError<R>(
    _ code: String, saying words: String..., sourceLocation: SourceLocation = #_sourceLocation,
    from body: () throws -> R
) {
    do {
        _ = try body()
        Issue.record("no error, expected \(code)", sourceLocation: sourceLocation)
    } catch {
        guard let facts = ErrorFacts(error) else {
            Issue.record(error, sourceLocation: sourceLocation)
            return
        }
        #expect(facts.code == code, "\(facts.text)", sourceLocation: sourceLocation)
        for word in words {
            #expect(facts.text.contains(word), "\(facts.text)", sourceLocation: sourceLocation)
        }
    }
}
