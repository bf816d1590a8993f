/// A network as the accelerator model sees it: its layers with weights, in order.
public struct Workload: Sendable, Equatable {
    /// The network's name.
    public var name: String
    public var layers: [LayerWorkload]
    /// Operators that are not counted, with how often the network has each.
    public var notModelled: [String]

    public init(name: String, layers: [LayerWorkload], notModelled: [String] = []) {
        self.name = name
        self.layers = layers
        self.notModelled = notModelled
    }

    /// What the numbers of the layers rest on, a line for each that reports print.
    public var assumptions: [String] {
        var order: [String] = []
        var uses: [String: (layers: Int, low: Double, high: Double)] = [:]
        func add(_ what: String, _ number: Sourced<Double>) {
            let key = "\(what): \(number.provenance.rawValue)"
            guard let known = uses[key] else {
                order.append(key)
                uses[key] = (1, number.value, number.value)
                return
            }
            uses[key] = (
                known.layers + 1, min(known.low, number.value), max(known.high, number.value)
            )
        }
        for layer in layers {
            add("weight rows that are not zero", layer.weights.rowDensity)
            add("weights that are not zero", layer.weights.elementDensity)
            add("weights that a baseline's own pruning keeps", layer.weights.prunedDensity)
            let counts = layer.weights.coefficients
            add(
                "coefficients that are not zero",
                .init(
                    counts.value.codes == 0 ? 1 : counts.value.nonzeroCodes / counts.value.codes,
                    counts.provenance))
            add("activation rows that are not zero", layer.activations.rowDensity)
            add("activations that are not zero", layer.activations.elementDensity)
            add("outputs that are not zero", layer.activations.outputDensity)
            add("non-zero Booth digits of an activation", layer.activations.meanDigits)
        }
        return order.sorted().compactMap { key in
            uses[key].map { use in
                let range =
                    use.low == use.high
                    ? rounded(use.low) : "\(rounded(use.low)) to \(rounded(use.high))"
                return "\(key), \(range) (\(use.layers) layer\(use.layers == 1 ? "" : "s"))"
            }
        }
    }

    private func rounded(_ value: Double) -> String {
        String((value * 1000).rounded() / 1000)
    }
}
