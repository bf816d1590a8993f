import PowerOfTwo

/// `fast` mode: every weight is one symbol, so that a basis is two numbers that span 16 levels and
/// assignment is counting midpoints. The levels are found once for the tensor; what differs between
/// places in it, long tails included, the scales of short slices take up.
struct ScalarFitter: GroupFitter {
    /// What there is to choose from: even levels, and levels that grow by doubling, for long tails.
    static let alphabets = [Alphabet.quarters, .octaves]

    let alphabet: Alphabet
    let geometry: WeightGeometry
    let options: LayerOptions
    /// The levels in units of their stored basis, and what a root mean square is multiplied by to
    /// be the scale of that basis.
    private let levels: ScalarLevels
    private let factor: Float
    private let integers: [Int8]

    /// Groups that the levels are fitted to, and weights of them.
    private static let sampledGroups = 2
    private static let sampledWeights = 4096

    /// Fits the levels to a sample of `tensor`, with the alphabet that suits it best unless the
    /// options name one.
    init(for tensor: WeightTensor, geometry: WeightGeometry, options: LayerOptions) {
        self.geometry = geometry
        self.options = options
        let sample = Self.sample(of: tensor, geometry, options)
        var best: (gain: Double, alphabet: Alphabet, levels: ScalarLevels)?
        for alphabet in options.alphabet.map({ [$0] }) ?? Self.alphabets {
            var levels = ScalarLevels(alphabet: alphabet)
            let gain = levels.fit(sample)
            if best.map({ gain > $0.gain }) ?? true { best = (gain, alphabet, levels) }
        }
        alphabet = best?.alphabet ?? .quarters
        var levels = best?.levels ?? ScalarLevels(alphabet: .quarters)
        let elements = levels.basis.map { Float($0) }
        if options.basisBits == 32 {
            (integers, factor) = ([], 1)
            levels.use(elements.map { Double($0) })
        } else {
            (integers, factor) = IntegerBasis.rounded(elements)
            levels.use(integers.map { Double($0) })
        }
        self.levels = levels
    }

    func fit(_ weights: UnsafeBufferPointer<Float>, group: Int) -> GroupFit {
        let kept = KeptWeights(weights, geometry, options)
        var result = GroupFit(
            kept.layout, mask: kept.mask, filters: kept.filters, nibbles: 1)
        result.droppable = Array(repeating: nil, count: kept.filters)
        kept.forEachSlice { slice in
            let scale = FilterScales.rounded(Self.rootMeanSquare(slice) * factor)
            result.scales.append(scale)
            result.appendPlanes(rows: slice.count) { _, symbols in
                guard let from = slice.baseAddress else { return }
                ShiftKernels.selected.nearestLevels(
                    count: slice.count, x: from, factor: scale > 0 ? 1 / scale : 0,
                    midpoints: levels.midpoints, order: levels.order, symbols: symbols)
            }
        }
        let runs =
            (kept.filters + geometry.filtersPerBasis - 1) / geometry.filtersPerBasis
            * geometry.sliceCount
        for _ in 0..<runs {
            if options.basisBits == 32 {
                result.floatBasis += levels.basis.map { Float($0) }
            } else {
                result.integerBasis += integers
            }
        }
        return result
    }

    /// Evenly spread weights of a few groups, each divided by its slice's root mean square.
    private static func sample(
        of tensor: WeightTensor, _ geometry: WeightGeometry, _ options: LayerOptions
    ) -> [Float] {
        let groups = min(sampledGroups, geometry.groupCount)
        var result: [Float] = []
        for index in 0..<groups {
            let filters = geometry.filters(ofGroup: index * geometry.groupCount / groups)
            let weights = tensor.weights(ofFilters: filters)
            let step = max(1, weights.count * groups / sampledWeights)
            weights.withUnsafeBufferPointer { weights in
                var next = 0
                KeptWeights(weights, geometry, options).forEachSlice { slice in
                    let size = rootMeanSquare(slice)
                    while next < slice.count {
                        if size > 0 { result.append(slice[next] / size) }
                        next += step
                    }
                    next -= slice.count
                }
            }
        }
        return result
    }

    /// 0 for weights so small that dividing by their size overflows.
    private static func rootMeanSquare(_ weights: UnsafeBufferPointer<Float>) -> Float {
        guard !weights.isEmpty else { return 0 }
        let mean = SquaredDistance.squares(weights) / Double(weights.count)
        let size = Float(mean.squareRoot())
        return (1 / size).isFinite ? size : 0
    }
}

/// The weights of a group that its structural mask keeps, moved together filter by filter.
private struct KeptWeights {
    let mask: BitMask?
    let layout: RowLayout
    let filters: Int
    private let weights: UnsafeBufferPointer<Float>
    private let moved: [Float]

    init(
        _ weights: UnsafeBufferPointer<Float>, _ geometry: WeightGeometry, _ options: LayerOptions
    ) {
        mask = StructuralPruning.mask(of: weights, geometry, options)
        layout = RowLayout(geometry, mask: mask)
        filters = weights.count / geometry.filterLength
        self.weights = weights
        guard mask != nil else {
            moved = []
            return
        }
        let layout = layout
        let count = filters
        var moved = [Float](repeating: 0, count: count * layout.rowCount)
        moved.withUnsafeMutableBufferPointer { moved in
            guard let to = moved.baseAddress, let from = weights.baseAddress else { return }
            for filter in 0..<count {
                layout.gather(
                    from + filter * geometry.filterLength, into: to + filter * layout.rowCount)
            }
        }
        self.moved = moved
    }

    /// Calls `body` for every slice of every filter, empty ones included.
    func forEachSlice(_ body: (UnsafeBufferPointer<Float>) -> Void) {
        func visit(_ all: UnsafeBufferPointer<Float>) {
            var begin = 0
            for _ in 0..<filters {
                for rows in layout.rowsOfSlice {
                    body(UnsafeBufferPointer(rebasing: all[begin..<(begin + rows)]))
                    begin += rows
                }
            }
        }
        if mask == nil {
            visit(weights)
        } else {
            moved.withUnsafeBufferPointer(visit)
        }
    }
}
