extension SmartDealWeight {
    /// Returns the dense weights, row-major in the shape of the geometry.
    ///
    /// The same bits on every instruction set.
    public func rebuilt() -> [Float] { rebuilt(filters: 0..<geometry.filterCount, on: .selected) }

    /// Returns the dense weights of some filters.
    public func rebuilt(filters: Range<Int>) -> [Float] { rebuilt(filters: filters, on: .selected) }

    package func rebuilt(filters: Range<Int>, on kernels: ShiftKernels) -> [Float] {
        [Float](unsafeUninitializedCapacity: filters.count * geometry.filterLength) { out, count in
            if let base = out.baseAddress { rebuild(filters: filters, on: kernels, into: base) }
            count = filters.count * geometry.filterLength
        }
    }

    /// Writes the dense weights of some filters, `filters.count * filterLength` floats.
    package func rebuild(filters: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        rebuild(filters: filters, on: .selected, into: out)
    }

    package func rebuild(
        filters: Range<Int>, on kernels: ShiftKernels,
        into out: UnsafeMutablePointer<Float>
    ) {
        var filter = filters.lowerBound
        let scratch = RebuildScratch(geometry)
        while filter < filters.upperBound {
            let group = filter / WeightGeometry.groupSize
            let layout = RowLayout(geometry, mask: mask(ofGroup: group))
            let end = min(geometry.filters(ofGroup: group).upperBound, filters.upperBound)
            for index in filter..<end {
                let to = out + (index - filters.lowerBound) * geometry.filterLength
                rebuild(filter: index, layout, kernels, scratch, into: to)
            }
            filter = end
        }
    }

    private func rebuild(
        filter: Int, _ layout: RowLayout, _ kernels: ShiftKernels, _ scratch: RebuildScratch,
        into out: UnsafeMutablePointer<Float>
    ) {
        let width = geometry.width
        let mask = rowMask(ofFilter: filter, layout)
        let isDirect = layout.keptPositions == nil && geometry.filterLength % width == 0
        let rows = isDirect ? out : scratch.rows
        if mask != nil || layout.presentRows != nil {
            rows.update(repeating: 0, count: layout.spannedRows * width)
        }
        var offset = symbolOffsets[filter]
        var first = 0
        for (slice, present) in layout.rowsOfSlice.enumerated() where present > 0 {
            let storedRows = mask.map { mask in (first..<(first + present)).filter { mask[$0] } }
            let stored = storedRows?.count ?? present
            let isContiguous = storedRows == nil && layout.presentRows == nil
            let target =
                isContiguous ? rows + slice * geometry.rowsPerSlice * width : scratch.staging
            let basis = geometry.basisIndex(filter: filter, slice: slice)
            symbols.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress, stored > 0 else { return }
                kernels.rebuild(
                    rows: stored, nibbles: geometry.nibbles, width: width, packed: base + offset,
                    tables: scratch.tables(of: self, basis: basis),
                    scale: scale(filter: filter, slice: slice), into: target)
            }
            if !isContiguous {
                for i in 0..<stored {
                    let index = storedRows?[i] ?? (first + i)
                    let row = layout.presentRows?[index] ?? index
                    (rows + row * width).update(from: target + i * width, count: width)
                }
            }
            offset += geometry.symbolBytes(rows: stored)
            first += present
        }
        if !isDirect { layout.scatter(rows, into: out) }
    }

    /// The look-up tables of a basis, see ``Alphabet/tables(nibbles:width:basis:into:)``.
    package func tables(basis index: Int, into tables: UnsafeMutablePointer<Float>) {
        let count = rank * geometry.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { elements in
            guard let start = elements.baseAddress else { return }
            for i in 0..<count { (start + i).initialize(to: basis[index * count + i]) }
            alphabet.tables(
                nibbles: geometry.nibbles, width: geometry.width, basis: start, into: tables)
        }
    }
}

/// What rebuilding keeps between filters: rows of one filter, staged rows, the last tables.
private final class RebuildScratch {
    let rows: UnsafeMutablePointer<Float>
    let staging: UnsafeMutablePointer<Float>
    private let tables: UnsafeMutablePointer<Float>
    private var basis: Int?

    init(_ geometry: WeightGeometry) {
        let count = geometry.rowCount * geometry.width
        rows = .allocate(capacity: count)
        staging = .allocate(capacity: count)
        tables = .allocate(
            capacity: geometry.nibbles * geometry.width * Alphabet.capacity)
    }

    deinit {
        rows.deallocate()
        staging.deallocate()
        tables.deallocate()
    }

    /// The tables of a basis, made anew only when it is another one than before.
    func tables(of weight: SmartDealWeight, basis index: Int) -> UnsafePointer<Float> {
        if basis != index {
            weight.tables(basis: index, into: tables)
            basis = index
        }
        return UnsafePointer(tables)
    }
}
