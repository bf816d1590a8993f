/// One operation of a network on named values.
public struct Node: Sendable, Equatable {
    /// A name for people, unique where the file's are.
    public var name: String
    public var operation: Operation
    /// The values it uses, by the operator's ONNX order; empty text for an optional one left out.
    public var inputs: [String]
    /// The values it gives; empty text for one that nobody uses.
    public var outputs: [String]

    public init(_ name: String, _ operation: Operation, inputs: [String], outputs: [String]) {
        self.name = name
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The input at `index`, or nil when it is left out.
    public func input(_ index: Int) -> String? {
        index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
    }
}
