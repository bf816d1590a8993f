import BenchmarkSupport
import Foundation

/// Other programs.
enum ChildProcess {
    /// Where the standard output of a program goes.
    enum Output {
        case captured
        case standardError
    }

    /// Runs a program that the path knows, to its end, and returns what it wrote where that is
    /// captured.
    ///
    /// - Throws: `BenchmarkFileError` when it fails.
    static func run(_ words: [String], output: Output) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = output == .captured ? pipe : FileHandle.standardError
        if output == .captured { process.standardError = FileHandle.nullDevice }
        try process.run()
        let text =
            output == .captured
            ? String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) : ""
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkFileError(
                "'\(words.joined(separator: " "))' failed with \(process.terminationStatus)")
        }
        return text
    }
}
