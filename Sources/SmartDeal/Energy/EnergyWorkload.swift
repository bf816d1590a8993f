import Accelerator
import Decomposition
import DenseMath
import ModelFiles
import Networks
import PowerOfTwo

/// A network's layers as the accelerator model takes them, and where their numbers come from.
public struct EnergyWorkload: Sendable {
    public var workload: Workload
    /// Where weights and activations come from, a line each.
    public var sources: [String]
    /// ‖W - rebuilt‖ / ‖W‖ over the weights that were compressed for this; nil when none was.
    public var relativeError: Double?
}

/// A network whose energy is asked for.
public struct EnergyModel: Sendable {
    /// The file's path, or the name of the built-in network.
    public let name: String
    /// Images to measure activations on, or nil.
    public var images: Dataset?
    public var split = Dataset.Split.test
    /// Shapes of inputs by name, where the file leaves dimensions open that are not 1.
    public var inputShapes: [String: [Int]] = [:]
    public var threads = ParallelLoop.availableThreads
    /// Seed of a built-in network's weights and of compression.
    public let seed: UInt64
    /// The file's network; a built-in one has its weights drawn only when they matter.
    private let loaded: LoadedNetwork?

    /// The file's network; nil for a built-in one.
    public var network: Network? { loaded?.network }

    /// - Throws: as ``LoadedNetwork/init(_:seed:)``.
    public init(_ name: String, seed: UInt64 = 0) throws {
        self.name = name
        self.seed = seed
        loaded = LoadedNetwork.isBuiltIn(name) ? nil : try LoadedNetwork(path: name)
    }

    /// The layers, compressed first when a recipe is given.
    ///
    /// - Throws: ``SmartDealError`` `.alreadyCompressed`, `.datasetMismatch`, `.interrupted`;
    ///   ``AcceleratorError``, ``DecompositionError``, ``NetworkError``.
    public func workload(
        recipe: Recipe? = nil, assuming densities: AssumedDensities = .init(),
        progress: TaskProgress = TaskProgress()
    ) throws -> EnergyWorkload {
        if loaded == nil, recipe == nil, images == nil {
            return EnergyWorkload(
                workload: try Workload(zoo: name, assuming: densities),
                sources: ["weights: only their shapes are known"])
        }
        var network = try loaded?.network ?? LoadedNetwork(builtIn: name, seed: seed).network
        var result = EnergyWorkload(
            workload: Workload(name: name, layers: []), sources: [], relativeError: nil)
        result.sources.append(weightSource)
        if let recipe {
            guard !network.isCompressed else {
                throw SmartDealError(
                    .alreadyCompressed, "it is in SmartDeal form; a recipe is for dense weights",
                    path: name)
            }
            let dense = network
            let recipe = ownMode(recipe)
            network = try compressed(dense, recipe, progress: progress)
            result.relativeError = dense.relativeError(of: network)
            result.sources.append(
                "weights: compressed, \(recipe.summary); relative error "
                    + "\(HumanNumber.percent(result.relativeError)), accuracy not looked at")
        }
        result.workload = try Workload(
            network: network, assuming: densities, inputShapes: inputShapes)
        if let images {
            let measurement = try ActivationMeasurement(
                network, on: images, threads: threads, progress: progress)
            measurement.apply(to: &result.workload)
            result.sources.append(
                "activations: measured on \(images.count) images of \(images.name) (\(split)), "
                    + "as signed 8-bit numbers, the largest of a layer's being 127")
        }
        return result
    }

    private var weightSource: String {
        loaded == nil
            ? "weights: drawn at random, seed \(seed); densities say what the recipe does, not "
                + "what a trained network has"
            : "weights: those of the model file"
    }

    /// Random weights are compressed the quick way unless the recipe says how, because their values
    /// say nothing.
    private func ownMode(_ recipe: Recipe) -> Recipe {
        guard loaded == nil, recipe.bits == nil else { return recipe }
        var result = recipe
        result.defaults.insert(.init("mode", .text(Mode.fast.rawValue)), at: 0)
        return result
    }

    /// The network with its weights in SmartDeal form.
    private func compressed(
        _ network: Network, _ recipe: Recipe, progress: TaskProgress
    ) throws -> Network {
        var recipe = recipe
        if let bits = recipe.bits {
            recipe = try recipe.allocated(
                bits: bits, to: network, threads: threads, seed: seed, progress: progress)
        }
        let total = network.weightSites.reduce(0) { $0 + $1.shape.reduce(1, *) }
        progress.begin("compressing", total: total)
        return try network.compressed(recipe: recipe, threads: threads, seed: seed) {
            try progress.advance($0, tensor: $1)
        }
    }
}

extension Recipe {
    /// The recipe with symbols and weights a row chosen for every weight, for an average of `bits`.
    fileprivate func allocated(
        bits: Double, to network: Network, threads: Int, seed: UInt64, progress: TaskProgress
    ) throws -> Recipe {
        var requests: [RateAllocation.Request] = []
        for site in network.weightSites {
            guard case .dense(let dense)? = network.parameters[site.name] else { continue }
            let options = try options(for: site.name, kind: LayerKind(site))
            guard !options.skip, dense.count > 0, options.mode == .best, options.nibbles == nil,
                options.basisWidth == nil
            else { continue }
            let matrix = site.isTransposed ? dense.transposed() : dense
            requests.append(
                RateAllocation.Request(
                    tensor: WeightTensor(
                        name: site.name, shape: site.shape, weights: matrix.floats),
                    options: options, headerBytes: 0))
        }
        guard !requests.isEmpty else {
            throw DecompositionError(
                .invalidOption,
                "bits chooses nibbles and basis-width of weights in best mode, and the recipe "
                    + "leaves none to choose for")
        }
        let tensors = requests.map(\.tensor)
        progress.begin("sampling", total: tensors.reduce(0) { $0 + $1.weightCount })
        let chosen = try RateAllocation.allocate(
            requests, bits: bits, threads: threads, seed: seed
        ) { try progress.advance(tensors[$0].weightCount, tensor: tensors[$0].name) }
        var result = self
        for (tensor, options) in zip(tensors, chosen) {
            let numbers = [
                ("nibbles", options.nibbles), ("basis-width", options.basisWidth),
                ("filters-per-basis", options.filtersPerBasis),
            ]
            result.rules.append(
                Rule(
                    Glob(tensor.name),
                    numbers.compactMap { key, number in
                        number.map { Setting(key, .number(Double($0))) }
                    }))
        }
        return result
    }
}

extension Network {
    /// Whether any weight is in SmartDeal form.
    fileprivate var isCompressed: Bool {
        parameters.values.contains { if case .smartDeal = $0 { true } else { false } }
    }

    /// ‖W - W'‖ / ‖W‖ over the weights that are packed in another network of the same weights; nil
    /// when none is.
    fileprivate func relativeError(of other: Network) -> Double? {
        var difference = 0.0
        var size = 0.0
        // In an order, so that the sums are the same in every run.
        for name in other.parameters.keys.sorted() {
            guard case .smartDeal(let packed)? = other.parameters[name],
                let own = parameters[name]
            else { continue }
            let rebuilt = packed.rebuilt().floats
            for (a, b) in zip(own.tensor.floats, rebuilt) {
                difference += Double(a - b) * Double(a - b)
                size += Double(a) * Double(a)
            }
        }
        return size > 0 ? (difference / size).squareRoot() : nil
    }
}
