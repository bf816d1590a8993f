import Foundation
import ModelFiles
import Networks
import PowerOfTwo
import Training

/// All that a run needs to go on as if never stopped, in the file `state.safetensors`.
///
/// A tensor `NAME#PART` is a part of a variable's state, `NAME#average` the running mean of its
/// values. Metadata hold the position, the settings and a checksum of everything.
struct TrainingCheckpoint {
    var position: TrainingPosition
    /// By the name of the variable, by the name of the part.
    var states: [String: [String: StateArray]]
    /// Running means of weights.
    var means: [String: [Float]] = [:]
    /// By key, as text.
    var settings: [String: String]
    /// The checksum of the file with the packed weights that the phase began with.
    var start: String?

    private static let version = "1"
    private static let averagePart = "average"
    private static let prefix = "smartdeal.training."

    /// Writes it in place of the one before, which stays until then.
    ///
    /// - Throws: ``TrainingError`` `.notANumber` naming a variable that holds what is no finite
    ///   number; ``ModelFileError`` `.cannotWrite`.
    func write(to path: String) throws {
        let writer = try SafetensorsWriter(target: path)
        var checksum = Checksum()
        func append(_ name: String, _ part: String, _ array: StateArray) throws {
            if case .float32(let values) = array, !values.allSatisfy(\.isFinite) {
                throw TrainingError(
                    .notANumber, "its \(part) is infinite or not a number", path: name)
            }
            let bytes = array.bytes
            checksum.add(name + "#" + part)
            bytes.withUnsafeBytes { checksum.add($0) }
            try writer.append(
                name: name + "#" + part, elementType: array.elementType, shape: [array.count],
                bytes: bytes)
        }
        for (name, parts) in states.sorted(by: { $0.key < $1.key }) {
            for (part, array) in parts.sorted(by: { $0.key < $1.key }) {
                try append(name, part, array)
            }
            if let mean = means[name] { try append(name, Self.averagePart, .float32(mean)) }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var metadata = [
            "version": Self.version,
            "position": String(decoding: try encoder.encode(position), as: UTF8.self),
            "settings": String(decoding: try encoder.encode(settings), as: UTF8.self),
        ]
        metadata["start"] = start
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { checksum.add(key + value) }
        metadata["checksum"] = checksum.text
        _ = try writer.finish(
            metadata: Dictionary(
                uniqueKeysWithValues: metadata.map { (Self.prefix + $0.key, $0.value) }))
    }

    /// Reads one.
    ///
    /// - Throws: ``ModelFileError`` for a file that cannot be read, ``TrainingError``
    ///   `.invalidCheckpoint` for one that is not what ``write(to:)`` wrote.
    init(path: String) throws {
        func invalid(_ message: String) -> TrainingError {
            TrainingError(.invalidCheckpoint, message, path: path)
        }
        let file = try Checkpoint(path: path)
        var metadata: [String: String] = [:]
        for (key, value) in file.metadata where key.hasPrefix(Self.prefix) {
            metadata[String(key.dropFirst(Self.prefix.count))] = value
        }
        guard let version = metadata["version"] else {
            throw invalid("this is no checkpoint of a training run")
        }
        guard version == Self.version else {
            throw invalid("it is of version \(version.prefix(20)), this tool reads \(Self.version)")
        }
        let kept = metadata.removeValue(forKey: "checksum")
        var checksum = Checksum()
        states = [:]
        for tensor in file.tensors {
            guard let mark = tensor.name.lastIndex(of: "#") else {
                throw invalid("'\(tensor.name.prefix(100))' is of no variable")
            }
            let name = String(tensor.name[..<mark])
            let part = String(tensor.name[tensor.name.index(after: mark)...])
            let array = file.withBytes(of: tensor) { bytes in
                checksum.add(tensor.name)
                checksum.add(bytes)
                return StateArray(bytes, as: tensor.elementType)
            }
            guard let array, tensor.shape == [array.count] else {
                throw invalid("'\(tensor.name.prefix(100))' has an unknown type or shape")
            }
            if part == Self.averagePart, case .float32(let values) = array {
                means[name] = values
            } else {
                states[name, default: [:]][part] = array
            }
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { checksum.add(key + value) }
        guard kept == checksum.text else {
            throw invalid("it is damaged: its checksum is not that of its content")
        }
        func decoded<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
            let text = metadata[key] ?? ""
            guard let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
                throw invalid("its \(key) cannot be read")
            }
            return value
        }
        position = try decoded("position", as: TrainingPosition.self)
        guard position.isSound else { throw invalid("its position is out of range") }
        settings = try decoded("settings", as: [String: String].self)
        start = metadata["start"]
    }

    init(
        position: TrainingPosition, states: [String: [String: StateArray]],
        means: [String: [Float]], settings: [String: String], start: String?
    ) {
        self.position = position
        self.states = states
        self.means = means
        self.settings = settings
        self.start = start
    }

    /// Checks that it is of a run with these settings.
    ///
    /// - Throws: ``TrainingError`` `.invalidCheckpoint` naming the keys that differ.
    func check(_ expected: [String: String], path: String) throws {
        let keys = Set(settings.keys).union(expected.keys)
        let differing = keys.filter { settings[$0] != expected[$0] }.sorted()
        guard !differing.isEmpty else { return }
        let list = differing.map { key in
            "\(key) (\((settings[key] ?? "not set").prefix(100)) there, "
                + "\((expected[key] ?? "not set").prefix(100)) now)"
        }
        throw TrainingError(
            .invalidCheckpoint,
            "it is of a run with other settings: " + list.joined(separator: ", "), path: path)
    }
}

extension StateArray {
    fileprivate var elementType: ElementType {
        switch self {
        case .float32: .f32
        case .uint8: .u8
        case .int8: .i8
        case .int64: .i64
        }
    }

    fileprivate var bytes: [UInt8] {
        switch self {
        case .float32(let values): WeightConversion.bytes(from: values, as: .f32)
        case .uint8(let values): values
        case .int8(let values): values.map { UInt8(bitPattern: $0) }
        case .int64(let values):
            values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        }
    }

    fileprivate init?(_ bytes: UnsafeRawBufferPointer, as type: ElementType) {
        switch type {
        case .f32: self = .float32(WeightConversion.floats(from: bytes, as: .f32))
        case .u8: self = .uint8(Array(bytes))
        case .i8: self = .int8(bytes.map { Int8(bitPattern: $0) })
        case .i64:
            self = .int64(
                (0..<bytes.count / 8).map {
                    Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))
                })
        default: return nil
        }
    }
}
