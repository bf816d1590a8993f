import DenseMath
import Networks

/// Inputs to measure a network with: their shapes, and random values.
struct RandomInputs {
    /// The shape of each input by its name.
    let shapes: [String: [Int]]
    /// The examples at once.
    let batch: Int
    private let inputs: [Network.Input]

    /// Chooses sizes for named dimensions: the batch for the name of an input's first dimension
    /// wherever it occurs, 1 for all others.
    ///
    /// - Parameters:
    ///   - batch: nil for what the network is fixed to, or else 1.
    ///   - given: shapes of inputs by name that are taken as they are.
    /// - Throws: ``NetworkError`` `.invalidInput` when the network is fixed to another batch.
    init(for network: Network, batch: Int? = nil, given: [String: [Int]] = [:]) throws {
        let names = Set(network.inputs.compactMap { $0.shape.first?.name })
        if names.isEmpty, let batch, let input = network.inputs.first {
            guard case .fixed(batch)? = input.shape.first else {
                throw NetworkError(
                    .invalidInput,
                    "a batch of \(batch) is not possible: the input '\(input.name)' is fixed to "
                        + input.typeText)
            }
        }
        var shapes: [String: [Int]] = [:]
        for input in network.inputs {
            shapes[input.name] =
                given[input.name]
                ?? input.shape.map { dimension in
                    switch dimension {
                    case .fixed(let size): size
                    case .named(let name): names.contains(name) ? batch ?? 1 : 1
                    }
                }
        }
        // Shapes of inputs that there are not; preparing the network refuses them.
        shapes.merge(given) { own, _ in own }
        self.shapes = shapes
        inputs = network.inputs
        let batched = inputs.first { $0.shape.first?.name != nil } ?? inputs.first
        self.batch = batched.flatMap { shapes[$0.name]?.first } ?? 1
    }

    /// Values for every input: floats from -1 to 1, and ones for integers, which are valid as
    /// indices and masks.
    func tensors(seed: UInt64) -> [String: Tensor] {
        var generator = SplitMix64(seed: seed)
        var tensors: [String: Tensor] = [:]
        for input in inputs {
            let shape = shapes[input.name] ?? []
            let count = shape.reduce(1, *)
            tensors[input.name] =
                input.elementType == .float32
                ? Tensor(
                    shape: shape,
                    (0..<count).map { _ in Float.random(in: -1...1, using: &generator) })
                : Tensor(shape: shape, integers: Array(repeating: 1, count: count))
        }
        return tensors
    }
}

extension Network.Dimension {
    fileprivate var name: String? {
        if case .named(let name) = self { name } else { nil }
    }
}
