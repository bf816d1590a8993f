import PowerOfTwo

/// The rows of filters that share a basis, each filter divided by its scale, and their symbols.
///
/// Rows that will not be stored (zeros, or below a threshold) take no part in fitting but have
/// symbols too, for the case that leaving them out does not pay.
final class ScaledRows {
    /// The scale of each filter.
    private(set) var scales: [Float]
    /// Rows that take part in fitting.
    private(set) var activeRows = 0
    /// For each filter the rows that need not be stored.
    private(set) var droppable: [BitMask?] = []

    private let geometry: WeightGeometry
    /// Rows a filter.
    private let count: Int
    /// `[filters, count, width]`, divided by the scale.
    private var rows: [Float]
    private var symbols: [UInt8]
    /// For each filter its active rows moved together, where some are not.
    private var active: [[Int]?] = []

    /// Gathers the filters; scales are their root mean squares.
    init(
        _ filters: Range<Int>, of weights: UnsafeBufferPointer<Float>, _ layout: RowLayout,
        _ geometry: WeightGeometry, dropBelow: Float
    ) {
        self.geometry = geometry
        count = layout.rowCount
        let width = geometry.width
        let length = count * width
        rows = Array(repeating: 0, count: filters.count * length)
        symbols = Array(repeating: 0, count: filters.count * count * geometry.nibbles)
        scales = Array(repeating: 0, count: filters.count)
        rows.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let from = weights.baseAddress else { return }
            for (index, filter) in filters.enumerated() {
                let to = base + index * length
                layout.gather(from + filter * geometry.filterLength, into: to)
                var squares = 0.0
                var mask: BitMask?
                for row in 0..<count {
                    var size: Float = 0
                    for t in 0..<width {
                        let value = to[row * width + t]
                        size += abs(value)
                        squares += Double(value) * Double(value)
                    }
                    if size == 0 || size < dropBelow {
                        if mask == nil { mask = BitMask(count: count) }
                        mask?[row] = true
                    }
                }
                let kept = count - (mask?.setCount ?? 0)
                let mean = kept > 0 ? squares / Double(kept * width) : 0
                scales[index] = Float(mean.squareRoot())
                // Below about 2^-128 dividing by it overflows: such a filter counts as zero.
                if !(1 / scales[index]).isFinite { scales[index] = 0 }
                droppable.append(mask)
                active.append(mask.map { mask in (0..<count).filter { !mask[$0] } })
                activeRows += scales[index] > 0 ? kept : 0
                let inverse = scales[index] > 0 ? 1 / scales[index] : 0
                for i in 0..<length { to[i] *= inverse }
            }
        }
    }

    /// At most `most` active rows, evenly spread, `[rows, width]`.
    func sample(_ most: Int) -> [Float] {
        let width = geometry.width
        let wanted = min(most, activeRows)
        var result: [Float] = []
        result.reserveCapacity(wanted * width)
        var seen = 0
        for filter in scales.indices where scales[filter] > 0 {
            let list = active[filter]
            let own = list?.count ?? count
            // The sample has row i when i * wanted / activeRows steps there.
            for i in 0..<own
            where (seen + i + 1) * wanted / activeRows > (seen + i) * wanted / activeRows {
                let row = filter * count + (list?[i] ?? i)
                result.append(contentsOf: rows[(row * width)..<((row + 1) * width)])
            }
            seen += own
        }
        return result
    }

    /// Chooses symbols for all rows, dropped ones included.
    func assignAll(_ search: JointSearch) {
        withBuffers { rows, symbols in
            search.assign(rows, count: scales.count * count, into: symbols)
        }
    }

    /// Chooses symbols for the rows that take part in fitting.
    func assignActive(_ search: JointSearch) {
        guard active.contains(where: { $0 != nil }) else { return assignAll(search) }
        forEachActiveRun { rows, symbols, count, _ in
            search.assign(rows, count: count, into: symbols)
        }
    }

    /// Adds the active rows to the moments of `search`, weighted by the square of their scale.
    func addActive(to search: JointSearch) {
        forEachActiveRun { rows, symbols, count, filter in
            let weight = Double(scales[filter]) * Double(scales[filter])
            search.add(rows, symbols: symbols, count: count, weight: weight)
        }
    }

    /// The scale of each filter that fits the present symbols best.
    func bestScales(_ search: JointSearch) -> [Float] {
        var cross = [Double](repeating: 0, count: scales.count)
        var square = cross
        forEachActiveRun { rows, symbols, count, filter in
            let products = search.scaleProducts(rows, symbols: symbols, count: count)
            cross[filter] += products.cross
            square[filter] += products.square
        }
        return scales.indices.map { filter in
            guard square[filter] > 0, cross[filter] > 0 else { return scales[filter] }
            return scales[filter] * Float(cross[filter] / square[filter])
        }
    }

    /// Gives the filters other scales and divides their rows anew.
    func rescale(to scales: [Float]) {
        let length = count * geometry.width
        rows.withUnsafeMutableBufferPointer { rows in
            for (filter, scale) in scales.enumerated() where scale != self.scales[filter] {
                let factor = scale > 0 ? self.scales[filter] / scale : 0
                for i in (filter * length)..<((filter + 1) * length) { rows[i] *= factor }
            }
        }
        self.scales = scales
    }

    /// Appends the symbols of each filter, cut into the slices of `layout`.
    func appendSymbols(_ layout: RowLayout, to result: inout GroupFit) {
        let nibbles = geometry.nibbles
        var row = 0
        for _ in scales {
            for rows in layout.rowsOfSlice {
                result.appendPlanes(rows: rows) { j, plane in
                    for i in 0..<rows { plane[i] = symbols[(row + i) * nibbles + j] }
                }
                row += rows
            }
        }
    }

    private func withBuffers(
        _ body: (UnsafePointer<Float>, UnsafeMutablePointer<UInt8>) -> Void
    ) {
        rows.withUnsafeBufferPointer { rows in
            symbols.withUnsafeMutableBufferPointer { symbols in
                guard let rows = rows.baseAddress, let symbols = symbols.baseAddress
                else { return }
                body(rows, symbols)
            }
        }
    }

    /// Calls `body` with every run of neighbouring active rows of a filter that is not zero.
    private func forEachActiveRun(
        _ body: (UnsafePointer<Float>, UnsafeMutablePointer<UInt8>, Int, _ filter: Int) -> Void
    ) {
        let width = geometry.width
        let nibbles = geometry.nibbles
        withBuffers { rows, symbols in
            for filter in scales.indices where scales[filter] > 0 {
                let base = filter * count
                guard let list = active[filter] else {
                    body(rows + base * width, symbols + base * nibbles, count, filter)
                    continue
                }
                var i = 0
                while i < list.count {
                    var end = i + 1
                    while end < list.count, list[end] == list[end - 1] + 1 { end += 1 }
                    let row = base + list[i]
                    body(rows + row * width, symbols + row * nibbles, end - i, filter)
                    i = end
                }
            }
        }
    }
}
