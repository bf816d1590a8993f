import Foundation
import ModelFiles
import Networks
import Training

/// The files of a run.
struct TrainingFolder {
    let path: String

    var log: String { path + "/log.jsonl" }
    var model: String { path + "/model.onnx" }
    var summary: String { path + "/summary.json" }
    var report: String { path + "/report.html" }
    var checkpoints: String { path + "/checkpoint" }
    var state: String { checkpoints + "/state.safetensors" }
    var start: String { checkpoints + "/start.safetensors" }

    /// Whether a run has left a state here.
    var hasState: Bool { FileManager.default.fileExists(atPath: state) }

    /// Whether a path is that of a folder.
    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    /// Makes the folders.
    ///
    /// - Throws: ``ModelFileError`` `.cannotWrite`.
    func create() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: checkpoints, withIntermediateDirectories: true)
        } catch {
            throw ModelFileError(
                code: .cannotWrite, message: error.localizedDescription, path: path)
        }
        // What a process that was killed left behind.
        for folder in [path, checkpoints] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where name.hasPrefix(".") && name.contains(".tmp-") {
                try? FileManager.default.removeItem(atPath: folder + "/" + name)
            }
        }
    }

    /// Writes a file whole or not at all.
    func write(_ text: String, to path: String) throws {
        let file = try AtomicFile(target: path)
        try file.write(Array(text.utf8))
        try file.commit()
    }
}
