import PowerOfTwo

/// The structural mask of a group of filters: one choice of positions for all of them.
///
/// A position is one (input channel, kernel row) of a convolution, or one input of a 1x1
/// convolution or linear layer; its size is Σ|W| over the filters of the group and the kernel's
/// width.
///
/// - Source: the authors' structural pruning, SmartExchange (arXiv 2005.03403) and SmartDeal.
enum StructuralPruning {
    /// Returns the positions to keep, or nil when all are kept.
    ///
    /// - Parameters:
    ///   - weights: `[filters, filterLength]` of one group.
    static func mask(
        of weights: UnsafeBufferPointer<Float>, _ geometry: WeightGeometry, _ options: LayerOptions
    ) -> BitMask? {
        guard let amount = options.prune else { return nil }
        let unit = geometry.unit
        let positions = geometry.positionCount
        var sizes = [Double](repeating: 0, count: positions)
        for filter in 0..<(weights.count / geometry.filterLength) {
            for position in 0..<positions {
                let begin = filter * geometry.filterLength + position * unit
                for i in begin..<(begin + unit) { sizes[position] += Double(abs(weights[i])) }
            }
        }
        let rising = (0..<positions).sorted { (sizes[$0], $0) < (sizes[$1], $1) }
        let dropped: Int
        switch options.pruneKind {
        case .population:
            dropped = Int((amount * Double(positions)).rounded(.up))
        case .value:
            dropped = rising.prefix { sizes[$0] < amount }.count
        case .energy:
            let total = sizes.reduce(0, +)
            var held = 0.0
            var kept = 0
            while kept < positions, held < amount * total {
                held += sizes[rising[positions - 1 - kept]]
                kept += 1
            }
            dropped = positions - kept
        }
        guard dropped > 0 else { return nil }
        var mask = BitMask(count: positions, repeating: true)
        for position in rising.prefix(dropped) { mask[position] = false }
        return mask
    }
}
