import Foundation

/// What is being done, on stderr: one line that changes on a terminal, a line for each group
/// elsewhere.
final class Progress {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) != 0
    private var lastGroup = ""

    /// Says which group is at work, and on a terminal what of it.
    func show(_ group: String, _ detail: String = "") {
        if isTerminal {
            write("\r\u{1B}[K" + "\(group) \(detail)".prefix(78))
        } else if group != lastGroup {
            write("sd-bench: \(group)\n")
        }
        lastGroup = group
    }

    /// Makes room for results.
    func clear() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
