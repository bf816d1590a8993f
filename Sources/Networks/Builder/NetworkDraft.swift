internal import DenseMath

/// A network while its layers are added: nodes, and parameters that have no elements yet.
public struct NetworkDraft: Sendable {
    /// A parameter that is to be drawn.
    package struct PlannedParameter: Sendable {
        package let name: String
        package let shape: [Int]
        let initialization: Initialization
    }

    /// 2 GiB, which is also the limit of what one ONNX file can hold.
    private static let weightLimit = 1 << 29
    private static let sizeLimit = 1 << 16
    private static let rankLimit = 3

    private let name: String
    private let input: Network.Input
    /// The nodes so far.
    package private(set) var nodes: [Node] = []
    /// The parameters so far, in the order of their layers.
    package private(set) var parameters: [PlannedParameter] = []
    private var weightCount = 0

    /// The value that the next layer takes.
    private(set) var value: Value
    /// The names around the next layer, each with its dot.
    private var prefix = ""
    /// The place of the next layer among those around it.
    private var place = 0

    /// A value of the network for one input of the batch.
    struct Value {
        let name: String
        /// Without the batch.
        let shape: [Int]
        let moments: Moments
    }

    package init(_ name: String, input shape: [Int], _ layers: [any Layer]) throws {
        self.name = name
        guard 1...Self.rankLimit ~= shape.count, shape.allSatisfy({ 1...Self.sizeLimit ~= $0 })
        else {
            throw NetworkError(
                .invalidInput,
                "the input of '\(name)' is \(shape); it can have 1 to \(Self.rankLimit) sizes, "
                    + "each 1 to \(Self.sizeLimit)")
        }
        input = .init("input", .float32, [.named("batch")] + shape.map { .fixed($0) })
        value = Value(name: input.name, shape: shape, moments: .standard)
        for layer in layers { try layer.add(to: &self) }
        var names = Set<String>()
        for node in nodes where !names.insert(node.name).inserted {
            throw NetworkError(.duplicateValue, "two layers have this name", node: node.name)
        }
    }

    /// The network with all parameters drawn.
    package func network(seed: UInt64) throws -> Network {
        guard var last = nodes.last else {
            throw NetworkError(.invalidNode, "'\(name)' has no layer that computes anything")
        }
        last.outputs = ["output"]
        let network = Network(
            name: name, inputs: [input], outputs: last.outputs,
            nodes: nodes.dropLast() + [last],
            // Names are unique since those of their layers are.
            parameters: Dictionary(
                uniqueKeysWithValues: parameters.map {
                    ($0.name, .dense($0.drawn(seed: seed)))
                }))
        try network.check()
        return network
    }
}

extension NetworkDraft {
    /// The network with inputs in the place of its parameters, for what needs only shapes, and its
    /// weights.
    package var outline: (network: Network, weightSites: [WeightSite]) {
        let network = Network(
            name: name,
            inputs: [input]
                + parameters.map { .init($0.name, .float32, $0.shape.map { .fixed($0) }) },
            outputs: [value.name], nodes: nodes)
        let shapes = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) })
        return (network, network.weightSites(ofParameters: shapes))
    }
}

// What layers do to a draft.
extension NetworkDraft {
    /// The full name of the next layer, which is then taken.
    mutating func takeName(_ name: String?) -> String {
        defer { place += 1 }
        return prefix + (name ?? String(place))
    }

    /// Adds layers below the next name.
    mutating func addBelow(_ name: String?, _ layers: [any Layer]) throws {
        let outer = (prefix: prefix, place: place + 1)
        prefix = takeName(name) + "."
        place = 0
        for layer in layers { try layer.add(to: &self) }
        (prefix, place) = outer
    }

    /// Adds layers that take `start`, and returns what they give.
    mutating func branch(from start: Value, _ layers: [any Layer]) throws -> Value {
        value = start
        for layer in layers { try layer.add(to: &self) }
        return value
    }

    /// Plans a parameter `owner`.`name`, and returns its full name.
    mutating func parameter(
        _ name: String, of owner: String, _ shape: [Int], _ initialization: Initialization
    ) throws -> String {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            count = overflow ? .max : product
        }
        guard count <= Self.weightLimit - weightCount else {
            throw NetworkError(
                .tooLarge,
                "its \(name) \(shape) would bring '\(self.name)' over \(Self.weightLimit) weights",
                node: owner)
        }
        weightCount += count
        parameters.append(
            .init(name: "\(owner).\(name)", shape: shape, initialization: initialization))
        return "\(owner).\(name)"
    }

    /// Appends a node on the current value, which becomes what it gives.
    mutating func apply(
        _ operation: Operation, _ node: String, _ others: [String] = [], shape: [Int],
        moments: Moments
    ) {
        nodes.append(
            Node(node, operation, inputs: [value.name] + others, outputs: [node]))
        value = Value(name: node, shape: shape, moments: moments)
    }

    /// Appends the sum of two values, which becomes the current one.
    mutating func addSum(of a: Value, _ b: Value) throws {
        let names = Set(nodes.map(\.name))
        var name = prefix + "add"
        var number = 0
        while names.contains(name) {
            number += 1
            name = "\(prefix)add\(number)"
        }
        guard a.shape == b.shape else {
            throw NetworkError(
                .shapeMismatch, "the branch gives \(a.shape) and the shortcut \(b.shape)",
                node: name)
        }
        value = a
        apply(
            .binary(.add), name, [b.name], shape: a.shape, moments: a.moments + b.moments)
    }

    /// The current value as an image, `[channels, height, width]`.
    func image(for node: String) throws -> (channels: Int, height: Int, width: Int) {
        let shape = value.shape
        guard shape.count == 3 else {
            throw NetworkError(
                .shapeMismatch, "it takes [channels, height, width], found \(shape)", node: node)
        }
        return (shape[0], shape[1], shape[2])
    }

    /// Checks a number that a layer was given.
    static func check(_ name: String, _ number: Int, least: Int = 1, in node: String) throws {
        guard least...sizeLimit ~= number else {
            throw NetworkError(
                .invalidNode, "its \(name) is \(number); it can be \(least) to \(sizeLimit)",
                node: node)
        }
    }
}
