/// How much work `best` mode spends on bases.
///
/// Starts are sought once a tensor, so that a large one can afford many. Measured on layers of
/// MiniLM: these leave 3 % less error than half as many starts and finalist rows, for 9 % more
/// time; 20 finalist passes and 16 over all rows would leave 1.4 % less for 40 % more time.
struct SearchEffort: Sendable {
    /// Groups of a tensor that the search for starts samples.
    var sampledGroups = 4
    /// Bases that it begins from, one from singular vectors and the others random.
    var starts = 24
    /// Rows and passes of the first look at a start.
    var firstRows = 1024
    var firstPasses = 8
    /// How many starts go on, with more rows.
    var finalists = 6
    var finalistRows = 4096
    var finalistPasses = 12
    /// Passes over a sample of its rows by which a group chooses among the finalists.
    var choicePasses = 2
    /// Most passes over all rows of a group.
    var passes = 10
    /// Passes end when one lowers the sum of squares by less than this share.
    var smallestGain = 5e-4
    /// Groups of 32 filters with at most so many rows look for starts of their own: depthwise
    /// filters differ from each other, and sharing starts costs them 5 % of error.
    var ownStartRows = 512

    /// For tensors of fewer than 2^14 rows: the starts would take longer than the fit.
    static let small = SearchEffort(
        starts: 8, firstPasses: 5, finalistRows: 1024, finalistPasses: 8, choicePasses: 8)

    /// For the short filters of `fast` mode.
    static let fast = SearchEffort(
        starts: 3, firstPasses: 4, finalists: 1, finalistRows: 512, finalistPasses: 3, passes: 3,
        smallestGain: 1e-2)

    /// The effort that suits a tensor.
    static func suiting(_ mode: Mode, rows: Int) -> SearchEffort {
        if mode == .fast { return .fast }
        return rows < 1 << 14 ? .small : SearchEffort()
    }
}
