import Foundation
package import ONNXSchema
import SwiftProtobuf

/// An ONNX file, whole: what this project does not know in it survives reading and writing.
///
/// Source: onnx.proto, the ONNX intermediate representation.
public struct ONNXModel: Sendable {
    /// The file it was read from, or is to be written to, as the caller named it.
    public let path: String
    /// The content.
    package var proto: Onnx_ModelProto

    /// The folder that external data must lie in.
    var folder: String { WritablePlace.folder(of: path) }

    package init(_ proto: Onnx_ModelProto, path: String) {
        self.proto = proto
        self.path = path
    }

    /// Reads a file.
    ///
    /// External data stays where it is until a tensor of it is asked for.
    ///
    /// - Throws: ``ModelFileError``: as ``MappedFile``, `.invalidONNX` for what is no ONNX model.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        try self.init(mapped: file)
    }

    /// Reads a file that is mapped already.
    package init(mapped file: MappedFile) throws {
        file.adviseSequential()
        self = try file.withBytes { try ONNXModel(parsing: $0, path: file.path) }
    }

    /// Reads a model from memory; `path` is for errors and external data.
    package init(parsing bytes: UnsafeRawBufferPointer, path: String) throws {
        func refusal(_ message: String) -> ModelFileError {
            ModelFileError(code: .invalidONNX, message: message, path: path)
        }
        guard ProtobufScan.entryCount(of: bytes, atMost: Self.entryLimit) != nil else {
            throw refusal("it has more than \(Self.entryLimit) entries (nodes, names, shapes)")
        }
        guard let start = bytes.baseAddress else { throw refusal("the file has no bytes") }
        // Decoding copies what it keeps, so that the memory can go away afterwards.
        let data = Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count,
            deallocator: .none)
        do {
            proto = try Onnx_ModelProto(serializedBytes: data)
        } catch BinaryDecodingError.truncated {
            throw refusal("it ends in the middle of an entry, or an entry claims too many bytes")
        } catch BinaryDecodingError.messageDepthLimit {
            throw refusal("its graphs are nested more than 100 levels deep")
        } catch BinaryDecodingError.invalidUTF8 {
            throw refusal("a name in it is not UTF-8")
        } catch {
            throw refusal("it is not a protobuf message")
        }
        self.path = path
        guard proto.hasGraph else { throw refusal("it has no graph") }
    }

    /// Entries that decoding makes objects of; the largest language models have some 100,000. A
    /// short file could claim so many that memory runs out.
    static let entryLimit = 1 << 21

    /// Writes the file.
    ///
    /// External data is not copied: see ``embeddingExternalData()``.
    ///
    /// - Returns: the size of the file in bytes.
    /// - Throws: ``ModelFileError``: `.cannotWrite`, also for a model of 2 GB or more, which
    ///   protobuf does not allow.
    @discardableResult
    public func write(to path: String) throws -> Int {
        let data: Data
        do {
            data = try proto.serializedBytes()
        } catch {
            throw ModelFileError(
                code: .cannotWrite, message: "an ONNX file must be smaller than 2 GB", path: path)
        }
        let file = try AtomicFile(target: path)
        try data.withUnsafeBytes { try file.write($0) }
        try file.commit()
        return data.count
    }
}

extension ModelFileError.Code {
    /// The file is not a valid ONNX model.
    public static let invalidONNX = Self(rawValue: "invalid-onnx")
}
