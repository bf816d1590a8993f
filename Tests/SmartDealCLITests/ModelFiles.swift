import Foundation
import SmartDeal
import Testing

/// The folder of the files that tests of several modules share.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures").path

extension ToolFolder {
    /// Writes an ONNX file.
    func write(_ network: Network, to name: String) throws {
        _ = try ONNXModel(network: network).write(to: path + "/" + name)
    }

    /// Writes an array as NumPy does.
    func write(_ tensor: Tensor, to name: String) throws {
        try NPYFile.write(tensor, to: path + "/" + name)
    }

    func tensor(_ name: String) throws -> Tensor { try NPYFile(path: path + "/" + name).tensor }

    /// Expects that a run fails with status 1 and one message, and changes no file's name.
    func expectFailure(
        _ arguments: [String], saying words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try names()
        let result = try Tool.start(arguments, in: path).wait()
        #expect(
            result.status == 1 && !result.wasSignalled, "\(result)", sourceLocation: sourceLocation)
        #expect(
            result.errors.hasPrefix("error: ") && result.errors.split(separator: "\n").count == 1,
            "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output == "", sourceLocation: sourceLocation)
        for word in words {
            #expect(
                result.errors.contains(word), "\(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(try names() == before, sourceLocation: sourceLocation)
    }
}
