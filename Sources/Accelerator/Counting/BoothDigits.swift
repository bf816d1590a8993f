import func Foundation.pow

extension ActivationProfile {
    /// Cycles that `lanes` serial units which wait for each other take for an activation: the mean
    /// of the largest number of digits among them, and one for an activation of zero.
    ///
    /// - Parameter assumed: what is taken when no histogram is known.
    func synchronousDigits(lanes: Int, assumed: Double) -> Double {
        guard let shares = digitShares else { return max(1, assumed, meanDigits.value) }
        var below = 0.0
        var expected = 0.0
        var cumulative = 0.0
        for (digits, share) in shares.enumerated() {
            cumulative = min(1, cumulative + share)
            let atMost = pow(digits == shares.count - 1 ? 1 : cumulative, Double(lanes))
            expected += Double(max(1, digits)) * (atMost - below)
            below = atMost
        }
        return expected
    }
}
