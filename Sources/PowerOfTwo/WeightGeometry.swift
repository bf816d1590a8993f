/// How a weight tensor is cut into filters, rows and slices.
///
/// A tensor `[filters, ...]` is `filterCount` filters of `filterLength` weights. Filters are taken in
/// groups of ``groupSize``, which may share a structural mask over positions of ``unit``
/// neighbouring weights. The weights of a filter, or only those that its mask keeps, are cut into
/// rows of ``width`` weights (the last padded with zeros), and the rows into slices of
/// ``rowsPerSlice``. ``filtersPerBasis`` neighbouring filters share the basis of a slice; every
/// filter has a scale of its own in it.
public struct WeightGeometry: Sendable, Equatable {
    /// What rows are cut from.
    public enum Layout: String, Sendable {
        /// The whole filter, dropped positions included as zeros: the authors' slicing. Rows that
        /// hold nothing but dropped positions are not stored.
        case full
        /// The weights that the group mask keeps, moved together.
        case kept
    }

    /// Filters that share a structural mask.
    public static let groupSize = 32
    /// The largest width of a row and number of symbols in it.
    public static let largestWidth = 64
    /// The most weights of a filter, so that no small file stands for more memory than there is.
    public static let longestFilter = 1 << 27

    /// The shape of the dense tensor.
    public let shape: [Int]
    /// Weights of one position of the group mask: the kernel width, or 1.
    public let unit: Int
    /// Weights a row (S).
    public let width: Int
    /// Symbols a row (n).
    public let nibbles: Int
    /// Rows a slice, counted in the rows of ``layout``.
    public let rowsPerSlice: Int
    /// Neighbouring filters that share a basis; a divisor of ``groupSize``.
    public let filtersPerBasis: Int
    public let layout: Layout

    /// The number of filters: the first dimension.
    public let filterCount: Int
    /// Weights of one filter.
    public let filterLength: Int

    /// Creates a geometry.
    ///
    /// - Throws: ``PowerOfTwoError`` `.invalidGeometry` when a number is out of the format's range
    ///   or the shape is empty or overflows.
    public init(
        shape: [Int], unit: Int, width: Int, nibbles: Int, rowsPerSlice: Int,
        filtersPerBasis: Int, layout: Layout
    ) throws {
        func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            guard condition else { throw PowerOfTwoError(.invalidGeometry, message()) }
        }
        try check(
            !shape.isEmpty && shape.allSatisfy { $0 > 0 },
            "shape \(shape) has no weights to pack")
        var length = 1
        for dimension in shape.dropFirst() {
            let (product, overflow) = length.multipliedReportingOverflow(by: dimension)
            try check(!overflow, "shape \(shape) overflows")
            length = product
        }
        try check(
            length <= WeightGeometry.longestFilter && shape[0] <= Int(Int32.max)
                && length * shape[0] <= 1 << 48,
            "shape \(shape) has filters of more than 2^27 weights, more than 2^31 - 1 of them, "
                + "or more than 2^48 weights")
        let sizes = 1...WeightGeometry.largestWidth
        try check(sizes.contains(width), "width \(width) is not in 1...64")
        try check(sizes.contains(nibbles), "\(nibbles) symbols a row is not in 1...64")
        try check(
            unit >= 1 && length % unit == 0, "unit \(unit) does not divide a filter of \(length)")
        try check(
            (1...Int(Int32.max)).contains(rowsPerSlice),
            "a slice has 1 to 2^31 - 1 rows, not \(rowsPerSlice)")
        try check(
            filtersPerBasis >= 1 && WeightGeometry.groupSize % filtersPerBasis == 0,
            "\(filtersPerBasis) filters a basis does not divide a group of 32")
        self.shape = shape
        self.unit = unit
        self.width = width
        self.nibbles = nibbles
        self.rowsPerSlice = rowsPerSlice
        self.filtersPerBasis = filtersPerBasis
        self.layout = layout
        filterCount = shape[0]
        filterLength = length
    }

    /// The number of weights.
    public var weightCount: Int { filterCount * filterLength }
    /// Positions of the group mask in a filter.
    public var positionCount: Int { filterLength / unit }
    /// Groups of filters that share a structural mask.
    public var groupCount: Int { (filterCount + Self.groupSize - 1) / Self.groupSize }
    /// Rows of a whole filter, none dropped.
    public var rowCount: Int { (filterLength + width - 1) / width }
    /// Slices of a filter; with a group mask and ``Layout/kept`` the last ones may be empty.
    public var sliceCount: Int { (rowCount + rowsPerSlice - 1) / rowsPerSlice }
    /// Bases: one for each slice of each run of filters that share it.
    public var basisCount: Int {
        (filterCount + filtersPerBasis - 1) / filtersPerBasis * sliceCount
    }

    /// The basis of a slice of a filter.
    package func basisIndex(filter: Int, slice: Int) -> Int {
        filter / filtersPerBasis * sliceCount + slice
    }
    /// The filters of a group.
    package func filters(ofGroup group: Int) -> Range<Int> {
        group * Self.groupSize..<min((group + 1) * Self.groupSize, filterCount)
    }
    /// Bytes of one group's mask.
    package var groupMaskStride: Int { (positionCount + 7) / 8 }
    /// Bytes of the symbols of `rows` rows.
    package func symbolBytes(rows: Int) -> Int { nibbles * ((rows + 1) / 2) }
}
