import Foundation
import SmartDeal
import Testing

/// The built tool, run as a child process.
struct Tool {
    /// What a run left behind.
    struct Result {
        var status: Int32
        var wasSignalled: Bool
        var output: String
        var errors: String

        /// The standard output as the one JSON object that it must be.
        func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
            let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
            return try #require(object as? [String: Any], sourceLocation: sourceLocation)
        }
    }

    /// A run that has not ended.
    final class Running {
        fileprivate let process: Process
        fileprivate let folder: URL

        fileprivate init(_ process: Process, _ folder: URL) {
            self.process = process
            self.folder = folder
        }

        var identifier: Int32 { process.processIdentifier }

        /// Waits until it ends.
        func wait() throws -> Result {
            process.waitUntilExit()
            func text(_ name: String) throws -> String {
                String(
                    decoding: try Data(contentsOf: folder.appendingPathComponent(name)),
                    as: UTF8.self)
            }
            let result = Result(
                status: process.terminationStatus,
                wasSignalled: process.terminationReason == .uncaughtSignal,
                output: try text("out"), errors: try text("errors"))
            try FileManager.default.removeItem(at: folder)
            return result
        }

        /// Waits until it has opened the nameless file beside `target` that its work goes to: from
        /// then on it handles signals.
        ///
        /// - Returns: false when it ended before.
        func waitUntilWriting(beside target: String) -> Bool {
            let descriptors = "/proc/\(identifier)/fd"
            while process.isRunning {
                let numbers =
                    (try? FileManager.default.contentsOfDirectory(atPath: descriptors)) ?? []
                for number in numbers {
                    let link = descriptors + "/" + number
                    let file = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
                    if let file, file.contains("/.\(target).tmp-") { return true }
                }
                usleep(2000)
            }
            return false
        }
    }

    /// The executable, beside the bundle of tests.
    static var path: String {
        get throws {
            let bundles = Bundle.allBundles.map(\.bundleURL).filter { $0.pathExtension == "xctest" }
            let start = [bundles.first, Bundle.main.executableURL].compactMap(\.self)
            for url in start {
                var folder = url.deletingLastPathComponent()
                for _ in 0..<4 {
                    let tool = folder.appendingPathComponent("smartdeal").path
                    if FileManager.default.isExecutableFile(atPath: tool) { return tool }
                    folder.deleteLastPathComponent()
                }
            }
            throw ModelFileError(
                code: .unreadableFile, message: "no executable 'smartdeal' beside the tests")
        }
    }

    /// Starts the tool in a folder.
    ///
    /// - Parameter blocks: a limit on the size of files, in blocks of 512 bytes.
    static func start(
        _ arguments: [String], in folder: String, blocks: Int? = nil
    ) throws -> Running {
        let process = Process()
        if let blocks {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments =
                ["-c", "ulimit -f \(blocks); exec \"$0\" \"$@\"", try path] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: try path)
            process.arguments = arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        // Into files, because a pipe that nobody reads stops the child.
        let outputs = FileManager.default.temporaryDirectory
            .appendingPathComponent("SmartDealCLITests-out-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: outputs, withIntermediateDirectories: true)
        func file(_ name: String) throws -> FileHandle {
            let url = outputs.appendingPathComponent(name)
            try Data().write(to: url)
            return try FileHandle(forWritingTo: url)
        }
        process.standardOutput = try file("out")
        process.standardError = try file("errors")
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return Running(process, outputs)
    }

    /// Runs the tool in a folder.
    static func run(
        _ arguments: String..., in folder: String, blocks: Int? = nil
    ) throws -> Result {
        try start(arguments, in: folder, blocks: blocks).wait()
    }
}

/// A folder for one test with small models in it, removed when the test is over.
final class ToolFolder {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("SmartDealCLITests-" + UUID().uuidString).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The names of all files, hidden ones too.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    /// Writes a model of some weights `[outputs, inputs]` and a bias.
    func writeModel(
        _ name: String,
        weights: [(String, Int, Int)] = [("a.weight", 40, 30), ("b.weight", 24, 50)],
        replacing special: (tensor: String, index: Int, value: Float)? = nil
    ) throws {
        var state: UInt64 = 1
        func random() -> Float {
            (0..<4).reduce(Float(0)) { sum, _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return sum + Float(state >> 40) / Float(1 << 24) - 0.5
            } * 0.1
        }
        let writer = try SafetensorsWriter(target: path + "/" + name)
        for (tensor, outputs, inputs) in weights {
            var values = (0..<(outputs * inputs)).map { _ in random() }
            if let special, special.tensor == tensor { values[special.index] = special.value }
            try writer.append(
                name: tensor, elementType: .f32, shape: [outputs, inputs],
                bytes: WeightConversion.bytes(from: values, as: .f32))
        }
        try writer.append(
            name: "bias", elementType: .f32, shape: [8],
            bytes: WeightConversion.bytes(from: (0..<8).map { _ in random() }, as: .f32))
        _ = try writer.finish(metadata: ["format": "pt"])
    }
}
