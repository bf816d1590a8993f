/// The rows of the filters of one group: which there are, and which weights they stand for.
package struct RowLayout: Sendable {
    /// Positions of ``WeightGeometry/unit`` weights that the structural mask keeps, rising; nil
    /// when it keeps all.
    package let keptPositions: [Int]?
    /// The rows that may be stored, rising, counted in the rows of the geometry's layout; nil when
    /// they are simply all rows below ``rowCount``.
    package let presentRows: [Int]?
    /// The number of rows that may be stored.
    package let rowCount: Int
    /// How many of them each slice has.
    package let rowsOfSlice: [Int]
    private let geometry: WeightGeometry

    package init(_ geometry: WeightGeometry, mask: BitMask?) {
        self.geometry = geometry
        keptPositions = mask.map(\.setIndexes)
        let perSlice = geometry.rowsPerSlice
        switch (geometry.layout, mask) {
        case (.full, let mask?):
            let rows = (0..<geometry.rowCount).filter { row in
                let begin = row * geometry.width
                let end = min(begin + geometry.width, geometry.filterLength)
                return (begin / geometry.unit...(end - 1) / geometry.unit).contains { mask[$0] }
            }
            var counts = [Int](repeating: 0, count: geometry.sliceCount)
            for row in rows { counts[row / perSlice] += 1 }
            presentRows = rows
            rowCount = rows.count
            rowsOfSlice = counts
        default:
            let weights = (keptPositions?.count ?? geometry.positionCount) * geometry.unit
            let rows = (weights + geometry.width - 1) / geometry.width
            presentRows = nil
            rowCount = rows
            rowsOfSlice = (0..<geometry.sliceCount).map { slice in
                min(max(rows - slice * perSlice, 0), perSlice)
            }
        }
    }

    /// The first index, among the rows that may be stored, of each slice.
    package var sliceStarts: [Int] {
        var start = 0
        return rowsOfSlice.map { rows in
            start += rows
            return start - rows
        }
    }

    /// Rows of the geometry's layout, padding and absent rows included.
    package var spannedRows: Int { presentRows == nil ? rowCount : geometry.rowCount }

    /// Moves the weights of a filter into the rows of the layout: `rows` is
    /// `[spannedRows, width]` and is written whole, dropped and padding weights as zeros.
    package func gather(
        _ weights: UnsafePointer<Float>, into rows: UnsafeMutablePointer<Float>
    ) {
        let total = spannedRows * geometry.width
        guard let keptPositions else {
            rows.update(from: weights, count: geometry.filterLength)
            (rows + geometry.filterLength).update(
                repeating: 0, count: total - geometry.filterLength)
            return
        }
        let unit = geometry.unit
        keptPositions.withUnsafeBufferPointer { positions in
            if geometry.layout == .full {
                rows.update(repeating: 0, count: total)
                for position in positions {
                    copy(unit, from: weights + position * unit, to: rows + position * unit)
                }
            } else {
                for (index, position) in positions.enumerated() {
                    copy(unit, from: weights + position * unit, to: rows + index * unit)
                }
                let kept = positions.count * unit
                (rows + kept).update(repeating: 0, count: total - kept)
            }
        }
    }

    /// The inverse of ``gather(_:into:)``: writes a whole filter, zeros where the mask dropped.
    package func scatter(
        _ rows: UnsafePointer<Float>, into weights: UnsafeMutablePointer<Float>
    ) {
        guard let keptPositions else {
            weights.update(from: rows, count: geometry.filterLength)
            return
        }
        let unit = geometry.unit
        weights.update(repeating: 0, count: geometry.filterLength)
        keptPositions.withUnsafeBufferPointer { positions in
            for (index, position) in positions.enumerated() {
                let from = geometry.layout == .full ? position : index
                copy(unit, from: rows + from * unit, to: weights + position * unit)
            }
        }
    }
}

/// Copies a few floats, faster than a call for a block of memory.
@inline(__always) func copy(
    _ count: Int, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>
) {
    if count == 3 {
        to[0] = from[0]
        to[1] = from[1]
        to[2] = from[2]
    } else if count <= 8 {
        for i in 0..<count { to[i] = from[i] }
    } else {
        to.update(from: from, count: count)
    }
}
