import PowerOfTwo

/// How a weight is fitted.
public enum Mode: String, CaseIterable, Sendable {
    /// The authors' iteration: one coefficient a symbol, a basis a slice.
    case reference
    /// Two coefficients a symbol, chosen jointly, a basis shared by up to 32 filters.
    case best
    /// One weight a symbol of two coefficients: a scalar quantiser, found in one pass.
    case fast
}

/// How positions to drop are chosen in every group of 32 filters.
public enum PruneKind: String, CaseIterable, Sendable {
    /// The given fraction of the positions, those with the smallest sums of magnitudes.
    case population
    /// Positions whose sum of magnitudes is below the given value.
    case value
    /// The smallest sums, so that what is kept holds the given share of the total.
    case energy
}

/// What is asked of one weight.
public struct LayerOptions: Sendable, Equatable {
    public var mode: Mode = .best
    /// Coefficients below it become zero (theta). Default: the authors' 4e-3.
    public var threshold: Double = 4e-3
    /// Passes of the authors' iteration (T).
    public var iterations = 30
    /// The iteration ends when the coefficients move less (Frobenius norm).
    public var tolerance: Double = 1e-10
    /// What theta is multiplied by when it has emptied a column.
    public var decay: Double = 0.5
    /// The largest magnitude of a coefficient (max_C), a power of two.
    public var largestCoefficient: Double = 32
    /// Whether columns are scaled before rounding.
    public var columnScaling = false
    /// Whether rows whose absolute sum is below 5 theta become zero (3x3 convolutions only).
    public var rowSparsity = false
    /// Fraction, threshold or share by ``pruneKind``; nil prunes nothing.
    public var prune: Double?
    public var pruneKind: PruneKind = .population
    /// Symbols a row; nil leaves it to the mode.
    public var nibbles: Int?
    /// Weights a row; nil leaves it to the mode.
    public var basisWidth: Int?
    /// Bits of a basis element, 8 or 32.
    public var basisBits = 8
    /// Filters that share a basis, a divisor of 32; nil leaves it to the mode.
    public var filtersPerBasis: Int?
    /// The alphabet of `best` and `fast`; nil leaves it to the mode.
    public var alphabet: Alphabet?
    /// Whether the weight stays as it is.
    public var skip = false

    public init() {}

    /// All rules that the options break, as sentences.
    public var problems: [String] {
        var found: [String] = []
        func require(_ condition: Bool, _ message: String) {
            if !condition { found.append(message) }
        }
        require(
            threshold >= 0 && threshold.isFinite,
            "threshold must be a number of at least 0, got \(threshold)")
        require(iterations >= 2, "iterations must be at least 2, got \(iterations)")
        require(tolerance >= 0, "tolerance must be at least 0, got \(tolerance)")
        require(decay > 0 && decay < 1, "decay must be between 0 and 1, got \(decay)")
        require(
            largestCoefficient > 0 && largestCoefficient.significand == 1,
            "largest-coefficient must be a power of two, got \(largestCoefficient)")
        require(basisBits == 8 || basisBits == 32, "basis-bits must be 8 or 32, got \(basisBits)")
        if let prune {
            switch pruneKind {
            case .population:
                require((0..<1).contains(prune), "prune must be in 0..<1, got \(prune)")
            case .energy:
                require(prune > 0 && prune <= 1, "the share to keep must be in 0...1, got \(prune)")
            case .value: require(prune >= 0, "prune must be at least 0, got \(prune)")
            }
        }
        if let filtersPerBasis {
            require(
                filtersPerBasis >= 1 && WeightGeometry.groupSize % filtersPerBasis == 0,
                "filters-per-basis must be 1, 2, 4, 8, 16 or 32, got \(filtersPerBasis)")
            require(
                mode != .reference || filtersPerBasis == 1,
                "reference mode has a basis for every filter; "
                    + "filters-per-basis is for the other modes")
        }
        if nibbles != nil || basisWidth != nil {
            require(
                mode != .reference,
                "reference mode has as many symbols a row as the row has weights; "
                    + "nibbles and basis-width are for the other modes")
            require(
                (1...3).contains(nibbles ?? 1), "nibbles must be 1, 2 or 3, got \(nibbles ?? 0)")
            require(
                (1...8).contains(basisWidth ?? 1),
                "basis-width must be in 1...8, got \(basisWidth ?? 0)")
        }
        if mode == .fast {
            require(
                (basisWidth ?? 1) == 1,
                "fast mode has one weight a row; use --mode best for basis-width")
        }
        return found
    }
}
