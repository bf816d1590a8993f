import Foundation
import ModelFiles
import Testing

@Suite("Mapped file")
struct MappedFileTests {
    @Test("a mapped file has the file's bytes")
    func bytes() throws {
        let folder = try TestFolder()
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let file = try MappedFile(path: folder.write(content, to: "a"))
        #expect(file.byteCount == 10_000)
        #expect(file.withBytes { Array($0) } == content)
        #expect(file.withBytes(in: 4000..<4003) { Array($0) } == Array(content[4000..<4003]))
        #expect(file.withBytes(in: 10_000..<10_000) { $0.count } == 0)
        file.adviseSequential()
        file.release(1..<9999)
        file.release(0..<10_000)
        file.release(5..<5)
        #expect(file.withBytes { Array($0) } == content)
    }

    @Test(
        "what cannot be mapped is refused by name: missing, folder, empty, device, file as folder")
    func refusals() throws {
        let folder = try TestFolder()
        let file = try folder.write([1], to: "file")
        expectError(.unreadableFile, saying: folder("no"), "No such file") {
            try MappedFile(path: folder("no"))
        }
        expectError(.notAFile, saying: folder.path, "folder") { try MappedFile(path: folder.path) }
        expectError(.emptyFile, saying: "'\(folder("empty"))'") {
            try MappedFile(path: folder.write([], to: "empty"))
        }
        expectError(.notAFile, saying: "not a regular file") { try MappedFile(path: "/dev/null") }
        expectError(.unreadableFile, saying: "Not a directory") {
            try MappedFile(path: file + "/x")
        }
        expectError(.unreadableFile) { try MappedFile(path: "") }
    }

    @Test("a pipe is refused without waiting for a writer")
    func pipe() throws {
        let folder = try TestFolder()
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        expectError(.notAFile) { try MappedFile(path: folder("pipe")) }
    }

    @Test("bytes outside the file are the caller's bug")
    func outOfRange() async {
        await #expect(processExitsWith: .failure) {
            let folder = try TestFolder()
            let file = try MappedFile(path: folder.write([1, 2, 3], to: "a"))
            _ = file.withBytes(in: 2..<4) { $0.count }
        }
    }

    #if os(Linux)
        @Test("a file read range by range and released leaves little in memory")
        func resident() async throws {
            await #expect(processExitsWith: .success) {
                func residentFileKilobytes() throws -> Int {
                    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                    let line = status.split(separator: "\n").first { $0.hasPrefix("RssFile:") }
                    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
                }
                let folder = try TestFolder()
                let size = 64 << 20
                let file = try MappedFile(
                    path: folder.write(.init(repeating: 1, count: size), to: "a"))
                file.adviseSequential()
                let before = try residentFileKilobytes()
                var (sum, peak, position) = (0, 0, 0)
                // Odd sizes, many below a page, so that ranges end anywhere.
                for step in 0... where position < size {
                    let end = min(size, position + (step % 2 == 0 ? 1_000_003 : 1001))
                    file.withBytes(in: position..<end) { bytes in
                        for index in stride(from: 0, to: bytes.count, by: 512) {
                            sum += Int(bytes[index])
                        }
                    }
                    file.release(position..<end)
                    position = end
                    peak = max(peak, try residentFileKilobytes() - before)
                    if position == size { break }
                }
                precondition(sum > size / 1024)
                precondition(peak < 8 << 10, "\(peak) KB of 65536 stayed in memory")
            }
        }
    #endif
}
