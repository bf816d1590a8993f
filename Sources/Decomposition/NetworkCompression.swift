import Networks
import DenseMath
import PowerOfTwo

extension Network {
    /// The network with its weights in SmartDeal form, those that a recipe skips and those that
    /// would not become smaller left as they are.
    ///
    /// - Parameters:
    ///   - threads: threads to use.
    ///   - seed: of what is drawn at random.
    ///   - progress: called with the weights done after each tensor; may throw to stop.
    /// - Throws: ``DecompositionError``.
    public func compressed(
        recipe: Recipe = Recipe(), threads: Int = 1, seed: UInt64 = 0,
        progress: (_ weights: Int, _ tensor: String) throws -> Void = { _, _ in }
    ) throws -> Network {
        var result = self
        let sites = weightSites
        try recipe.check(against: sites.map(\.name))
        for site in sites {
            guard case .dense(let dense)? = parameters[site.name] else { continue }
            let kind = LayerKind(site)
            let options = try recipe.options(for: site.name, kind: kind)
            guard !options.skip, dense.count > 0 else { continue }
            let matrix = site.isTransposed ? dense.transposed() : dense
            let weight = WeightTensor(name: site.name, shape: site.shape, weights: matrix.floats)
            let packed = try WeightCompressor(options: options, threads: threads, seed: seed)
                .compress(weight).weight
            if packed.byteCount < dense.count * dense.kind.byteCount {
                result.parameters[site.name] = .smartDeal(
                    CompressedParameter(packed, isTransposed: site.isTransposed))
            }
            try progress(dense.count, site.name)
        }
        return result
    }
}

extension LayerKind {
    /// The kind of a weight, by what its operations do with it.
    public init(_ site: WeightSite) {
        let kind = LayerKind(name: "", shape: site.shape)
        self = site.isTable && kind == .linear ? .embedding : kind
    }
}
