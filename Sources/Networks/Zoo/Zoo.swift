/// The built-in networks, with seeded random weights.
///
/// A specification is a name, then `@CxHxW` for another input and `/N` for another number of
/// classes: `resnet50`, `resnet50/100`, `resnet20@1x28x28/10`.
public enum Zoo {
    /// A network's defaults and its layers for an input `[C, H, W]` and a number of classes.
    struct Entry: Sendable {
        let name: String
        let input: [Int]
        let classes: Int
        let layers: @Sendable (_ input: [Int], _ classes: Int) throws -> [any Layer]
    }

    static let entries = [
        Entry(name: "lenet5", input: [1, 28, 28], classes: 10) { lenet5(classes: $1) },
        Entry(name: "mlp", input: [1, 28, 28], classes: 10) { mlp(classes: $1) },
        Entry(name: "resnet20", input: [3, 32, 32], classes: 10) { resnet20(classes: $1) },
        Entry(name: "resnet18", input: [3, 224, 224], classes: 1000) { resnet18(classes: $1) },
        Entry(name: "resnet34", input: [3, 224, 224], classes: 1000) { resnet34(classes: $1) },
        Entry(name: "resnet50", input: [3, 224, 224], classes: 1000) { resnet50(classes: $1) },
        Entry(name: "resnet164", input: [3, 32, 32], classes: 10) { resnet164(classes: $1) },
        Entry(name: "vgg11", input: [3, 224, 224], classes: 1000) {
            vgg([1, 1, 2, 2, 2], input: $0, classes: $1)
        },
        Entry(name: "vgg19", input: [3, 224, 224], classes: 1000) {
            vgg([2, 2, 4, 4, 4], input: $0, classes: $1)
        },
        Entry(name: "mobilenetv2", input: [3, 224, 224], classes: 1000) {
            mobilenetV2(classes: $1)
        },
        Entry(name: "efficientnet-lite0", input: [3, 224, 224], classes: 1000) {
            efficientnetLite0(classes: $1)
        },
    ]

    /// The names of all built-in networks.
    public static var names: [String] { entries.map(\.name) }

    /// A built-in network with weights drawn as ``Network/init(_:input:seed:_:)`` does.
    ///
    /// - Throws: ``NetworkError`` if there is none of that name, listing near names, or if it
    ///   cannot take that input.
    public static func network(_ specification: String, seed: UInt64 = 0) throws -> Network {
        try draft(specification).network(seed: seed)
    }

    /// A built-in network without weights.
    package static func draft(_ specification: String) throws -> NetworkDraft {
        let request = try ZooRequest(specification)
        do {
            return try NetworkDraft(
                request.entry.name, input: request.input,
                request.entry.layers(request.input, request.classes))
        } catch let error as NetworkError {
            let input = request.input.map(String.init).joined(separator: "x")
            throw NetworkError(
                error.code == .shapeMismatch ? .unknownNetwork : error.code,
                "\(request.entry.name) cannot take an input of \(input): \(error.message)",
                node: error.node)
        }
    }
}
