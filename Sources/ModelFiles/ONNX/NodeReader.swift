internal import Networks
internal import ONNXSchema

/// A node of an ONNX graph with its attributes, checked as they are asked for.
struct NodeReader {
    let proto: Onnx_NodeProto
    /// Its name; one made of operator and position if the file gives none.
    let name: String
    let path: String
    /// Its inputs without those left out at the end.
    let inputs: [String]
    let outputs: [String]

    init(_ proto: Onnx_NodeProto, index: Int, path: String) {
        self.proto = proto
        self.path = path
        name = proto.name.isEmpty ? "\(proto.opType)_\(index)" : proto.name
        inputs = Array(proto.input[..<((proto.input.lastIndex { !$0.isEmpty } ?? -1) + 1)])
        outputs = Array(proto.output[..<((proto.output.lastIndex { !$0.isEmpty } ?? -1) + 1)])
    }

    /// The operator set, empty for ONNX's own.
    var domain: String { proto.domain == "ai.onnx" ? "" : proto.domain }
    var type: String { proto.opType }
    /// As a node that is not computed here.
    var foreign: Operation { .foreign(.init(domain: domain, type: type)) }

    /// The input at `index`, or nil when it is left out.
    func input(_ index: Int) -> String? {
        index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
    }

    func invalid(_ message: String) -> ModelFileError {
        ModelFileError(
            code: .invalidNode,
            message: "node '\(printable(name))' (\(printable(type))): \(message)", path: path)
    }

    // MARK: Attributes

    func attribute(_ key: String) -> Onnx_AttributeProto? {
        proto.attribute.first { $0.name == key }
    }

    /// Indices, sizes and axes: within 32 bits, so that arithmetic on some of them cannot overflow.
    func number(_ value: Int64, _ key: String) throws -> Int {
        guard value.magnitude <= Int64.Magnitude(Int32.max) else {
            throw invalid("its \(key) is \(value), beyond 32 bits")
        }
        return Int(value)
    }

    func integer(_ key: String, default fallback: Int) throws -> Int {
        guard let attribute = attribute(key) else { return fallback }
        guard attribute.hasI else { throw invalid("its \(key) is no integer") }
        return try number(attribute.i, key)
    }

    func flag(_ key: String, default fallback: Bool = false) throws -> Bool {
        try integer(key, default: fallback ? 1 : 0) != 0
    }

    func integers(_ key: String) throws -> [Int]? {
        guard let attribute = attribute(key) else { return nil }
        guard attribute.ints.count <= 1 << 16 else { throw invalid("its \(key) is too long") }
        return try attribute.ints.map { try number($0, key) }
    }

    func float(_ key: String, default fallback: Float) throws -> Float {
        guard let attribute = attribute(key) else { return fallback }
        guard attribute.hasF else { throw invalid("its \(key) is no float") }
        return attribute.f
    }

    func text(_ key: String, default fallback: String) throws -> String {
        guard let attribute = attribute(key) else { return fallback }
        guard attribute.hasS, let text = String(validating: attribute.s, as: UTF8.self) else {
            throw invalid("its \(key) is no text")
        }
        return text
    }

    func tensor(_ key: String) -> Onnx_TensorProto? {
        attribute(key).flatMap { $0.hasT ? $0.t : nil }
    }

    // MARK: Nodes

    /// One node with this one's name and outputs.
    ///
    /// - Parameters:
    ///   - counts: how many inputs it must have; as many as the lower bound must not be left out.
    ///   - kept: how many of them the operation takes, where others have become attributes.
    /// - Throws: ``NotComputed`` when it has an optional output that this project does not compute.
    func node(
        _ operation: Operation, inputs counts: ClosedRange<Int> = 1...1, keeping kept: Int? = nil
    ) throws -> Node {
        try require(inputs: counts)
        guard outputs.count == 1 else { throw NotComputed() }
        return Node(
            name, operation, inputs: Array(inputs.prefix(kept ?? inputs.count)), outputs: outputs)
    }

    func require(inputs counts: ClosedRange<Int>) throws {
        guard counts.contains(inputs.count) else {
            throw invalid(
                "it has \(inputs.count) inputs, expected \(counts.lowerBound)"
                    + (counts.count == 1 ? "" : " to \(counts.upperBound)"))
        }
        guard !inputs.prefix(counts.lowerBound).contains("") else {
            throw invalid("an input that it needs is left out")
        }
        guard outputs.contains(where: { !$0.isEmpty }) else { throw invalid("it has no output") }
    }
}

/// A node is valid, but this project does not compute it.
struct NotComputed: Error {}

extension ModelFileError.Code {
    /// A node of a graph contradicts the definition of its operator.
    public static let invalidNode = Self(rawValue: "invalid-node")
}
