import PowerOfTwo

extension CoefficientCounts {
    /// Rows of a slice at most: 64 channels of 3 kernel rows.
    private static let largestSlice = 192

    /// What the authors' slicing gives for a layer, with the given shares of rows and coefficients
    /// that are not zero.
    ///
    /// Kernel rows are rows; kernels of one column, and matrices, are cut into rows of 3 weights.
    /// Filters are cut into equal slices of at most 192 rows, each with a basis S x S.
    /// - Source: the authors' code (VITA-Group/SmartDeal, 8e1de77).
    public init(slicing shape: LayerShape, rowDensity: Double, density: Double) {
        let hasRows = shape.kernelWidth > 1
        let width = hasRows ? shape.kernelWidth : 3
        let length = shape.channelsPerGroup * shape.kernelHeight
        let filterRows = hasRows ? length : (length + width - 1) / width
        let slices = (filterRows + Self.largestSlice - 1) / Self.largestSlice
        let padded = hasRows ? filterRows : slices * ((filterRows + slices - 1) / slices)
        let rows = Double(shape.filters * padded)
        self.init(
            codes: rows * Double(width), nonzeroCodes: rows * Double(width) * density, rows: rows,
            nonzeroRows: rows * rowDensity, groupPositions: rows / 32,
            nonzeroCoefficients: rows * Double(width) * density,
            basisElements: Double(shape.filters * slices * width * width), width: Double(width))
    }

    /// Counts what a packed weight stores.
    public init(_ weight: SmartDealWeight) {
        let statistics = weight.statistics()
        let nibbles = weight.geometry.nibbles
        let nonzeroCodes = statistics.symbolCounts.enumerated().reduce(0) { sum, symbol in
            weight.alphabet[symbol.offset].contains { $0 != 0 } ? sum + symbol.element : sum
        }
        self.init(
            codes: Double(statistics.rows * nibbles), nonzeroCodes: Double(nonzeroCodes),
            rows: Double(statistics.rows), nonzeroRows: Double(statistics.nonzeroRows),
            groupPositions: Double(statistics.rows) / Double(WeightGeometry.groupSize),
            nonzeroCoefficients: Double(statistics.nonzeroCoefficients),
            basisElements: Double(weight.basis.count), width: Double(weight.geometry.width),
            scales: Double(weight.scales?.halves.count ?? 0))
    }
}
