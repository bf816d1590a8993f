/// A part of a network that takes the value before it and gives one, with PyTorch's names.
///
/// ```swift
/// let network = try Network("small", input: [3, 32, 32], seed: 1) {
///     Conv2d(16, kernelSize: 3, padding: 1, bias: false)
///     BatchNorm2d()
///     ReLU()
///     GlobalAveragePool()
///     Flatten()
///     Linear(10)
/// }
/// ```
///
/// A layer without a name is called by its place among the layers around it: 0, 1, 2, ... Its
/// parameters are called as in a PyTorch state dict, `layer1.0.conv1.weight`, where ``Sequential``
/// gives the part before each dot.
public protocol Layer: Sendable {
    /// Appends the layer to a network.
    ///
    /// - Throws: ``NetworkError`` if the layer cannot take the shape that it would be given.
    func add(to draft: inout NetworkDraft) throws
}

/// Lists layers in order, with `if`, `switch` and `for`.
@resultBuilder
public enum LayerBuilder {
    public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
    public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
    public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
    public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
    public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
    public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}

extension Network {
    /// Builds a network of seeded random weights from its layers.
    ///
    /// Its one input is `input`, `[batch]` + `input`; its one output is `output`. The same layers
    /// and seed give the same bits on every machine. Weights are drawn as PyTorch does; the running
    /// statistics of ``BatchNorm2d`` are those that inputs of mean 0 and variance 1 would have, so
    /// that values stay near 1 at any depth.
    ///
    /// - Parameter input: the shape of one input without the batch: `[channels, height, width]`.
    /// - Throws: ``NetworkError`` naming a layer whose input does not fit it, or two of one name.
    public init(
        _ name: String, input: [Int], seed: UInt64 = 0, @LayerBuilder _ layers: () -> [any Layer]
    ) throws {
        self = try NetworkDraft(name, input: input, layers()).network(seed: seed)
    }
}
