import PowerOfTwo

/// How a packed weight lies in an ONNX file: which tensors hold it, and their sizes.
///
/// The tensors, all named `PREFIX/ID/...`:
///
/// - `symbols` (uint8): the nibbles of the stored rows in the order filter, slice, row, symbol of
///   the row, two a byte, the first in the low half. Where rows are dropped, or the last byte would
///   be half full, a row of zeros or two follow that nothing uses.
/// - `basis` (int8 or float) `[runs, 1, slices, rank, width]`, a run being the filters that share.
/// - `scales` (float16) `[runs, filters of a run, slices, 1, 1]`; the last run filled with zeros.
/// - `rows` (uint8) `[groups, 1, bytes]`, with group masks: a bit for each row of the layout that
///   the filters of the group may store.
/// - `positions` (uint8) `[groups, 1, bytes]`: the group masks, left out when positions are rows,
///   so that `rows` tells them.
/// - `mask` (uint8): a bit for each row that may be stored, set when it is, filter after filter
///   without gaps; with group masks after one bit that is 0.
///
/// Bits count from the lowest of a byte.
struct PackedForm {
    let name: String
    /// What the names of its values begin with.
    let prefix: String
    let description: PackedDescription
    var hasRowMask = false
    var hasGroupMask = false
    var hasFloatBasis = false
    var hasScales = false

    init(name: String, prefix: String, description: PackedDescription) {
        self.name = name
        self.prefix = prefix
        self.description = description
    }

    var geometry: WeightGeometry { description.geometry }
    var filters: Int { geometry.filterCount }
    var rows: Int { geometry.rowCount }
    var slices: Int { geometry.sliceCount }
    var rowsPerSlice: Int { min(geometry.rowsPerSlice, geometry.rowCount) }
    /// Filters of a run, which share a basis.
    var filtersPerRun: Int { min(geometry.filtersPerBasis, filters) }
    var runs: Int { (filters + filtersPerRun - 1) / filtersPerRun }
    var groups: Int { geometry.groupCount }
    var filtersPerGroup: Int { min(WeightGeometry.groupSize, filters) }
    var rank: Int { geometry.nibbles * description.alphabet.coefficientsPerSymbol }
    /// Whether the positions of the group mask are the rows of the layout.
    var positionsAreRows: Bool {
        geometry.layout == .full && geometry.unit == geometry.width
            && geometry.filterLength % geometry.width == 0
    }
    var hasPositions: Bool { hasGroupMask && !positionsAreRows }

    /// Rows that `symbols` holds for `stored` rows, with the unused ones at the end.
    func storedRows(_ stored: Int) -> Int {
        isMasked && stored == 0 ? 2 : stored + stored * geometry.nibbles % 2
    }
    var isMasked: Bool { hasRowMask || hasGroupMask }

    var rowsShape: [Int] { [groups, 1, (rows + 7) / 8] }
    var positionsShape: [Int] { [groups, 1, geometry.groupMaskStride] }
    var basisShape: [Int] { [runs, 1, slices, rank, geometry.width] }
    var scalesShape: [Int] { [runs, filtersPerRun, slices, 1, 1] }
}

extension PackedForm {
    /// The most weights, and rows with padding, that 32-bit indexes in the file can tell apart.
    static let largestCount = Int(Int32.max)

    /// Whether indexes of 32 bits reach everywhere.
    static func fits(_ geometry: WeightGeometry) -> Bool {
        let perSlice = min(geometry.rowsPerSlice, geometry.rowCount)
        let filters = geometry.filterCount + WeightGeometry.groupSize
        let padded = filters.multipliedReportingOverflow(
            by: geometry.sliceCount * perSlice * geometry.width)
        return !padded.overflow && padded.partialValue <= largestCount
    }
}
