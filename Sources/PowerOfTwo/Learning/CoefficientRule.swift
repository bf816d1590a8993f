internal import CShiftKernels

/// How the coefficients of a weight move against their gradient in one step.
package struct CoefficientRule: Sendable {
    /// How an update becomes a move.
    package enum Move: Sendable, Equatable {
        /// Updates larger than a threshold are counted; at `bar` the coefficient moves one step.
        case bucketSwitch(bar: Int, threshold: Float)
        /// To the nearest rung after every update.
        case requantise
        /// To the nearest rung, and counters carry what the rounding left over.
        case errorFeedback
    }

    /// The counter of a coefficient that never moves.
    package static let frozen = Int8(SDK_FROZEN)

    let move: Move
    private(set) var kernelRule = sdk_coefficient_rule()

    package init(
        _ alphabet: Alphabet, _ ladder: CoefficientLadder, _ move: Move, inertia: Float,
        decay: Float, isNesterov: Bool
    ) {
        self.move = move
        kernelRule.inertia = inertia
        kernelRule.decay = decay
        kernelRule.nesterov = isNesterov ? 1 : 0
        let tables: [[[UInt8]]]
        switch move {
        case .bucketSwitch(let bar, let threshold):
            precondition((1...127).contains(bar) && threshold >= 0)
            kernelRule.bar = Int32(bar)
            kernelRule.threshold = threshold
            tables = zip(ladder.lower, ladder.higher).map { [$0, $1] }
        case .requantise, .errorFeedback:
            // A coefficient without rungs stays what it is.
            let same = (0..<Alphabet.capacity).map { UInt8($0) }
            tables = ladder.atLevel.map { $0.isEmpty ? [same] : $0 }
        }
        let coefficients = alphabet.coefficientTables
        let bounds = ladder.bounds
        setUnits(coefficients)
        withUnsafeMutableBytes(of: &kernelRule.coefficients) { bytes in
            let to = bytes.bindMemory(to: Float.self)
            for (index, value) in coefficients.enumerated() { to[index] = value }
        }
        withUnsafeMutableBytes(of: &kernelRule.bounds) { bytes in
            let to = bytes.bindMemory(to: Float.self)
            for (k, list) in bounds.enumerated() {
                for (b, bound) in list.enumerated() { to[k * (Alphabet.capacity - 1) + b] = bound }
            }
        }
        withUnsafeMutableBytes(of: &kernelRule.bound_count) { bytes in
            let to = bytes.bindMemory(to: Int.self)
            for (k, list) in bounds.enumerated() { to[k] = list.count }
        }
        withUnsafeMutableBytes(of: &kernelRule.moves) { bytes in
            for (k, levels) in tables.enumerated() {
                for (index, symbol) in levels.joined().enumerated() {
                    bytes[k * Alphabet.capacity * Alphabet.capacity + index] = symbol
                }
            }
        }
    }

    /// Counters that are worth as much as a coefficient. Rounding leaves between -1/4 of it, where
    /// the next smaller rung begins, and 1/2: -32 to 64 counters; at most 128, to zero.
    private static let countersOfMagnitude: Float = 128

    /// What a counter is worth at each symbol: a share of the coefficient, so that it is as fine as
    /// the rungs are near.
    private mutating func setUnits(_ coefficients: [Float]) {
        withUnsafeMutableBytes(of: &kernelRule.units) { bytes in
            let to = bytes.bindMemory(to: Float.self)
            for k in 0..<coefficients.count / Alphabet.capacity {
                let own = coefficients[k * Alphabet.capacity..<(k + 1) * Alphabet.capacity]
                let smallest = own.lazy.map(abs).filter { $0 > 0 }.min() ?? 1
                for (symbol, value) in own.enumerated() {
                    to[k * Alphabet.capacity + symbol] =
                        max(abs(value), smallest) / Self.countersOfMagnitude
                }
            }
        }
    }

    /// Whether an update is meant for the weights, which coefficients follow, and not for the
    /// coefficients themselves.
    package var movesWeights: Bool { move == .errorFeedback }

    /// The rule at another learning rate, with another chance.
    package func at(rate: Float, key: UInt64 = 0) -> CoefficientRule {
        var rule = self
        rule.kernelRule.rate = rate
        rule.kernelRule.key = key
        return rule
    }
}
