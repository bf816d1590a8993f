import DenseMath
import PowerOfTwo

/// `best` mode: rows of up to 32 filters share a basis; every row's symbols are the nearest of all
/// combinations; every filter has a scale.
struct JointFitter: GroupFitter {
    let alphabet: Alphabet
    let geometry: WeightGeometry
    let options: LayerOptions
    /// Whether rows below 5 theta are dropped: asked for, and a 3x3 convolution.
    let rowsAreSparse: Bool
    let effort: SearchEffort
    let seed: UInt64
    /// The bases that every group starts from; nil when each looks for its own.
    private var starts: [[Double]]?

    /// Looks for bases that suit the tensor as a whole, on a few groups of it. Groups then need
    /// few passes of their own, and still do not depend on each other.
    init(
        for tensor: WeightTensor, alphabet: Alphabet, geometry: WeightGeometry,
        options: LayerOptions, rowsAreSparse: Bool, effort: SearchEffort, seed: UInt64
    ) {
        self.alphabet = alphabet
        self.geometry = geometry
        self.options = options
        self.rowsAreSparse = rowsAreSparse
        self.effort = effort
        self.seed = seed
        let filters = min(WeightGeometry.groupSize, geometry.filterCount)
        guard filters * geometry.rowCount > effort.ownStartRows else { return }
        let groups = min(effort.sampledGroups, geometry.groupCount)
        var sample: [Float] = []
        for index in 0..<groups {
            let filters = geometry.filters(ofGroup: index * geometry.groupCount / groups)
            tensor.weights(ofFilters: filters).withUnsafeBufferPointer { weights in
                let layout = RowLayout(
                    geometry, mask: StructuralPruning.mask(of: weights, geometry, options))
                sample += scaledRows(0..<filters.count, of: weights, layout)
                    .sample(effort.finalistRows / groups)
            }
        }
        var random = SplitMix64(seed: seed)
        starts = JointStarts(effort: effort, search: newSearch).found(on: sample, &random)
    }

    func fit(_ weights: UnsafeBufferPointer<Float>, group: Int) -> GroupFit {
        let mask = StructuralPruning.mask(of: weights, geometry, options)
        let layout = RowLayout(geometry, mask: mask)
        let filters = weights.count / geometry.filterLength
        var result = GroupFit(
            layout, mask: mask, filters: filters, nibbles: geometry.nibbles)
        let search = newSearch
        for first in stride(from: 0, to: filters, by: geometry.filtersPerBasis) {
            let range = first..<min(first + geometry.filtersPerBasis, filters)
            let rows = scaledRows(range, of: weights, layout)
            findBasis(of: rows, search, index: group * WeightGeometry.groupSize + first)
            finish(rows, layout, search, into: &result)
        }
        return result
    }

    private var newSearch: JointSearch {
        JointSearch(nibbles: geometry.nibbles, width: geometry.width, alphabet: alphabet)
    }

    private func scaledRows(
        _ filters: Range<Int>, of weights: UnsafeBufferPointer<Float>, _ layout: RowLayout
    ) -> ScaledRows {
        ScaledRows(
            filters, of: weights, layout, geometry,
            dropBelow: rowsAreSparse ? Float(5 * options.threshold) : 0)
    }

    /// Rounds the basis that is in use and chooses symbols and scales for it.
    private func finish(
        _ rows: ScaledRows, _ layout: RowLayout, _ search: JointSearch,
        into result: inout GroupFit
    ) {
        let scales: [Float]
        if options.basisBits == 32 {
            result.floatBasis += search.basis.map { Float($0) }
            search.use(search.basis.map { Double(Float($0)) })
            scales = rows.scales.map { FilterScales.rounded($0) }
        } else {
            let (integers, scale) = IntegerBasis.rounded(search.basis.map { Float($0) })
            result.integerBasis += integers
            search.use(integers.map { Double($0) })
            scales = rows.scales.map { FilterScales.rounded($0 * scale) }
        }
        rows.rescale(to: scales)
        rows.assignAll(search)
        // The rounded basis has a best scale of its own.
        rows.rescale(to: rows.bestScales(search).map { FilterScales.rounded($0) })
        rows.assignAll(search)
        result.scales += rows.scales
        rows.appendSymbols(layout, to: &result)
        result.droppable += rows.droppable
    }

    /// Leaves in `search` a basis for the rows, whose scales may change by it.
    private func findBasis(of rows: ScaledRows, _ search: JointSearch, index: Int) {
        guard rows.activeRows > 0 else { return }
        let sample = rows.sample(min(effort.finalistRows, 1024))
        let finder = JointStarts(effort: effort, search: search)
        let candidates: [[Double]]
        if let starts {
            candidates =
                starts.count > 1
                ? finder.ranked(starts, on: sample, passes: effort.choicePasses) : starts
        } else {
            var random = SplitMix64(seed: seed ^ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
            candidates = finder.found(on: sample, &random)
        }
        guard let best = candidates.first else { return }
        search.use(best)
        var last = Double.infinity
        for pass in 0..<effort.passes {
            rows.assignActive(search)
            if pass > 0 {
                rows.rescale(to: rows.bestScales(search))
            }
            search.clearMoments()
            rows.addActive(to: search)
            let error = search.refit()
            if last - error < effort.smallestGain * last { break }
            last = error
        }
    }
}
