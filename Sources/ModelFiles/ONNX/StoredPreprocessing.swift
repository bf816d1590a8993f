import Foundation
public import Networks

extension ONNXModel {
    /// The key of the metadata under which ``Preprocessing`` is kept, as JSON.
    static let preprocessingKey = "smartdeal.preprocessing"

    /// The entry of `metadata_props` that stores how images become the model's input; none when
    /// the model says so already.
    public func metadata(storing preprocessing: Preprocessing) throws -> [String: String] {
        guard !proto.metadataProps.contains(where: { $0.key == Self.preprocessingKey }) else {
            return [:]
        }
        return [Self.preprocessingKey: try Self.text(of: preprocessing)]
    }

    /// JSON, the same for the same value.
    static func text(of preprocessing: Preprocessing) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(preprocessing), as: UTF8.self)
    }
}
