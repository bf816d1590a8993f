import Foundation
import ModelFiles
import Testing

/// A folder for one test, removed with everything in it when the test is over.
final class TestFolder {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("ModelFilesTests-" + UUID().uuidString).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a name in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes a file and gives its path.
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }

    func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: self(name))))
    }

    /// The names of all files, hidden ones too.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}

/// A safetensors file byte by byte: the length, the JSON as given, the data.
func file(_ json: String, data: [UInt8] = []) -> [UInt8] {
    file(json: Array(json.utf8), data: data)
}

func file(json: [UInt8], data: [UInt8], length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(json.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + json + data
}

/// One entry of a header.
func entry(_ name: String, _ dtype: String, _ shape: String, _ begin: Int, _ end: Int) -> String {
    #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
}

/// Reads a header from memory that ends exactly where the file does, so that the address
/// sanitizer sees any read past the end.
func parse(_ bytes: [UInt8], fileSize: Int? = nil) throws -> SafetensorsHeader {
    let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { exact.deallocate() }
    exact.copyBytes(from: bytes)
    return try SafetensorsHeader(
        parsing: UnsafeRawBufferPointer(exact), fileSize: fileSize ?? bytes.count, path: "m.st")
}

/// Expects an error of a code, and that its text has certain words.
@discardableResult
func expectError<R>(
    _ code: ModelFileError.Code, saying words: String...,
    sourceLocation: SourceLocation =
        #_sourceLocation, from body: () throws -> R
) -> ModelFileError? {
    do {
        _ = try body()
        Issue.record("no error, expected \(code.rawValue)", sourceLocation: sourceLocation)
    } catch let error as ModelFileError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        for word in words {
            #expect(
                error.description.contains(word), "\(error)", sourceLocation: sourceLocation)
        }
        return error
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}

/// The random numbers of the tests: the same seed gives the same numbers everywhere.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
