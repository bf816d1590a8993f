import Foundation
public import Networks
internal import ONNXSchema

extension ONNXModel {
    /// The key of the metadata under which ``ActivationRanges`` are kept, as JSON.
    static let rangesKey = "smartdeal.activation_ranges"

    /// Ranges as the file has them.
    private struct StoredRanges: Codable {
        var version = Self.knownVersion
        /// Minimum and maximum by the names of values.
        var values: [String: [Float]]

        static let knownVersion = 1
    }

    /// The model with the ranges of its values in place of those that it had; nil takes them away.
    public func storing(_ ranges: ActivationRanges?) throws -> ONNXModel {
        var result = self
        result.proto.metadataProps.removeAll { $0.key == Self.rangesKey }
        if let ranges {
            result.proto.metadataProps.append(
                Onnx_StringStringEntryProto(key: Self.rangesKey, value: try Self.text(of: ranges)))
        }
        return result
    }

    /// JSON, the same for the same value.
    static func text(of ranges: ActivationRanges) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let stored = StoredRanges(values: ranges.values.mapValues { [$0.minimum, $0.maximum] })
        return String(decoding: try encoder.encode(stored), as: UTF8.self)
    }

    /// - Throws: ``ModelFileError`` `.invalidGraph` for text that is no ranges, or of a version that
    ///   this reader does not know.
    static func ranges(from text: String, path: String) throws -> ActivationRanges {
        func refusal(_ message: String) -> ModelFileError {
            ModelFileError(
                code: .invalidGraph, message: "its metadata '\(rangesKey)' \(message)", path: path)
        }
        let stored: StoredRanges
        do {
            stored = try JSONDecoder().decode(StoredRanges.self, from: Data(text.utf8))
        } catch {
            throw refusal("is not what it should be: " + printable(String(describing: error)))
        }
        guard stored.version == StoredRanges.knownVersion else {
            throw refusal(
                "has version \(stored.version), known is \(StoredRanges.knownVersion)")
        }
        return ActivationRanges(
            try stored.values.reduce(into: [:]) { values, entry in
                guard entry.value.count == 2,
                    let range = ActivationRanges.Range(entry.value[0], entry.value[1])
                else {
                    throw refusal("has no range for '\(printable(entry.key))': \(entry.value)")
                }
                values[entry.key] = range
            })
    }
}
