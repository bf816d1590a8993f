/// Where the stored rows of a weight are: in the dense filters, and in arrays with one entry for
/// each stored row, filter after filter and in a filter slice after slice.
package struct StoredRows: Sendable {
    package let geometry: WeightGeometry
    /// The index of the first row of each slice, `[filters, slices]`, and one more at the end.
    package let starts: [Int]
    /// The layouts of the groups.
    private let layouts: [RowLayout]
    /// For each stored row which row of its layout it is; nil when filters store all of theirs.
    private let places: [Int32]?

    package init(_ weight: SmartDealWeight) {
        geometry = weight.geometry
        let layouts = (0..<geometry.groupCount).map {
            RowLayout(weight.geometry, mask: weight.mask(ofGroup: $0))
        }
        let isWhole = weight.rowMask == nil && layouts.allSatisfy { $0.presentRows == nil }
        var starts = [0]
        var places: [Int32] = []
        starts.reserveCapacity(geometry.filterCount * geometry.sliceCount + 1)
        for (group, layout) in layouts.enumerated() {
            for filter in geometry.filters(ofGroup: group) {
                let mask = weight.rowMask(ofFilter: filter, layout)
                var first = 0
                for present in layout.rowsOfSlice {
                    var stored = present
                    if !isWhole {
                        stored = 0
                        for index in first..<(first + present) where mask?[index] ?? true {
                            places.append(Int32(layout.presentRows?[index] ?? index))
                            stored += 1
                        }
                    }
                    starts.append(starts[starts.count - 1] + stored)
                    first += present
                }
            }
        }
        self.layouts = layouts
        self.starts = starts
        self.places = isWhole ? nil : places
    }

    /// The number of stored rows of all filters.
    package var count: Int { starts[starts.count - 1] }

    /// The stored rows of a slice of a filter.
    package func rows(filter: Int, slice: Int) -> Range<Int> {
        let index = filter * geometry.sliceCount + slice
        return starts[index]..<starts[index + 1]
    }

    /// The stored rows of a filter.
    package func rows(filter: Int) -> Range<Int> {
        let first = filter * geometry.sliceCount
        return starts[first]..<starts[first + geometry.sliceCount]
    }

    /// Floats that gathering or scattering a filter needs for itself.
    package var scratchCount: Int { 2 * geometry.rowCount * geometry.width }

    /// The stored rows of a dense filter, `[rows, width]`: zeros where the masks dropped weights,
    /// whatever is there. Points into `weights` or `scratch`.
    package func gather(
        filter: Int, _ weights: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        let layout = layouts[filter / WeightGeometry.groupSize]
        guard !isDirect(layout) else { return weights }
        layout.gather(weights, into: scratch)
        guard let places else { return UnsafePointer(scratch) }
        let width = geometry.width
        let rows = scratch + geometry.rowCount * width
        places.withUnsafeBufferPointer { places in
            for (index, row) in self.rows(filter: filter).enumerated() {
                copy(width, from: scratch + Int(places[row]) * width, to: rows + index * width)
            }
        }
        return UnsafePointer(rows)
    }

    /// Writes a dense filter, zeros where masks dropped weights; `fill` writes the stored rows.
    package func scatter(
        filter: Int, into weights: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, _ fill: (UnsafeMutablePointer<Float>) -> Void
    ) {
        let layout = layouts[filter / WeightGeometry.groupSize]
        guard !isDirect(layout) else { return fill(weights) }
        guard let places else {
            fill(scratch)
            layout.scatter(scratch, into: weights)
            return
        }
        let width = geometry.width
        let rows = scratch + geometry.rowCount * width
        fill(rows)
        scratch.update(repeating: 0, count: layout.spannedRows * width)
        places.withUnsafeBufferPointer { places in
            for (index, row) in self.rows(filter: filter).enumerated() {
                copy(width, from: rows + index * width, to: scratch + Int(places[row]) * width)
            }
        }
        layout.scatter(scratch, into: weights)
    }

    /// Whether the stored rows of a filter are its weights as they lie.
    private func isDirect(_ layout: RowLayout) -> Bool {
        places == nil && layout.keptPositions == nil && geometry.filterLength % geometry.width == 0
    }
}
