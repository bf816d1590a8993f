import SmartDeal

/// A way of writing weights as symbols, as a mode of compression uses it.
enum SymbolForm: String, CaseIterable {
    /// Three symbols of two coefficients for three weights.
    case best
    /// One symbol of two coefficients a weight.
    case fast
    /// The authors': as many symbols of one coefficient as weights.
    case authors
    /// As `best`, with half of all positions pruned.
    case bestHalfPruned
    /// As `fast`, with half of all positions pruned.
    case fastHalfPruned
    /// As `best`, with four fifths of all positions pruned.
    case bestMostlyPruned
    /// As `fast`, with four fifths of all positions pruned.
    case fastMostlyPruned

    /// Those whose bytes are counted for all layers that are rebuilt.
    static let stored: [SymbolForm] = [.best, .fast, .authors, .bestHalfPruned, .fastHalfPruned]

    /// With symbols a row (n), weights a row (S), coefficients a symbol (c).
    var title: String {
        switch self {
        case .best: "best n=3 S=3 c=2"
        case .fast: "fast n=1 S=1 c=2"
        case .authors: "authors n=3 S=3 c=1"
        case .bestHalfPruned: "best n=3 S=3 c=2, 50 % of positions pruned"
        case .fastHalfPruned: "fast n=1 S=1 c=2, 50 % of positions pruned"
        case .bestMostlyPruned: "best n=3 S=3 c=2, 80 % of positions pruned"
        case .fastMostlyPruned: "fast n=1 S=1 c=2, 80 % of positions pruned"
        }
    }

    /// The share of positions that is not pruned.
    var keptShare: Double {
        switch self {
        case .best, .fast, .authors: 1
        case .bestHalfPruned, .fastHalfPruned: 0.5
        case .bestMostlyPruned, .fastMostlyPruned: 0.2
        }
    }

    var options: LayerOptions {
        var options = LayerOptions()
        switch self {
        case .best, .bestHalfPruned, .bestMostlyPruned: options.mode = .best
        case .fast, .fastHalfPruned, .fastMostlyPruned: options.mode = .fast
        case .authors: options.mode = .reference
        }
        if keptShare < 1 { options.prune = 1 - keptShare }
        return options
    }
}

/// Packed weights of whole layers. One group of 32 filters is compressed and repeated as often as
/// the layer has groups, because speed and size do not depend on what the symbols are.
final class LayerWeights {
    private struct Key: Hashable {
        let layer: Layer
        let form: SymbolForm
    }

    private var known: [Key: SmartDealWeight] = [:]

    func weight(_ layer: Layer, _ form: SymbolForm) throws -> SmartDealWeight {
        let key = Key(layer: layer, form: form)
        if let weight = known[key] { return weight }
        let size = WeightGeometry.groupSize
        let one = Layer(name: layer.name, shape: [size] + layer.shape.dropFirst())
        let group = try WeightCompressor(options: form.options)
            .compress(SeededWeights.gaussian.tensor(one)).weight
        let weight = try group.repeated(layer.shape[0] / size, shape: layer.shape)
        known[key] = weight
        return weight
    }
}

extension SmartDealWeight {
    /// The weight of `times` as many filters, all groups alike.
    fileprivate func repeated(_ times: Int, shape: [Int]) throws -> SmartDealWeight {
        func repeated<Element>(_ elements: [Element]) -> [Element] {
            var result: [Element] = []
            result.reserveCapacity(elements.count * times)
            for _ in 0..<times { result += elements }
            return result
        }
        let basis: Basis =
            switch self.basis {
            case .int8(let elements): .int8(repeated(elements))
            case .float32(let elements): .float32(repeated(elements))
            }
        return try SmartDealWeight(
            geometry: WeightGeometry(
                shape: shape, unit: geometry.unit, width: geometry.width,
                nibbles: geometry.nibbles, rowsPerSlice: geometry.rowsPerSlice,
                filtersPerBasis: geometry.filtersPerBasis, layout: geometry.layout),
            alphabet: alphabet, symbols: repeated(symbols), rowMask: rowMask.map(repeated),
            groupMask: groupMask.map(repeated), basis: basis,
            scales: scales.map {
                try FilterScales(halves: repeated($0.halves), exponent: $0.exponent)
            })
    }
}
