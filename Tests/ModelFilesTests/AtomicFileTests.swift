import Foundation
import ModelFiles
import Testing

@Suite("Atomic file")
struct AtomicFileTests {
    @Test("a committed file has all bytes, and nothing else is left")
    func commit() throws {
        let folder = try TestFolder()
        let file = try AtomicFile(target: folder("a"))
        try file.write([1, 2])
        try file.write([])
        try file.write([3])
        #expect(file.byteCount == 3)
        #expect(try folder.names().count == 1)
        #expect(try folder.names()[0].hasPrefix(".a.tmp-\(getpid())-"))
        try file.commit()
        #expect(try folder.names() == ["a"])
        #expect(try folder.read("a") == [1, 2, 3])
    }

    @Test("until the commit, the old file is whole; when discarded, it stays")
    func oldStays() throws {
        let folder = try TestFolder()
        _ = try folder.write([9, 9], to: "a")
        do {
            let file = try AtomicFile(target: folder("a"))
            try file.write([1])
            #expect(try folder.read("a") == [9, 9])
        }
        #expect(try folder.names() == ["a"])
        #expect(try folder.read("a") == [9, 9])
        let discarded = try AtomicFile(target: folder("a"))
        discarded.discard()
        discarded.discard()
        #expect(try folder.names() == ["a"])
        let replaced = try AtomicFile(target: folder("a"))
        try replaced.write([1])
        try replaced.commit()
        #expect(try folder.read("a") == [1])
    }

    @Test("targets that cannot be written are refused before any work, with the reason")
    func refusals() throws {
        let folder = try TestFolder()
        let plain = try folder.write([1], to: "plain")
        expectError(.notAFile, saying: folder.path, "folder") {
            try AtomicFile(target: folder.path)
        }
        expectError(.notAFile, saying: "folder") { try AtomicFile(target: folder("new/")) }
        expectError(.cannotWrite, saying: plain, "Not a directory") {
            try AtomicFile(target: plain + "/a")
        }
        expectError(.cannotWrite, saying: folder("no"), "No such file") {
            try AtomicFile(target: folder("no/a"))
        }
        expectError(.notAFile, saying: "/dev/null", "not a regular file") {
            try AtomicFile(target: "/dev/null")
        }
        expectError(.cannotWrite, saying: "empty") { try AtomicFile(target: "") }
        expectError(.cannotWrite, saying: "File name too long") {
            try AtomicFile(target: folder(String(repeating: "x", count: 300)))
        }
        #expect(try folder.names() == ["plain"])
        #expect(try folder.read("plain") == [1])
    }

    #if os(Linux)
        @Test("a folder that takes no files is refused, as /proc even of root")
        func unwritableFolder() {
            expectError(.cannotWrite, saying: "/proc/model.safetensors") {
                try AtomicFile(target: "/proc/model.safetensors")
            }
        }
    #endif

    @Test("when the file cannot be put in place, the temporary file goes and the obstacle stays")
    func failedCommit() throws {
        let folder = try TestFolder()
        let file = try AtomicFile(target: folder("a"))
        try file.write([1])
        try FileManager.default.createDirectory(
            atPath: folder("a"), withIntermediateDirectories: false)
        expectError(.cannotWrite, saying: "cannot put it in place", folder("a")) {
            try file.commit()
        }
        #expect(try folder.names() == ["a"])
    }

    @Test("names that leave no room for a suffix can be written, and so can a name alone")
    func names() throws {
        let folder = try TestFolder()
        for name in [
            String(repeating: "x", count: 255), String(repeating: "漢", count: 85), "\u{301}",
        ] {
            let file = try AtomicFile(target: folder(name))
            try file.write([1])
            try file.commit()
            #expect(try folder.read(name) == [1])
        }
    }

    @Test("a file that is replaced keeps its permissions, and a link to it stays a link")
    func permissionsAndLinks() throws {
        let folder = try TestFolder()
        _ = try folder.write([1], to: "real")
        #expect(chmod(folder("real"), 0o640) == 0)
        #expect(symlink("real", folder("link")) == 0)
        let file = try AtomicFile(target: folder("link"))
        try file.write([2])
        try file.commit()
        #expect(try folder.read("real") == [2])
        #expect(try folder.names() == ["link", "real"])
        var information = stat()
        #expect(lstat(folder("link"), &information) == 0)
        #expect(information.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(folder("real"), &information) == 0)
        #expect(information.st_mode & 0o777 == 0o640)
    }

    @Test("all pending files of the process can be removed at once")
    func removeAllPending() async {
        await #expect(processExitsWith: .success) {
            let folder = try TestFolder()
            let files = try (0..<5).map { try AtomicFile(target: folder("\($0)")) }
            try files[0].write([1])
            try files[0].commit()
            files[1].discard()
            let before = try folder.names()
            precondition(before.count == 4)
            AtomicFile.removeAllPending()
            let after = try folder.names()
            precondition(after == ["0"])
            do {
                try files[2].commit()
                preconditionFailure("committed a file that was removed")
            } catch {}
            let finally = try folder.names()
            precondition(finally == ["0"])
        }
    }

    @Test("writing after the commit is the caller's bug")
    func useAfterCommit() async {
        await #expect(processExitsWith: .failure) {
            let folder = try TestFolder()
            let file = try AtomicFile(target: folder("a"))
            try file.commit()
            try file.write([1])
        }
    }
}
