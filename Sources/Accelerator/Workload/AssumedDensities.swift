/// What a user assumes of weights and activations that were not measured.
///
/// What is nil is not assumed: weights are then counted where the network has them, and dense
/// otherwise.
public struct AssumedDensities: Sendable, Equatable {
    /// Share of rows of coefficients that are not zero.
    public var weightRows: Double?
    /// Share of coefficients that are not zero; at most ``weightRows``, which it is when nil.
    public var coefficients: Double?
    /// Share of weights that pruning single weights would keep; ``coefficients`` when nil.
    public var prunedWeights: Double?
    /// Share of rows of feature maps that are not zero.
    public var activationRows: Double?
    /// Share of activations that are not zero.
    public var activations: Double?
    /// Radix-4 Booth digits of an activation that are not zero, of 4.
    public var boothDigits: Double?

    /// 4 digits, 66.0 % of them zero.
    /// - Source: MobileNetV2 on ImageNet, reported with SmartExchange (ISCA 2020).
    public static let defaultBoothDigits = 1.36

    public init(
        weightRows: Double? = nil, coefficients: Double? = nil, prunedWeights: Double? = nil,
        activationRows: Double? = nil, activations: Double? = nil, boothDigits: Double? = nil
    ) {
        self.weightRows = weightRows
        self.coefficients = coefficients
        self.prunedWeights = prunedWeights
        self.activationRows = activationRows
        self.activations = activations
        self.boothDigits = boothDigits
    }

    /// Checks that all are shares, and digits from 0 to 4.
    ///
    /// - Throws: ``AcceleratorError`` `.invalidWorkload` listing all that are not.
    public func check() throws {
        var problems: [String] = []
        let shares = [
            ("weight rows", weightRows), ("coefficients", coefficients),
            ("pruned weights", prunedWeights), ("activation rows", activationRows),
            ("activations", activations),
        ]
        for (name, share) in shares {
            if let share, !(0...1).contains(share) {
                problems.append("the density of \(name) is \(share), it can be 0 to 1")
            }
        }
        if let boothDigits, !(0...4).contains(boothDigits) {
            problems.append("\(boothDigits) Booth digits that are not zero, there are 0 to 4")
        }
        if let weightRows, let coefficients, coefficients > weightRows {
            problems.append(
                "the density of coefficients \(coefficients) is above that of their rows "
                    + "\(weightRows)")
        }
        guard problems.isEmpty else { throw AcceleratorError(.invalidWorkload, problems) }
    }
}
