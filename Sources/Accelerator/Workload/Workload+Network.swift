import Networks

extension Workload {
    /// The layers of a network, with what its weights are: masks and coefficients of packed ones,
    /// zeros of dense ones.
    ///
    /// - Parameters:
    ///   - densities: what is assumed of activations, and of weights without any zero.
    ///   - inputShapes: as for ``Network/inferred(inputShapes:)``. Layers are counted for one image:
    ///     the first dimension of the first input is the batch.
    /// - Throws: ``AcceleratorError`` `.invalidWorkload` for densities that cannot be or a network
    ///   without layers, ``NetworkError`` for a network whose shapes cannot be inferred.
    public init(
        network: Network, assuming densities: AssumedDensities = .init(),
        inputShapes: [String: [Int]] = [:]
    ) throws {
        try self.init(
            network, network.weightSites, densities, inputShapes: inputShapes)
    }

    /// The layers of a built-in network, without drawing its weights.
    ///
    /// - Throws: ``AcceleratorError`` for densities that cannot be, ``NetworkError`` for a name that
    ///   there is not.
    public init(zoo name: String, assuming densities: AssumedDensities = .init()) throws {
        let outline = try Zoo.draft(name).outline
        try self.init(outline.network, outline.weightSites, densities, inputShapes: [:])
    }

    private init(
        _ network: Network, _ sites: [WeightSite], _ densities: AssumedDensities,
        inputShapes: [String: [Int]]
    ) throws {
        try densities.check()
        let info = try network.inferred(inputShapes: inputShapes)
        var siteOfNode: [String: WeightSite] = [:]
        for site in sites where !site.isTable {
            for node in site.nodes { siteOfNode[node] = site }
        }
        let batch = network.inputs.first.flatMap { info[$0.name]?.shape.first } ?? 1
        var layers: [LayerWorkload] = []
        var others: [String: Int] = [:]
        // Values that depend on a parameter, so that gradients have to reach them.
        var learned = Set<String>()
        for node in network.nodes {
            let site = siteOfNode[node.name]
            let found = site.flatMap { FoundLayer(node, $0, info, batch: batch) }
            let isLearned =
                site != nil || node.inputs.contains { learned.contains($0) }
                || node.inputs.contains { network.parameters[$0]?.kind == .float32 }
            defer { if isLearned { learned.formUnion(node.outputs) } }
            guard let site, let found else {
                if !node.operation.isFree { others[node.operation.name, default: 0] += 1 }
                continue
            }
            let weights =
                network.parameters[site.name].map {
                    WeightProfile(
                        found.shape, $0, isTransposed: site.isTransposed, assuming: densities)
                } ?? WeightProfile(found.shape, assuming: densities)
            layers.append(
                LayerWorkload(
                    name: node.name, operation: found.kind, shape: found.shape,
                    weights: weights,
                    activations: ActivationProfile(assuming: densities),
                    passesGradient: learned.contains(found.data)))
        }
        guard !layers.isEmpty else {
            throw AcceleratorError(
                .invalidWorkload, ["it has no convolution and no product with constant weights"],
                path: network.name)
        }
        self.init(
            name: network.name, layers: layers,
            notModelled: others.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" })
    }
}

extension ActivationProfile {
    /// Activations as assumed; dense where nothing is, with the default number of Booth digits.
    public init(assuming densities: AssumedDensities = .init()) {
        func sourced(_ value: Double?, _ fallback: Double, _ otherwise: Provenance) -> Sourced<
            Double
        > {
            value.map { Sourced($0, .assumed) } ?? Sourced(fallback, otherwise)
        }
        let elements = sourced(densities.activations, 1, .shapes)
        self.init(
            rowDensity: sourced(densities.activationRows, 1, .shapes), elementDensity: elements,
            outputDensity: elements,
            meanDigits: sourced(
                densities.boothDigits, AssumedDensities.defaultBoothDigits, .assumed))
    }
}

/// A layer's loops, what kind it is, and the value that it takes.
private struct FoundLayer {
    let shape: LayerShape
    let kind: LayerWorkload.Kind
    let data: String

    /// Nil for what is no convolution of one or two dimensions and no product.
    init?(_ node: Node, _ site: WeightSite, _ info: [String: ValueInfo], batch: Int) {
        guard let output = node.outputs.first.flatMap({ info[$0]?.shape }) else { return nil }
        switch node.operation {
        case .conv(let conv):
            guard let data = node.input(0), let input = info[data]?.shape,
                let window = try? conv.resolved(input: input), conv.kernel.count <= 2,
                output.allSatisfy({ $0 > 0 })
            else { return nil }
            // A dimension that is not there has one row.
            func pair(_ values: [Int], _ none: Int = 1) -> (Int, Int) {
                values.count == 2 ? (values[0], values[1]) : (none, values[0])
            }
            let pads = zip(window.padsBegin, window.padsEnd).map { $0 + $1 }
            self.data = data
            shape = LayerShape(
                channels: input[1], filters: output[1], kernel: pair(conv.kernel),
                stride: pair(conv.strides), padding: pair(pads, 0),
                input: pair(Array(input[2...])), output: pair(Array(output[2...])),
                groups: conv.groups)
            kind = conv.groups > 1 && conv.groups == input[1] ? .depthwise : .conv
        case .gemm, .matMul:
            let first = node.input(0)
            guard let data = first == site.name ? node.input(1) : first else { return nil }
            let (filters, channels) = (site.shape[0], site.shape[1])
            let rows = output.reduce(1, *) / max(filters, 1)
            guard rows > 0, channels > 0 else { return nil }
            // What is not the batch are the positions of a sequence.
            let positions = rows % max(batch, 1) == 0 ? rows / max(batch, 1) : rows
            self.data = data
            shape = LayerShape(
                channels: channels, filters: filters, input: (1, positions), output: (1, positions))
            kind = positions > 1 ? .matMul : .linear
        default: return nil
        }
    }
}

extension Networks.Operation {
    /// Whether it only names or arranges values.
    fileprivate var isFree: Bool {
        switch self {
        case .unary(.identity), .reshape, .flatten, .squeeze, .unsqueeze, .shape,
            .constantOfShape, .range, .cast:
            true
        default: false
        }
    }
}
