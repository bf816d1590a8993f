import ArgumentParser
import Foundation
import SmartDeal

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    @Option(help: ArgumentHelp("Threads to use; all processors by default.", valueName: "n"))
    var threads: Int?

    @Flag(help: "No progress on standard error.")
    var quiet = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be in 1...1024, got \(threads).")
        }
    }

    var threadCount: Int { threads ?? ParallelLoop.availableThreads }

    /// Prints a result: as JSON when asked to, else the text.
    func print(_ result: some Encodable, text: @autoclosure () -> String) throws {
        if json { return try printLine(result) }
        try write(Data(text().utf8))
    }

    /// Prints a result as one line of JSON.
    func printLine(_ result: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        try write(encoder.encode(result))
    }

    private func write(_ line: Data) throws {
        var output = line
        output.append(UInt8(ascii: "\n"))
        do {
            try FileHandle.standardOutput.write(contentsOf: output)
        } catch {
            throw ModelFileError(
                code: .cannotWrite, message: error.localizedDescription, path: "standard output")
        }
    }

    /// Runs a command's work: with progress and stopping on SIGINT and SIGTERM, errors to standard
    /// error and exit status 1, or 64 for a `ValidationError`.
    func run(_ body: (TaskProgress) throws -> Void) throws {
        BLASLibrary.threads = 1
        let line = ProgressLine(isQuiet: quiet)
        let progress = TaskProgress { line.show($0) }
        let signals = StopSignals(progress)
        defer { signals.end() }
        do {
            try body(progress)
            line.end()
        } catch let exit as ExitCode {
            line.end()
            throw exit
        } catch let usage as ValidationError {
            // What is wrong usage only once the model is known.
            line.end()
            throw usage
        } catch {
            line.end()
            StandardError.write("error: \(error)\n")
            throw ExitCode(1)
        }
    }
}

/// Messages for people.
enum StandardError {
    /// Writes text; where it cannot be written there is nobody to tell.
    static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}

enum SmartDealVersion {
    static let text = SmartDeal.version
}

extension ExitCode {
    /// Done, but over a limit that the user set.
    static let overLimit = ExitCode(2)
}
