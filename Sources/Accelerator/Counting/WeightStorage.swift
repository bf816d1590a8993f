/// Words of one kind of data.
struct Stream {
    var data: DataKind
    var words: Double
    var bits: Double

    var bytes: Double { words * bits / 8 }
}

/// A layer's weights as an accelerator stores them.
struct StoredWeights {
    var streams: [Stream]
    /// Coefficients that are multiplied when all weights are rebuilt, and weights a row.
    var rebuilt: (coefficients: Double, width: Double)?

    var bytes: Double { streams.reduce(0) { $0 + $1.bytes } }
}

extension AcceleratorConfig {
    /// How a layer's weights are stored.
    ///
    /// - Source: of the SmartDeal form the authors' accounting: 4 bits a coefficient, one index bit
    ///   a coefficient, a row, or a row of 32 filters, 8 bits an element of a basis.
    func stored(_ layer: LayerWorkload, policy: SparsityPolicy) -> StoredWeights {
        let count = Double(layer.shape.weights)
        let kept = count * keptWeights(layer, policy)
        switch weightFormat {
        case .dense: return dense(count)
        case .bitmap:
            return StoredWeights(streams: [
                Stream(data: .weight, words: kept, bits: bits.weight),
                Stream(data: .index, words: count, bits: 1),
            ])
        case .runLength:
            return StoredWeights(streams: [
                Stream(data: .weight, words: kept, bits: bits.weight),
                Stream(data: .index, words: kept, bits: bits.runLength),
            ])
        case .smartdeal:
            let packed = coefficients(layer.weights.coefficients.value)
            // Few weights of many bases, as depthwise ones, stay as they are unless the model
            // really stores them so.
            return layer.weights.coefficients.provenance != .measured
                && packed.bytes > dense(count).bytes ? dense(count) : packed
        }
    }

    /// Share of weights that a design without coefficients stores.
    func keptWeights(_ layer: LayerWorkload, _ policy: SparsityPolicy) -> Double {
        switch policy {
        case .sameMasks: layer.weights.elementDensity.value
        case .ownPruning: layer.weights.prunedDensity.value
        }
    }

    private func dense(_ count: Double) -> StoredWeights {
        StoredWeights(streams: [Stream(data: .weight, words: count, bits: bits.weight)])
    }

    private func coefficients(_ counts: CoefficientCounts) -> StoredWeights {
        let (codes, indexBits) =
            switch index {
            case .element: (counts.nonzeroCodes, counts.codes)
            case .row: (counts.nonzeroRows * counts.codesPerRow, counts.rows)
            case .group: (counts.nonzeroRows * counts.codesPerRow, counts.groupPositions)
            }
        return StoredWeights(
            streams: [
                Stream(data: .coefficient, words: codes, bits: bits.coefficient),
                Stream(data: .index, words: indexBits, bits: 1),
                Stream(
                    data: .basis, words: counts.basisElements + counts.scales * 16 / bits.basis,
                    bits: bits.basis),
            ], rebuilt: (counts.nonzeroCoefficients, counts.width))
    }

    /// Activations as they are in DRAM.
    func storedActivations(_ count: Double, density: Double, _ data: DataKind) -> [Stream] {
        switch activationFormat {
        case .dense: [Stream(data: data, words: count, bits: bits.activation)]
        case .bitmap:
            [
                Stream(data: data, words: count * density, bits: bits.activation),
                Stream(data: .index, words: count, bits: 1),
            ]
        case .runLength:
            [
                Stream(data: data, words: count * density, bits: bits.activation),
                Stream(data: .index, words: count * density, bits: bits.runLength),
            ]
        }
    }
}
