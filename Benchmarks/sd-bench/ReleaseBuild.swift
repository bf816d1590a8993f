import BenchmarkSupport
import Foundation

/// The way from a debug build, whose speed says nothing, to a release build of the same package.
enum ReleaseBuild {
    static var isWhatRuns: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }

    /// Builds this tool in release and becomes it, with the same arguments. Returns only by
    /// throwing.
    static func takeOver() throws {
        let executable = try executable()
        let root = try PackageRoot.find(from: executable)
        // .build/TRIPLE/debug/sd-bench: the folder of builds is three levels up.
        let builds = executable.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let build = [
            "swift", "build", "-c", "release", "--product", "sd-bench", "--package-path", root.path,
            "--scratch-path", builds.path,
        ]
        Message.write("this is a debug build, whose speed says nothing; building in release")
        _ = try ChildProcess.run(build, output: .standardError)
        let folder = try ChildProcess.run(build + ["--show-bin-path"], output: .captured)
        let path = URL(fileURLWithPath: folder.trimmed).appendingPathComponent("sd-bench").path
        var pointers = ([path] + CommandLine.arguments.dropFirst()).map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        execv(path, &pointers)
        throw BenchmarkFileError(String(cString: strerror(errno)), path: path)
    }

    private static func executable() throws -> URL {
        guard let url = Bundle.main.executableURL else {
            throw BenchmarkFileError("cannot tell where this program is; run it with -c release")
        }
        return url.resolvingSymlinksInPath()
    }
}

/// Where the package is: the folder with `Package.swift` above a file.
enum PackageRoot {
    static func find(from file: URL) throws -> URL {
        var folder = file.deletingLastPathComponent()
        while folder.path != "/" {
            let manifest = folder.appendingPathComponent("Package.swift").path
            if FileManager.default.fileExists(atPath: manifest) { return folder }
            folder.deleteLastPathComponent()
        }
        throw BenchmarkFileError("no Package.swift in a folder above it", path: file.path)
    }
}

/// Words to the user beside the results.
enum Message {
    static func write(_ text: String) {
        FileHandle.standardError.write(Data("sd-bench: \(text)\n".utf8))
    }
}
