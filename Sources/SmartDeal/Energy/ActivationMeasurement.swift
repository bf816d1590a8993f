import Accelerator
import DenseMath
import Inference
import ModelFiles
import Networks

/// What the activations of a network's layers are on real images, as signed 8-bit numbers.
///
/// Each layer's are divided by their largest magnitude and multiplied by 127, as hardware of 8 bits
/// would have them; what rounds to zero counts as zero.
struct ActivationMeasurement {
    /// The values that a layer takes and gives.
    private struct Place {
        let input: String
        let output: String
    }

    private let places: [String: Place]
    private let counts: [String: ActivationCounts]

    /// Runs the network on all images, twice: for the largest magnitudes, and to count.
    ///
    /// - Throws: ``SmartDealError`` `.datasetMismatch`, `.notANumber`; ``NetworkError``.
    init(
        _ network: Network, on images: Dataset, threads: Int, progress: TaskProgress
    ) throws {
        places = Self.places(in: network)
        let input = try network.imageInput(for: images)
        let wanted = Set(places.values.flatMap { [$0.input, $0.output] })
        var traced = network
        traced.outputs = network.nodes.flatMap(\.outputs).filter(wanted.contains)
        let run = TracedRun(
            session: InferenceSession(traced, threads: threads), input: input, images: images,
            preprocessing: network.preprocessing ?? images.standardPreprocessing,
            progress: progress)
        var largest: [String: Float] = [:]
        try run.forEach("measuring ranges") { name, tensor in
            guard wanted.contains(name) else { return }
            let magnitude = tensor.withFloats { values in
                values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : .infinity }
            }
            guard magnitude.isFinite else {
                throw SmartDealError(
                    .notANumber, "an activation is no number or infinite", path: name)
            }
            largest[name] = max(largest[name] ?? 0, magnitude)
        }
        var counts: [String: ActivationCounts] = [:]
        try run.forEach("measuring activations") { name, tensor in
            guard let largest = largest[name] else { return }
            counts[name, default: ActivationCounts()].add(tensor, largest: largest)
        }
        self.counts = counts
    }

    /// Replaces what is assumed of activations.
    func apply(to workload: inout Workload) {
        for index in workload.layers.indices {
            guard let place = places[workload.layers[index].name],
                let input = counts[place.input], let output = counts[place.output]
            else { continue }
            workload.layers[index].activations = ActivationProfile(
                rowDensity: Sourced(input.rowDensity, .measured),
                elementDensity: Sourced(input.density, .measured),
                outputDensity: Sourced(output.density, .measured),
                meanDigits: Sourced(input.meanDigits, .measured),
                digitShares: input.digitShares)
        }
    }

    /// Where each layer's activations are.
    private static func places(in network: Network) -> [String: Place] {
        var weights: [String: String] = [:]
        for site in network.weightSites where !site.isTable {
            for node in site.nodes { weights[node] = site.name }
        }
        var users: [String: [Node]] = [:]
        for node in network.nodes {
            for name in node.inputs { users[name, default: []].append(node) }
        }
        var places: [String: Place] = [:]
        for node in network.nodes {
            guard let weight = weights[node.name], let output = node.outputs.first else { continue }
            let first = node.input(0)
            guard let input = first == weight ? node.input(1) : first else { continue }
            places[node.name] = Place(
                input: input, output: last(after: output, users, network.outputs))
        }
        return places
    }

    /// The value that is written after a layer: past normalisation, additions and activation
    /// functions, which are computed on the way out.
    private static func last(
        after output: String, _ users: [String: [Node]], _ outputs: [String]
    ) -> String {
        var value = output
        while !outputs.contains(value), let next = users[value], next.count == 1,
            next[0].operation.keepsShape, let result = next[0].outputs.first
        {
            value = result
        }
        return value
    }
}

/// A network whose inner values are outputs too, and images to run it on.
private struct TracedRun {
    let session: InferenceSession
    let input: Network.Input
    let images: Dataset
    let preprocessing: Preprocessing
    let progress: TaskProgress

    /// Images at once, unless the network is fixed to another number: all inner values are kept.
    private static let batch = 10

    /// Calls `body` with every output, and the input, of all images.
    func forEach(_ phase: String, _ body: (String, Tensor) throws -> Void) throws {
        let fixed: Int? = if case .fixed(let size)? = input.shape.first { size } else { nil }
        let size = max(1, fixed ?? Self.batch)
        progress.begin(phase, total: images.count)
        var first = 0
        while first < images.count {
            let range = first..<min(first + size, images.count)
            // Images of before fill a batch that is fixed, so that nothing else is counted.
            let filled =
                fixed == nil
                ? Array(range) : (0..<size).map { range.lowerBound + $0 % range.count }
            let batch = try images.batch(filled, preprocessing: preprocessing)
            try body(input.name, batch)
            for (name, tensor) in try session.run([input.name: batch]) { try body(name, tensor) }
            try progress.advance(range.count, tensor: "")
            first = range.upperBound
        }
    }
}

extension Networks.Operation {
    /// Whether hardware computes it element by element on what a layer gives.
    fileprivate var keepsShape: Bool {
        switch self {
        case .batchNormalization, .unary, .binary: true
        default: false
        }
    }
}
