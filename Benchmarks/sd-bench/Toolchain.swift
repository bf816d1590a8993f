/// The Swift toolchain that is in use here.
enum Toolchain {
    /// Its name and version, by the `swift` on the path; a program does not know its compiler.
    static var description: String {
        let text = try? ChildProcess.run(["swift", "--version"], output: .captured)
        let line = text?.split(separator: "\n").first { $0.contains("version") }
        return line.map { String($0).trimmed } ?? "unknown"
    }
}
