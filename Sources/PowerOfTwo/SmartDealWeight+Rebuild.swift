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
        symbols.withUnsafeBufferPointer { symbols in
            guard let symbols = symbols.baseAddress else {
                return out.update(repeating: 0, count: filters.count * geometry.filterLength)
            }
            while filter < filters.upperBound {
                let group = filter / WeightGeometry.groupSize
                let layout = RowLayout(geometry, mask: mask(ofGroup: group))
                let end = min(geometry.filters(ofGroup: group).upperBound, filters.upperBound)
                let to = out + (filter - filters.lowerBound) * geometry.filterLength
                if rowMask == nil, layout.keptPositions == nil, layout.presentRows == nil,
                    geometry.filterLength % geometry.width == 0
                {
                    rebuildWhole(filter..<end, layout, kernels, scratch, symbols, into: to)
                } else {
                    for index in filter..<end {
                        rebuild(
                            filter: index, layout, kernels, scratch, symbols,
                            into: to + (index - filter) * geometry.filterLength)
                    }
                }
                filter = end
            }
        }
    }

    /// Filters of which nothing is dropped. Slices may be as short as 128 rows, for which a kernel
    /// takes no longer than a few divisions.
    private func rebuildWhole(
        _ filters: Range<Int>, _ layout: RowLayout, _ kernels: ShiftKernels,
        _ scratch: RebuildScratch, _ symbols: UnsafePointer<UInt8>,
        into out: UnsafeMutablePointer<Float>
    ) {
        let (nibbles, width) = (geometry.nibbles, geometry.width)
        let counts = layout.rowsOfSlice.map { rows in
            (rows: rows, bytes: geometry.symbolBytes(rows: rows))
        }
        var from = symbols + symbolOffsets[filters.lowerBound]
        var to = out
        var next = filters.lowerBound * counts.count
        for filter in filters {
            var tables = scratch.tables(of: self, filter: filter)
            for count in counts {
                kernels.rebuild(
                    rows: count.rows, nibbles: nibbles, width: width, packed: from,
                    tables: tables, scale: scales?[next] ?? 1, into: to)
                from += count.bytes
                to += count.rows * width
                tables += scratch.tableSize
                next += 1
            }
        }
    }

    private func rebuild(
        filter: Int, _ layout: RowLayout, _ kernels: ShiftKernels, _ scratch: RebuildScratch,
        _ symbols: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<Float>
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
        let tables = scratch.tables(of: self, filter: filter)
        for (slice, present) in layout.rowsOfSlice.enumerated() where present > 0 {
            let storedRows = mask.map { mask in (first..<(first + present)).filter { mask[$0] } }
            let stored = storedRows?.count ?? present
            let isContiguous = storedRows == nil && layout.presentRows == nil
            let target =
                isContiguous ? rows + slice * geometry.rowsPerSlice * width : scratch.staging
            kernels.rebuild(
                rows: stored, nibbles: geometry.nibbles, width: width, packed: symbols + offset,
                tables: tables + slice * scratch.tableSize,
                scale: scale(filter: filter, slice: slice), into: target)
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

/// What rebuilding keeps between filters: rows of one filter, staged rows, the tables of all slices
/// of the filters that share bases.
private final class RebuildScratch {
    let rows: UnsafeMutablePointer<Float>
    let staging: UnsafeMutablePointer<Float>
    /// Floats of the tables of a slice.
    let tableSize: Int
    private let tables: UnsafeMutablePointer<Float>
    private let sliceCount: Int
    private let filtersPerBasis: Int
    private var shared: Int?

    init(_ geometry: WeightGeometry) {
        let count = geometry.rowCount * geometry.width
        rows = .allocate(capacity: count)
        staging = .allocate(capacity: count)
        tableSize = geometry.nibbles * geometry.width * Alphabet.capacity
        sliceCount = geometry.sliceCount
        filtersPerBasis = geometry.filtersPerBasis
        tables = .allocate(capacity: sliceCount * tableSize)
    }

    deinit {
        rows.deallocate()
        staging.deallocate()
        tables.deallocate()
    }

    /// The tables of every slice of a filter, made anew only when it has other bases than the one
    /// before.
    func tables(of weight: SmartDealWeight, filter: Int) -> UnsafePointer<Float> {
        if shared != filter / filtersPerBasis {
            shared = filter / filtersPerBasis
            for slice in 0..<sliceCount {
                weight.tables(
                    basis: weight.geometry.basisIndex(filter: filter, slice: slice),
                    into: tables + slice * tableSize)
            }
        }
        return UnsafePointer(tables)
    }
}
