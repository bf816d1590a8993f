import DenseMath
import Networks

extension WeightProfile {
    /// A layer's weights as assumed; dense where nothing is.
    public init(_ shape: LayerShape, assuming densities: AssumedDensities = .init()) {
        func sourced(_ value: Double?, _ fallback: Double) -> Sourced<Double> {
            value.map { Sourced($0, .assumed) }
                ?? Sourced(fallback, densities.weightRows == nil ? .shapes : .assumed)
        }
        let rows = sourced(densities.weightRows, 1)
        let coefficients = sourced(densities.coefficients, rows.value)
        self.init(
            rowDensity: rows, elementDensity: rows,
            prunedDensity: sourced(densities.prunedWeights, coefficients.value),
            coefficients: Sourced(
                CoefficientCounts(
                    slicing: shape, rowDensity: rows.value,
                    density: min(rows.value, coefficients.value)),
                coefficients.provenance))
    }

    /// A layer's weights as the network has them; as assumed where they are dense and something is
    /// assumed of them.
    init(
        _ shape: LayerShape, _ parameter: Parameter, isTransposed: Bool,
        assuming densities: AssumedDensities
    ) {
        let tensor: Tensor
        switch parameter {
        case .dense(let dense): tensor = isTransposed ? dense.transposed() : dense
        case .smartDeal(let packed): tensor = CompressedParameter(packed.weight).rebuilt()
        }
        let (counts, nonzeros) = tensor.withFloats { Self.count($0, shape) }
        let kernelRows = shape.filters * shape.channelsPerGroup * shape.kernelHeight
        let rowDensity = Double(counts.total) / Double(kernelRows)
        let elementDensity = Double(nonzeros) / Double(shape.weights)
        let form: Sourced<CoefficientCounts>
        var pruned = Sourced(elementDensity, Provenance.measured)
        if let share = densities.prunedWeights { pruned = Sourced(share, .assumed) }
        switch parameter {
        case .smartDeal(let packed):
            form = Sourced(CoefficientCounts(packed.weight), .measured)
        case .dense:
            guard nonzeros < shape.weights || densities.weightRows == nil else {
                self.init(shape, assuming: densities)
                return
            }
            form = Sourced(
                CoefficientCounts(
                    slicing: shape, rowDensity: rowDensity,
                    density: min(rowDensity, densities.coefficients ?? rowDensity)),
                densities.coefficients == nil ? .shapes : .assumed)
        }
        self.init(
            rowDensity: Sourced(rowDensity, .measured),
            elementDensity: Sourced(elementDensity, .measured), prunedDensity: pruned,
            rowCounts: counts.total == kernelRows ? nil : counts, coefficients: form)
    }

    /// Kernel rows that are not zero, and weights.
    private static func count(
        _ weights: UnsafeBufferPointer<Float>, _ shape: LayerShape
    ) -> (RowCounts, nonzeros: Int) {
        let width = shape.kernelWidth
        var nonzeros = 0
        var next = 0
        let channels = shape.filters * shape.channelsPerGroup
        let counts = [UInt8](unsafeUninitializedCapacity: channels) { counts, initialized in
            for channel in 0..<channels {
                var rows = 0
                for _ in 0..<shape.kernelHeight {
                    var used = 0
                    for t in next..<(next + width) where weights[t] != 0 { used += 1 }
                    next += width
                    nonzeros += used
                    rows += used > 0 ? 1 : 0
                }
                counts.initializeElement(at: channel, to: UInt8(clamping: rows))
            }
            initialized = channels
        }
        return (
            RowCounts(filters: shape.filters, channels: shape.channelsPerGroup, counts: counts),
            nonzeros
        )
    }
}
