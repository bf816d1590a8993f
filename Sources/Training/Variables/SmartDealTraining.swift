/// How the coefficients of a weight in SmartDeal form learn. They stay powers of two all the time.
public enum CoefficientTraining: Sendable, Equatable {
    /// Bucket switching: each update larger than `dCThreshold` counts +1 or -1; a coefficient whose
    /// counter reaches `switchBar` (1 to 127) moves one step on its ladder and counts from 0 again.
    /// Counters begin every epoch at 0.
    ///
    /// - Source: the SmartDeal paper, arXiv 2101.01163, and the authors' program.
    case bucketSwitch(switchBar: Int = 1, dCThreshold: Float = 0)
    /// After every update each coefficient is rounded to the nearest value of its ladder, from the
    /// middle on to the larger magnitude.
    case requantise
    /// After every update each coefficient is rounded to the nearest value of its ladder as by
    /// ``requantise``, and what the rounding left over is carried to the next update, in a counter of
    /// 8 bits that is rounded by chance. So updates much smaller than a step of the ladder add up.
    /// The update of coefficients is that of the weights times the (damped) pseudo-inverse of the
    /// basis, so that a learning rate means what it means for dense weights.
    case errorFeedback
    /// Only the bases learn.
    case frozen
}

/// How a weight in SmartDeal form learns: W = scale C B with the coefficients C powers of two, the
/// basis B floats. Masks and scales stay what they are.
public struct SmartDealTraining: Sendable, Equatable {
    /// How the basis moves.
    public var basis = SGD()
    /// How an update of a coefficient becomes a move.
    public var coefficients = CoefficientTraining.bucketSwitch()
    /// What the update of a coefficient is.
    public var coefficientUpdate = SGD()
    /// The learning rate of coefficients as a multiple of that of bases.
    public var coefficientRate: Float = 1
    /// Seed of the chance in ``CoefficientTraining/errorFeedback``.
    public var seed: UInt64 = 0
    /// Magnitudes below are not used (theta); when rounding, what is below becomes zero. At 0 the
    /// alphabet alone decides.
    public var smallest = 0.0
    /// Magnitudes above are not used.
    public var largest = Double.infinity
    /// Whether coefficients that are zero at the start stay zero, as in the authors' program.
    public var freezesZeros = false

    public init() {}

    /// - Throws: ``TrainingError`` `.invalidOption`.
    func validate() throws {
        func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            guard condition else { throw TrainingError(.invalidOption, message()) }
        }
        if case .bucketSwitch(let bar, let threshold) = coefficients {
            try check((1...127).contains(bar), "a switch bar is 1 to 127, not \(bar)")
            try check(
                threshold >= 0 && threshold.isFinite,
                "a threshold of coefficient updates is at least 0, not \(threshold)")
        }
        try check(
            coefficientRate > 0 && coefficientRate.isFinite,
            "a multiple of the learning rate is above 0, not \(coefficientRate)")
        try check(
            smallest >= 0 && smallest.isFinite,
            "the smallest magnitude of a coefficient is at least 0, not \(smallest)")
        try check(
            largest > 0 && largest >= smallest,
            "the largest magnitude of a coefficient, \(largest), is below the smallest, "
                + "\(smallest)")
    }
}
