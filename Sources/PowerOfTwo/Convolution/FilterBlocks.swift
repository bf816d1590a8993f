/// The weights of convolutions with groups of channels, as those of ones without groups.
struct FilterBlocks<Element: Numeric> {
    private let weights: UnsafePointer<Element>
    private let filters: Int
    private let channels: Int
    private let groups: Int
    /// Weights of a channel.
    private let taps: Int

    /// - Parameter weights: `[filters, channels / groups, taps]`.
    init(
        _ weights: UnsafePointer<Element>, filters: Int, channels: Int, groups: Int, taps: Int
    ) {
        precondition(
            groups > 0 && filters % groups == 0 && channels % groups == 0, "\(groups) groups")
        self.weights = weights
        self.filters = filters
        self.channels = channels
        self.groups = groups
        self.taps = taps
    }

    /// Calls `body` with the weights of some filters, `[filters, channels, taps]`, zeros between
    /// those of other groups.
    func withWeights<Result>(
        of range: Range<Int>, _ body: (UnsafePointer<Element>) -> Result
    ) -> Result {
        let row = channels / groups * taps
        guard groups > 1 else { return body(weights + range.lowerBound * row) }
        var dense = [Element](repeating: 0, count: range.count * channels * taps)
        for filter in range {
            let group = filter / (filters / groups)
            let at = (filter - range.lowerBound) * channels * taps + group * row
            for i in 0..<row { dense[at + i] = weights[filter * row + i] }
        }
        return dense.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? body(weights)
        }
    }
}
