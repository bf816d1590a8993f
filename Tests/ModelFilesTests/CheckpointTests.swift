import Foundation
import ModelFiles
import Testing

@Suite("Checkpoint")
struct CheckpointTests {
    private static let one = file(
        "{\"__metadata__\":{\"format\":\"pt\",\"k\":\"1\"},\(entry("a", "F32", "[1]", 0, 4)),"
            + "\(entry("e", "F16", "[0]", 4, 4))}", data: [1, 2, 3, 4])
    private static let two = file(
        "{\"__metadata__\":{\"k\":\"2\",\"l\":\"3\"},\(entry("b", "U8", "[3]", 0, 3))}",
        data: [5, 6, 7])

    private func index(_ map: String) -> [UInt8] {
        Array("{\n  \"metadata\": {\"total_size\": 7},\n  \"weight_map\": \(map)\n}\n".utf8)
    }

    private func sharded(_ map: String, one: [UInt8] = one, two: [UInt8] = two) throws -> TestFolder
    {
        let folder = try TestFolder()
        _ = try folder.write(one, to: "m-1.safetensors")
        _ = try folder.write(two, to: "m-2.safetensors")
        _ = try folder.write(index(map), to: "index.json")
        return folder
    }

    private let goodMap = #"{"a":"m-1.safetensors","e":"m-1.safetensors","b":"m-2.safetensors"}"#

    @Test("one file opens, whatever its name")
    func single() throws {
        let folder = try TestFolder()
        let checkpoint = try Checkpoint(path: folder.write(Self.one, to: "weights.json"))
        #expect(checkpoint.tensors.map(\.name) == ["a", "e"])
        #expect(checkpoint.tensors[0].elementType == .f32)
        #expect(checkpoint.tensors[0].shape == [1])
        #expect(checkpoint.tensors.map(\.elementCount) == [1, 0])
        #expect(checkpoint.fileNames == ["weights.json"])
        #expect(checkpoint.byteCount == Self.one.count)
        #expect(checkpoint.metadata == ["format": "pt", "k": "1"])
        #expect(checkpoint.withBytes(of: checkpoint.tensors[0]) { Array($0) } == [1, 2, 3, 4])
        #expect(checkpoint.withBytes(of: checkpoint.tensors[1]) { $0.isEmpty })
        checkpoint.releasePages(of: checkpoint.tensors[0])
        #expect(checkpoint.withBytes(of: checkpoint.tensors[0]) { Array($0) } == [1, 2, 3, 4])
    }

    @Test("an index opens all its files")
    func shards() throws {
        let folder = try sharded(goodMap)
        let checkpoint = try Checkpoint(path: folder("index.json"))
        #expect(checkpoint.tensors.map(\.name) == ["a", "e", "b"])
        #expect(checkpoint.tensors.map(\.fileIndex) == [0, 0, 1])
        #expect(checkpoint.fileNames == ["m-1.safetensors", "m-2.safetensors"])
        #expect(checkpoint.byteCount == Self.one.count + Self.two.count)
        #expect(checkpoint.metadata == ["format": "pt", "k": "1", "l": "3"])
        let bytes = checkpoint.tensors.map { checkpoint.withBytes(of: $0) { Array($0) } }
        #expect(bytes == [[1, 2, 3, 4], [], [5, 6, 7]])
    }

    @Test("an index in the current folder and files in subfolders are found")
    func subfolders() throws {
        let folder = try TestFolder()
        try FileManager.default.createDirectory(
            atPath: folder("x/y"), withIntermediateDirectories: true)
        _ = try folder.write(Self.two, to: "x/y/s")
        let path = try folder.write(index(#"{"b":"x/y/s"}"#), to: "i")
        #expect(try Checkpoint(path: path).fileNames == ["x/y/s"])
        #expect(try Checkpoint(path: folder("x/../i")).tensors.count == 1)
    }

    @Test(
        "files outside the index's folder are refused",
        arguments: [
            "/etc/passwd", "../m-1.safetensors", "x/../../m", "..", ".", "", "./m-1.safetensors",
            "x//m", "x/",
            "/", "m\\u0000-1.safetensors",
        ])
    func unsafePaths(name: String) throws {
        let folder = try sharded(#"{"a":"\#(name)","b":"m-2.safetensors"}"#)
        expectError(.unsafeShardPath, saying: "index.json") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test("a missing shard is named")
    func missingShard() throws {
        let folder = try sharded(#"{"a":"m-3.safetensors"}"#)
        expectError(.unreadableFile, saying: "m-3.safetensors", "No such file") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test("a tensor that its shard does not hold is named")
    func missingTensor() throws {
        let extra = goodMap.dropLast() + #","c":"m-2.safetensors"}"#
        let longer = try sharded(String(extra))
        expectError(.missingTensor, saying: "tensor 'c'", "m-2.safetensors", "index.json") {
            try Checkpoint(path: longer("index.json"))
        }
        let swapped = #"{"a":"m-2.safetensors","e":"m-1.safetensors","b":"m-2.safetensors"}"#
        let folder = try sharded(swapped)
        expectError(.missingTensor, saying: "tensor 'a'", "'m-2.safetensors', which does not") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test("a tensor that the index does not list is named")
    func unlistedTensor() throws {
        let folder = try sharded(#"{"a":"m-1.safetensors","b":"m-2.safetensors"}"#)
        expectError(.unlistedTensor, saying: "tensor 'e'", "m-1.safetensors") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test("a tensor in two shards is refused")
    func duplicateTensor() throws {
        let folder = try sharded(
            goodMap,
            two: file(
                "{\(entry("b", "U8", "[1]", 0, 1)),\(entry("a", "U8", "[1]", 1, 2))}", data: [0, 0])
        )
        expectError(.duplicateName, saying: "tensor 'a'", "m-2.safetensors", "m-1.safetensors") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test("a tensor listed twice is refused")
    func duplicateKey() throws {
        let folder = try sharded(goodMap.dropLast() + #","a":"m-1.safetensors"}"#)
        expectError(.duplicateName, saying: "'a' occurs twice") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test("a broken shard is named")
    func brokenShard() throws {
        let folder = try sharded(goodMap, two: Self.two.dropLast())
        expectError(.wrongFileSize, saying: "m-2.safetensors", "1 bytes short") {
            try Checkpoint(path: folder("index.json"))
        }
    }

    @Test(
        "an index that is not the JSON it should be is refused",
        arguments: [
            "{}", "{ ", #"{"weight_map":{}}"#, #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#,
            #"{"weight_map":{"a":null}}"#, #"{"weight_map":{"a":"m-1.safetensors"}} x"#,
            #"{"metadata":{"a":1}}"#,
            #"{"weight_map":{"a":"m-1.safetensors"}"#, #"{"a":{"dtype":"F32"}}"#,
        ])
    func badIndex(json: String) throws {
        let folder = try TestFolder()
        _ = try folder.write(Self.one, to: "m-1.safetensors")
        let path = try folder.write(Array(json.utf8), to: "index.json")
        expectError(.invalidIndex, saying: path) { try Checkpoint(path: path) }
    }

    @Test("an index that is not UTF-8 is refused")
    func indexNotUTF8() throws {
        let folder = try TestFolder()
        let path = try folder.write(Array("{\"weight_map\":\"".utf8) + [0xFF], to: "i")
        expectError(.invalidUTF8, saying: "byte 15 of the index") { try Checkpoint(path: path) }
    }

    @Test("other formats are told apart by their content")
    func otherFormats() throws {
        let folder = try TestFolder()
        let cases: [([UInt8], String)] = [
            ([0x08, 0x07, 0x12, 0x07] + Array("pytorch".utf8), "ONNX"),
            (Array("PK\u{3}\u{4}aaaaaaaa".utf8), "zip"), (Array("GGUF\u{3}aaaaaaa".utf8), "GGUF"),
            ([0x80, 0x02] + Array("}qabcdefgh".utf8), "pickle"),
            ([0x93] + Array("NUMPY12345".utf8), "NumPy"),
            (Array("[1, 2, 3, 4, 5]".utf8), "neither"),
            ([UInt8](repeating: 0xFF, count: 32), "neither"),
            ([0x1F, 0x8B, 8], "gzip"), ([0x89] + Array("HDF\r\n12345".utf8), "HDF5"),
        ]
        for (bytes, word) in cases {
            let path = try folder.write(bytes, to: "model.safetensors")
            expectError(.unknownFormat, saying: word, path) { try Checkpoint(path: path) }
        }
    }

    @Test("a damaged safetensors file is reported as such, not as an unknown format")
    func damaged() throws {
        let folder = try TestFolder()
        func expectCode(_ code: ModelFileError.Code, _ bytes: [UInt8]) throws {
            let path = try folder.write(bytes, to: "m")
            expectError(code, saying: path) { try Checkpoint(path: path) }
        }
        try expectCode(.headerTooSmall, [1, 2, 3])
        try expectCode(.headerTooLarge, file(json: Array("{}".utf8), data: [], length: .max))
        try expectCode(.invalidHeaderLength, file(json: Array("{}".utf8), data: [], length: 9))
        try expectCode(.invalidHeader, file("[]"))
        try expectCode(.invalidHeader, [UInt8](repeating: 0, count: 64))
        try expectCode(.wrongFileSize, Self.one.dropLast())
        try expectCode(.wrongFileSize, Self.one + [0])
        try expectCode(.emptyFile, [])
        // A length whose first byte is an opening brace, which JSON begins with too.
        let brace = file("{}" + String(repeating: " ", count: 0x7B - 2))
        #expect(brace[0] == UInt8(ascii: "{"))
        #expect(try Checkpoint(path: folder.write(brace, to: "m")).tensors.isEmpty)
    }

    @Test("a file is refused when cut at any byte")
    func truncationEverywhere() throws {
        let folder = try sharded(goodMap)
        for count in 0..<Self.one.count {
            let path = try folder.write(.init(Self.one[..<count]), to: "cut")
            #expect(throws: ModelFileError.self) { try Checkpoint(path: path) }
        }
        let json = try folder.read("index.json")
        for count in 0..<json.count - 2 {
            let path = try folder.write(.init(json[..<count]), to: "cut")
            #expect(throws: ModelFileError.self) { try Checkpoint(path: path) }
        }
    }

    @Test("3,000 mutated indexes are read or refused, never trapped on")
    func mutatedIndexes() throws {
        let folder = try sharded(goodMap)
        let good = try folder.read("index.json")
        var random = SplitMix64(seed: 7)
        var accepted = 0
        for _ in 0..<3000 {
            var json = good
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let at = Int.random(in: 0..<json.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: json[at] = UInt8.random(in: 0...255, using: &random)
                case 1: json.remove(at: at)
                case 2:
                    json.insert(
                        Array("{}[]\",:\\ /.0".utf8).randomElement(using: &random) ?? 0, at: at)
                default: json.swapAt(at, Int.random(in: 0..<json.count, using: &random))
                }
            }
            do {
                let checkpoint = try Checkpoint(path: folder.write(json, to: "index.json"))
                #expect(checkpoint.tensors.count == 3)
                accepted += 1
            } catch {
                #expect(error is ModelFileError)
            }
        }
        #expect(accepted > 30)
    }

    @Test("the fingerprint changes with a header or a size, and only then")
    func fingerprint() throws {
        let folder = try TestFolder()
        func fingerprint(_ bytes: [UInt8], _ name: String = "m") throws -> String {
            try Checkpoint(path: folder.write(bytes, to: name)).fingerprint
        }
        let one = try fingerprint(Self.one)
        #expect(one.count == 16)
        #expect(one.allSatisfy { $0.isHexDigit })
        #expect(try fingerprint(Self.one, "other") == one)
        #expect(try fingerprint(Self.one.dropLast() + [99]) == one)
        #expect(try fingerprint(Self.two) != one)
        // FNV-1a of 02 00 00 00 00 00 00 00 { } and of the size 10 as 8 bytes, by a Python loop.
        #expect(try fingerprint(file("{}")) == "3d4baae1757ca3a1")
    }
}
