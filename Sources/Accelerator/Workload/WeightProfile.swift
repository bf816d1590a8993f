/// What is known of a layer's weights: how many are zero, and what storing them takes.
public struct WeightProfile: Sendable, Equatable {
    /// Share of kernel rows, `[filters, channels / groups, R]` of S weights, that are not zero.
    public var rowDensity: Sourced<Double>
    /// Share of weights that are not zero in the network that runs (the rebuilt weights).
    public var elementDensity: Sourced<Double>
    /// Share of weights that are not zero in the network that a design which prunes single weights
    /// would run under ``SparsityPolicy/ownPruning``.
    public var prunedDensity: Sourced<Double>
    /// The non-zero kernel rows of each filter and channel, where weights are known.
    public var rowCounts: RowCounts?
    /// Coefficients and bases.
    public var coefficients: Sourced<CoefficientCounts>

    public init(
        rowDensity: Sourced<Double>, elementDensity: Sourced<Double>,
        prunedDensity: Sourced<Double>, rowCounts: RowCounts? = nil,
        coefficients: Sourced<CoefficientCounts>
    ) {
        self.rowDensity = rowDensity
        self.elementDensity = elementDensity
        self.prunedDensity = prunedDensity
        self.rowCounts = rowCounts
        self.coefficients = coefficients
    }
}

/// What a weight in SmartDeal form stores, counted.
public struct CoefficientCounts: Sendable, Equatable {
    /// Codes of all rows, zero ones and padding included. A code is what a nibble stores: a
    /// coefficient, or a symbol of two.
    public var codes: Double
    /// Codes that stand for something else than zero.
    public var nonzeroCodes: Double
    /// Rows of all slices.
    public var rows: Double
    /// Rows with a coefficient that is not zero.
    public var nonzeroRows: Double
    /// Bits of a mask of rows that groups of 32 filters share.
    public var groupPositions: Double
    /// Coefficients that are not zero, each one shift-add a weight of its row when rebuilt.
    public var nonzeroCoefficients: Double
    /// Elements of all bases.
    public var basisElements: Double
    /// Weights a row (S).
    public var width: Double
    /// Scales of 16 bits.
    public var scales: Double

    public init(
        codes: Double, nonzeroCodes: Double, rows: Double, nonzeroRows: Double,
        groupPositions: Double, nonzeroCoefficients: Double, basisElements: Double, width: Double,
        scales: Double = 0
    ) {
        self.codes = codes
        self.nonzeroCodes = nonzeroCodes
        self.rows = rows
        self.nonzeroRows = nonzeroRows
        self.groupPositions = groupPositions
        self.nonzeroCoefficients = nonzeroCoefficients
        self.basisElements = basisElements
        self.width = width
        self.scales = scales
    }

    /// Codes a row.
    public var codesPerRow: Double { rows == 0 ? 0 : codes / rows }
}
