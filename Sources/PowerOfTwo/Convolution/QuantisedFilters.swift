/// The weights of a layer as int8, symmetric, one scale a filter.
package struct QuantisedFilters: Sendable {
    /// `[filters, weights of a filter]`, in -127...127.
    package let values: [Int8]
    /// What the values of each filter are multiplied by; 1 for a filter of zeros.
    package let scales: [Float]

    /// Rounds every weight to the nearest 127th of the largest of its filter, ties to even.
    ///
    /// - Parameter weights: finite, `filters` filters one after another.
    package init(_ weights: UnsafeBufferPointer<Float>, filters: Int) {
        let length = filters > 0 ? weights.count / filters : 0
        var scales = [Float](repeating: 1, count: filters)
        values = [Int8](unsafeUninitializedCapacity: filters * length) { values, count in
            for filter in 0..<filters {
                let row = UnsafeBufferPointer(
                    rebasing: weights[filter * length..<(filter + 1) * length])
                let largest = row.reduce(Float(0)) { max($0, abs($1)) }
                let scale = largest / 127
                // The scale of numbers near the least of all may vanish: they count as zeros.
                if scale > 0 { scales[filter] = scale }
                for i in 0..<length {
                    let level = scale > 0 ? (row[i] / scale).rounded(.toNearestOrEven) : 0
                    values[filter * length + i] = Int8(min(max(level, -127), 127))
                }
            }
            count = filters * length
        }
        self.scales = scales
    }
}
