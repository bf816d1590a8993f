import Foundation
import ModelFiles
import Testing

@Suite("Safetensors writer")
struct SafetensorsWriterTests {
    /// Writes what a checkpoint holds to another file.
    private func copy(_ checkpoint: Checkpoint, to target: String) throws {
        let writer = try SafetensorsWriter(target: target)
        for tensor in checkpoint.tensors {
            try checkpoint.withBytes(of: tensor) {
                try writer.append(
                    name: tensor.name, elementType: tensor.elementType, shape: tensor.shape,
                    bytes: $0)
            }
        }
        _ = try writer.finish(metadata: checkpoint.metadata)
    }

    @Test("what is read back equals what was written, and writing it again gives the same bytes")
    func roundTrip() throws {
        let folder = try TestFolder()
        let writer = try SafetensorsWriter(target: folder("a"))
        let big = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        try writer.append(name: "big", elementType: .u8, shape: [3_000_001], bytes: big)
        try writer.append(name: "empty", elementType: .f32, shape: [0, 5], bytes: [])
        try writer.append(name: "scalar", elementType: .f64, shape: [], bytes: .init(0..<8))
        try writer.append(name: "f4", elementType: .f4, shape: [2, 3], bytes: [1, 2, 3])
        #expect(writer.bytesWritten == 3_000_012)
        #expect(try folder.names().isEmpty, "the spool has no name")
        let size = try writer.finish(metadata: ["k": "v", "a": ""])
        #expect(try folder.names() == ["a"])
        #expect(try folder.read("a").count == size)
        let checkpoint = try Checkpoint(path: folder("a"))
        #expect(checkpoint.tensors.map(\.name) == ["big", "empty", "scalar", "f4"])
        #expect(checkpoint.metadata == ["k": "v", "a": ""])
        let bytes = checkpoint.tensors.map { checkpoint.withBytes(of: $0) { Array($0) } }
        #expect(bytes == [big, [], .init(0..<8), [1, 2, 3]])
        try copy(checkpoint, to: folder("b"))
        #expect(try folder.read("a") == folder.read("b"))
    }

    /// A file of the reference implementation, safetensors 0.8.0 for Python:
    /// ```
    /// save({"w": np.arange(-3, 3, dtype=np.float32).reshape(2, 3) / 4,
    ///       "h": np.array([1, -0.5, 65504], np.float16),
    ///       "n\"é": np.array(7, np.int64), "e": np.zeros((0, 4), np.uint8)},
    ///      metadata={"format": "np"})
    /// ```
    private static let reference = """
        AAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCJ9LCJuXCLDqSI6eyJkdHlwZSI6Ikk2\
        NCIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sInciOnsiZHR5cGUiOiJGMzIiLCJzaGFw\
        ZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzgsMzJdfSwiaCI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpb\
        M10sImRhdGFfb2Zmc2V0cyI6WzMyLDM4XX0sImUiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbMCw0XSwi\
        ZGF0YV9vZmZzZXRzIjpbMzgsMzhdfX0gBwAAAAAAAAAAAEC/AAAAvwAAgL4AAAAAAACAPgAAAD8APAC4\
        /3s=
        """

    @Test("a file of the reference is read, and written again to the same bytes")
    func reference() throws {
        let folder = try TestFolder()
        let content = try #require(Data(base64Encoded: Self.reference))
        let checkpoint = try Checkpoint(path: folder.write([UInt8](content), to: "a"))
        #expect(checkpoint.tensors.map(\.name) == ["n\"é", "w", "h", "e"])
        #expect(checkpoint.tensors.map(\.shape) == [[], [2, 3], [3], [0, 4]])
        #expect(checkpoint.metadata == ["format": "np"])
        let weights = checkpoint.tensors[1...2].map { tensor in
            checkpoint.withBytes(of: tensor) {
                WeightConversion.floats(from: $0, as: tensor.elementType)
            }
        }
        #expect(weights == [[-0.75, -0.5, -0.25, 0, 0.25, 0.5], [1, -0.5, 65504]])
        try copy(checkpoint, to: folder("b"))
        #expect(try folder.read("b") == [UInt8](content))
    }

    @Test("no tensors, with and without metadata, is a file", arguments: [[:], ["k": "v"]])
    func noTensors(metadata: [String: String]) throws {
        let folder = try TestFolder()
        #expect(try SafetensorsWriter(target: folder("a")).finish(metadata: metadata) % 8 == 0)
        let checkpoint = try Checkpoint(path: folder("a"))
        #expect(checkpoint.tensors.isEmpty)
        #expect(checkpoint.metadata == metadata)
    }

    @Test("a file may be replaced by what is read from it")
    func replaceItself() throws {
        let folder = try TestFolder()
        let content = file("{\(entry("w", "U8", "[5]", 0, 5))}", data: [1, 2, 3, 4, 5])
        try copy(try Checkpoint(path: folder.write(content, to: "a")), to: folder("a"))
        let checkpoint = try Checkpoint(path: folder("a"))
        #expect(checkpoint.withBytes(of: checkpoint.tensors[0]) { Array($0) } == [1, 2, 3, 4, 5])
    }

    @Test("a tensor can come in pieces, and is refused whole when they are too few or too many")
    func pieces() throws {
        let folder = try TestFolder()
        let writer = try SafetensorsWriter(target: folder("a"))
        func append(_ name: String, _ pieces: [[UInt8]]) throws {
            try writer.append(name: name, elementType: .u16, shape: [2]) { write in
                for piece in pieces { try piece.withUnsafeBytes { try write($0) } }
            }
        }
        try append("a", [[1], [], [2, 3], [4]])
        expectError(.wrongTensorSize, saying: "takes 4 bytes, 3 were", "tensor 'b'") {
            try append("b", [[9], [9, 9]])
        }
        expectError(.wrongTensorSize, saying: "takes 4 bytes, 5 or more") {
            try append("b", [[9, 9, 9], [9, 9]])
        }
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try writer.append(name: "b", elementType: .u8, shape: [2]) { write in
                try [UInt8(9)].withUnsafeBytes { try write($0) }
                throw Stop()
            }
        }
        #expect(writer.bytesWritten == 4)
        try append("b", [[5, 6, 7, 8]])
        _ = try writer.finish()
        let checkpoint = try Checkpoint(path: folder("a"))
        #expect(
            checkpoint.tensors.map { checkpoint.withBytes(of: $0) { Array($0) } }
                == [[1, 2, 3, 4], [5, 6, 7, 8]])
    }

    @Test("wrong sizes, taken names and impossible shapes are refused, and writing can go on")
    func refusals() throws {
        let folder = try TestFolder()
        let writer = try SafetensorsWriter(target: folder("a"))
        try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
        expectError(.duplicateName, saying: "tensor 'a'", folder("a")) {
            try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
        }
        expectError(.duplicateName) {
            try writer.append(name: "__metadata__", elementType: .u8, shape: [1], bytes: [1])
        }
        expectError(.wrongTensorSize, saying: "tensor 'b'") {
            try writer.append(name: "b", elementType: .f32, shape: [1], bytes: [1])
        }
        expectError(.wrongTensorSize) {
            try writer.append(name: "b", elementType: .f32, shape: [0], bytes: [1])
        }
        expectError(.misalignedTensor) {
            try writer.append(name: "b", elementType: .f4, shape: [3], bytes: [1, 2])
        }
        expectError(.shapeOverflow) {
            try writer.append(name: "b", elementType: .f32, shape: [.max, .max], bytes: [1])
        }
        try writer.append(name: "b", elementType: .u8, shape: [1], bytes: [2])
        _ = try writer.finish()
        #expect(try Checkpoint(path: folder("a")).tensors.map(\.name) == ["a", "b"])
    }

    @Test("an unfinished writer leaves nothing, and the old file as it was")
    func unfinished() throws {
        let folder = try TestFolder()
        _ = try folder.write([1], to: "a")
        do {
            let writer = try SafetensorsWriter(target: folder("a"))
            try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
        }
        #expect(try folder.names() == ["a"])
        #expect(try folder.read("a") == [1])
    }

    @Test("a target that cannot be written is refused before any work, with a named spool too")
    func refusedTargets() throws {
        let folder = try TestFolder()
        let plain = try folder.write([1], to: "plain")
        for spool in [nil, folder("spool")] {
            expectError(.cannotWrite, saying: "Not a directory") {
                try SafetensorsWriter(target: plain + "/a", spool: spool)
            }
            expectError(.cannotWrite, saying: "No such file") {
                try SafetensorsWriter(target: folder("no/a"), spool: spool)
            }
            expectError(.notAFile) { try SafetensorsWriter(target: folder.path, spool: spool) }
        }
        #expect(try folder.names() == ["plain"])
    }

    @Test("when finishing fails, the old file stays and finishing can be tried again")
    func failedFinish() throws {
        let folder = try TestFolder()
        let writer = try SafetensorsWriter(target: folder("a"))
        try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
        try FileManager.default.createDirectory(
            atPath: folder("a"), withIntermediateDirectories: false)
        expectError(.notAFile) { try writer.finish() }
        try FileManager.default.removeItem(atPath: folder("a"))
        _ = try folder.write([7], to: "a")
        expectError(.headerTooLarge) {
            try writer.finish(metadata: ["k": String(repeating: "x", count: 100_000_001)])
        }
        #expect(try folder.read("a") == [7])
        _ = try writer.finish()
        #expect(try Checkpoint(path: folder("a")).tensors.count == 1)
        #expect(try folder.names() == ["a"])
    }

    #if os(Linux)
        @Test("a full disk is an error with its reason, and the old file stays")
        func fullDisk() throws {
            let folder = try TestFolder()
            _ = try folder.write([7], to: "a")
            let writer = try SafetensorsWriter(target: folder("a"), spool: "/dev/full")
            expectError(.cannotWrite, saying: "/dev/full", "No space left on device") {
                try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
            }
            #expect(writer.bytesWritten == 0)
            #expect(writer.tensors.isEmpty)
            #expect(try folder.names() == ["a"])
            #expect(try folder.read("a") == [7])
        }
    #endif

    @Test("a killed process leaves nothing behind")
    func killed() async throws {
        let folder = try TestFolder()
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let writer = try SafetensorsWriter(target: path + "/a")
            try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
            _ = try Data([1]).write(to: URL(fileURLWithPath: path + "/proof"))
            kill(getpid(), SIGKILL)
            withExtendedLifetime(writer) {}
        }
        #expect(try folder.names() == ["proof"])
    }

    @Test("work goes on from a named spool, and gives the bytes of work that was never interrupted")
    func resume() throws {
        let folder = try TestFolder()
        var tensors: [SafetensorsHeader.Tensor] = []
        do {
            let writer = try SafetensorsWriter(target: folder("a"), spool: folder("spool"))
            try writer.append(name: "a", elementType: .u8, shape: [3], bytes: [1, 2, 3])
            try writer.append(name: "b", elementType: .u8, shape: [1], bytes: [4])
            try writer.sync()
            tensors = writer.tensors
            try writer.append(name: "c", elementType: .u8, shape: [2], bytes: [99, 99])
        }
        #expect(try folder.names() == ["spool"])
        #expect(try folder.read("spool").count == 6)
        let writer = try SafetensorsWriter(
            target: folder("a"), resumingFrom: folder("spool"), tensors: tensors)
        #expect(try folder.read("spool") == [1, 2, 3, 4])
        #expect(writer.bytesWritten == 4)
        expectError(.duplicateName) {
            try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
        }
        try writer.append(name: "c", elementType: .u8, shape: [2], bytes: [5, 6])
        _ = try writer.finish(metadata: ["k": "v"])
        #expect(try folder.names() == ["a", "spool"])

        let straight = try SafetensorsWriter(target: folder("b"))
        try straight.append(name: "a", elementType: .u8, shape: [3], bytes: [1, 2, 3])
        try straight.append(name: "b", elementType: .u8, shape: [1], bytes: [4])
        try straight.append(name: "c", elementType: .u8, shape: [2], bytes: [5, 6])
        _ = try straight.finish(metadata: ["k": "v"])
        #expect(try folder.read("a") == folder.read("b"))
    }

    @Test("a spool that does not hold the tensors is refused")
    func refusedResume() throws {
        let folder = try TestFolder()
        func resume(_ spool: String, _ tensors: [SafetensorsHeader.Tensor]) throws {
            _ = try SafetensorsWriter(target: folder("a"), resumingFrom: spool, tensors: tensors)
        }
        let tensor = SafetensorsHeader.Tensor(name: "w", elementType: .u8, shape: [4], range: 0..<4)
        expectError(.spoolMismatch, saying: "has 3 bytes", "have 4") {
            try resume(folder.write([1, 2, 3], to: "spool"), [tensor])
        }
        #expect(try folder.read("spool") == [1, 2, 3])
        expectError(.unreadableFile, saying: folder("no"), "No such file") {
            try resume(folder("no"), [tensor])
        }
        expectError(.invalidOffset) {
            try resume(
                folder("spool"), [.init(name: "w", elementType: .u8, shape: [2], range: 1..<3)])
        }
        expectError(.duplicateName) { try resume(folder("spool"), [tensor, tensor]) }
        expectError(.wrongTensorSize) {
            try resume(
                folder("spool"), [.init(name: "w", elementType: .f32, shape: [4], range: 0..<4)])
        }
        #expect(try folder.read("spool") == [1, 2, 3])
    }

    @Test("appending after the end is the caller's bug")
    func useAfterFinish() async {
        await #expect(processExitsWith: .failure) {
            let folder = try TestFolder()
            let writer = try SafetensorsWriter(target: folder("a"))
            _ = try writer.finish()
            try writer.append(name: "a", elementType: .u8, shape: [1], bytes: [1])
        }
    }
}
