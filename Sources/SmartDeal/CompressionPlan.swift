import Decomposition
import ModelFiles
import PowerOfTwo

/// What a compression will do to each tensor of a model, decided before any work.
public struct CompressionPlan: Sendable {
    /// What happens to one tensor.
    public enum Decision: Sendable {
        /// It is copied, for the given reason.
        case keep(reason: String)
        /// It is compressed.
        case compress(LayerOptions)
    }

    /// One tensor and its decision.
    public struct Item: Sendable {
        public let tensor: ModelDocument.Tensor
        public let decision: Decision
        public let kind: LayerKind
    }

    public let model: ModelDocument
    public internal(set) var items: [Item]

    /// Decides for all tensors of a model.
    ///
    /// - Parameters:
    ///   - include: when not empty, only tensors that one of these matches are compressed.
    ///   - exclude: tensors that one of these matches are not.
    /// - Throws: ``DecompositionError`` for patterns that no tensor has and options that break a
    ///   rule; ``SmartDealError`` `.alreadyCompressed`.
    public init(
        _ model: ModelDocument, recipe: Recipe, include: [Glob] = [], exclude: [Glob] = [],
        takesCompressed: Bool = false
    ) throws {
        guard !model.isCompressed || takesCompressed else {
            throw SmartDealError(
                .alreadyCompressed, "it is in SmartDeal form; restore it first",
                path: model.path)
        }
        self.model = model
        let names = model.tensors.map(\.name)
        try recipe.check(against: names)
        var patterns = Recipe()
        patterns.rules = (include + exclude).map { Recipe.Rule($0, []) }
        try patterns.check(against: names)
        let taken = Set(names)
        items = try model.tensors.map { tensor in
            let kind = LayerKind(tensor)
            func item(_ decision: Decision) -> Item {
                Item(tensor: tensor, decision: decision, kind: kind)
            }
            guard !model.isCompressed else {
                return item(.keep(reason: "the model is compressed"))
            }
            if exclude.contains(where: { $0.matches(tensor.name) }) {
                return item(.keep(reason: "excluded"))
            }
            if !include.isEmpty, !include.contains(where: { $0.matches(tensor.name) }) {
                return item(.keep(reason: "not included"))
            }
            guard tensor.elementType?.isWeightType == true else {
                return item(.keep(reason: "\(tensor.typeName) is no weight type"))
            }
            guard kind != .vector else { return item(.keep(reason: "bias or statistics")) }
            if let obstacle = tensor.obstacle { return item(.keep(reason: obstacle)) }
            guard tensor.elementCount > 0 else { return item(.keep(reason: "empty")) }
            let options = try recipe.options(for: tensor.name, kind: kind)
            guard !options.skip else { return item(.keep(reason: "skipped by the recipe")) }
            let parts = PackedTensor.suffixes.map { tensor.name + $0 }
            guard taken.isDisjoint(with: parts) else {
                return item(.keep(reason: "the names of its parts are taken"))
            }
            guard try Self.predictedBytes(tensor, kind, options) < tensor.byteCount else {
                return item(.keep(reason: "too small to gain"))
            }
            return item(.compress(options))
        }
    }

    /// Sets symbols and weights a row of all weights for an average of `bits` a weight in the
    /// file.
    mutating func allocate(
        bits: Double, recipe: Recipe, threads: Int, seed: UInt64, progress: TaskProgress
    ) throws {
        let indexes = items.indices.filter {
            if case .compress(let options) = items[$0].decision {
                return options.mode == .best && options.nibbles == nil && options.basisWidth == nil
            }
            return false
        }
        let compresses = items.contains { if case .compress = $0.decision { true } else { false } }
        guard !indexes.isEmpty || !compresses else {
            throw DecompositionError(
                .invalidOption,
                "bits chooses nibbles and basis-width of weights in best mode, and the recipe "
                    + "leaves none to choose for")
        }
        let requests = indexes.compactMap { index -> RateAllocation.Request? in
            guard case .compress(let options) = items[index].decision else { return nil }
            let tensor = items[index].tensor
            return RateAllocation.Request(
                tensor: model.weightTensor(tensor), options: options,
                headerBytes: headerBytes(tensor, options)
                    + (index == indexes[0] ? headerBytes(recipe) : 0))
        }
        progress.begin("sampling", total: requests.reduce(0) { $0 + $1.tensor.weightCount })
        let options = try RateAllocation.allocate(
            requests, bits: bits, threads: threads, seed: seed
        ) { index in
            let tensor = requests[index].tensor
            try progress.advance(tensor.weightCount, tensor: tensor.name)
        }
        for (index, options) in zip(indexes, options) {
            items[index] = Item(
                tensor: items[index].tensor, decision: .compress(options),
                kind: items[index].kind)
        }
    }

    /// Bytes of a compressed tensor's payload, as far as they are known before.
    static func predictedBytes(
        _ tensor: ModelDocument.Tensor, _ kind: LayerKind, _ options: LayerOptions
    ) throws -> Int {
        let shape = WeightTensor(
            name: tensor.name, shape: tensor.weightShape, kind: kind, read: { _, _ in })
        return try RateAllocation.predictedBytes(shape, options)
    }

    /// Bytes of the file that no tensor needs, about: version, alphabet, recipe, padding; in ONNX
    /// also the shared tables.
    func headerBytes(_ recipe: Recipe) -> Int {
        let isMasked = items.contains {
            if case .compress(let options) = $0.decision { options.dropsRows } else { false }
        }
        let tables = model.onnx == nil ? 0 : isMasked ? 1300 : 650
        return 250 + recipe.summary.utf8.count + tables
    }

    /// Bytes that a compressed tensor takes beside its payload, about.
    func headerBytes(_ tensor: ModelDocument.Tensor, _ options: LayerOptions) -> Int {
        guard model.onnx == nil else {
            // The operators that rebuild it, and a description with the name.
            let prune = options.prune == nil ? 0 : options.mode == .reference ? 220 : 900
            return 670 + 2 * tensor.name.utf8.count + (options.rowSparsity ? 200 : 0) + prune
        }
        // Three parts of some 75 bytes and a description of some 140, the name in each.
        return 365 + 4 * tensor.name.utf8.count + (options.prune == nil ? 0 : 80)
    }
}

extension LayerOptions {
    fileprivate var dropsRows: Bool { rowSparsity || prune != nil }
}

extension LayerKind {
    /// What a tensor is to the operators that use it, or else by name and shape.
    init(_ tensor: ModelDocument.Tensor) {
        guard let use = tensor.use else {
            self.init(name: tensor.name, shape: tensor.shape)
            return
        }
        let kind = LayerKind(name: "", shape: tensor.weightShape)
        if use.isTable {
            self = .embedding
        } else {
            self = kind == .depthwise && !use.isDepthwise ? .conv : kind
        }
    }
}
