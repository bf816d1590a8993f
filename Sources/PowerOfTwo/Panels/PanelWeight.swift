/// A ``SmartDealWeight`` arranged for products with vectors, W x: its symbols stay packed, but those
/// of many filters lie side by side, so that a product reads them once, in order, and rebuilds
/// weights in registers only.
///
/// A product quantises x to int8 with one scale, adds integer products of x and int8 weights in
/// int32, and makes one float multiply-add for each filter and slice. The kernel `s8_po2_matvec`
/// states it; every instruction set gives the same bits.
public struct PanelWeight: Sendable {
    public let geometry: WeightGeometry
    let form: PanelForm
    /// The rows of each group of filters; a single one when all groups are alike.
    let rows: [PanelRows]
    let packed: [UInt8]
    let tables: [Int8]
    /// Where each group begins in ``packed`` and ``tables``.
    let offsets: [(packed: Int, tables: Int)]
    /// What all sums are multiplied by, beside the scale of x.
    let factor: Double

    /// Arranges a weight, or returns nil when it has no such form: its basis is stored as floats,
    /// or it drops rows of single filters and its alphabet has no zero to put there.
    public init?(_ weight: SmartDealWeight) {
        guard case .int8 = weight.basis, let scales = weight.scales else { return nil }
        let zero = weight.alphabet.zeroSymbol
        guard weight.rowMask == nil || zero != nil else { return nil }
        let geometry = weight.geometry
        let form = PanelForm(geometry)
        let isUniform = weight.groupMask == nil
        let rows = (0..<(isUniform ? 1 : geometry.groupCount)).map {
            PanelRows(geometry, form, mask: weight.mask(ofGroup: $0))
        }
        let integers = (0..<geometry.basisCount).compactMap { weight.integerTables(basis: $0) }
        let exponents = integers.map { Int($0.unit.exponent) }
        let largest = exponents.max() ?? 0

        var offsets: [(packed: Int, tables: Int)] = []
        var (packedCount, tableCount) = (0, 0)
        for group in 0..<geometry.groupCount {
            offsets.append((packedCount, tableCount))
            let own = rows[isUniform ? 0 : group]
            let panels = Self.panels(of: geometry.filters(ofGroup: group), form)
            packedCount += panels * own.panelBytes
            tableCount += panels * own.runs.count * form.tableBytes
        }
        let filler = UInt8(zero ?? 0) * 0x11
        var packed = [UInt8](repeating: filler, count: packedCount)
        var tables = [Int8](repeating: 0, count: tableCount)
        packed.withUnsafeMutableBufferPointer { packed in
            for group in 0..<geometry.groupCount {
                let own = rows[isUniform ? 0 : group]
                let filters = geometry.filters(ofGroup: group)
                let panels = Self.panels(of: filters, form)
                for panel in 0..<panels {
                    let first = filters.lowerBound + panel * form.filters
                    let members = first..<min(first + form.filters, filters.upperBound)
                    var at = offsets[group].packed + panel * own.panelBytes
                    var to = offsets[group].tables + panel * own.runs.count * form.tableBytes
                    for (index, run) in own.runs.enumerated() {
                        for lane in 0..<PanelForm.scaleCount {
                            let filter = first + lane * form.filtersPerQuad / 4
                            var half: UInt16 = 0
                            if members.contains(filter) {
                                let basis = geometry.basisIndex(filter: filter, slice: run.slice)
                                half = Self.scaled(
                                    scales.halves[filter * geometry.sliceCount + run.slice],
                                    by: exponents[basis] - largest)
                            }
                            packed[at + 2 * lane] = UInt8(truncatingIfNeeded: half)
                            packed[at + 2 * lane + 1] = UInt8(half >> 8)
                        }
                        for quad in 0..<form.quads {
                            let filter = first + quad * form.filtersPerQuad
                            guard members.contains(filter) else { break }
                            let basis = geometry.basisIndex(filter: filter, slice: run.slice)
                            let entries = integers[basis].entries
                            for i in 0..<(form.nibbles * form.width) {
                                for k in 0..<Alphabet.capacity {
                                    tables[to + (i * form.quads + quad) * Alphabet.capacity + k] =
                                        entries[i * Alphabet.capacity + k]
                                }
                            }
                        }
                        at += 2 * PanelForm.scaleCount + Int(own.steps[index]) * form.stepBytes
                        to += form.tableBytes
                    }
                }
            }
            guard let base = packed.baseAddress else { return }
            weight.placeSymbols(rows, form, offsets.map(\.packed), into: base)
        }
        self.geometry = geometry
        self.form = form
        self.rows = rows
        self.packed = packed
        self.tables = tables
        self.offsets = offsets
        factor = Double(sign: .plus, exponent: scales.exponent + largest, significand: 1)
    }

    /// Bytes of symbols, scales, tables and masks in this form.
    public var byteCount: Int {
        packed.count + tables.count + rows.reduce(0) { $0 + ($1.selection?.bytes.count ?? 0) }
    }

    static func panels(of filters: Range<Int>, _ form: PanelForm) -> Int {
        (filters.count + form.filters - 1) / form.filters
    }

    /// A half float times a power of two, rounded.
    private static func scaled(_ half: UInt16, by exponent: Int) -> UInt16 {
        guard exponent != 0 else { return half }
        let value = Double(Float16(bitPattern: half))
        return Float16(value * Double(sign: .plus, exponent: exponent, significand: 1)).bitPattern
    }
}

extension Alphabet {
    /// A symbol that stands for zero, if there is one.
    var zeroSymbol: Int? {
        (0..<symbolCount).first { self[$0].allSatisfy { $0 == 0 } }
            ?? (symbolCount < Self.capacity ? symbolCount : nil)
    }
}

extension SmartDealWeight {
    /// Writes the symbols of all filters into panels that hold zeros, or zero symbols, till now.
    ///
    /// - Parameter offsets: where the panels of each group begin.
    fileprivate func placeSymbols(
        _ rows: [PanelRows], _ form: PanelForm, _ offsets: [Int],
        into packed: UnsafeMutablePointer<UInt8>
    ) {
        let n = form.nibbles
        let rowsPerStep = form.rowsPerStep
        var known: (group: Int, layout: RowLayout, starts: [Int])?
        forEachSlice { filter, slice, symbols, count in
            let group = filter / WeightGeometry.groupSize
            let own = rows[rows.count == 1 ? 0 : group]
            // Which rows of the slice are stored, where single filters drop some.
            var stored: [Int]?
            if rowMask != nil {
                if known?.group != group {
                    let layout = RowLayout(geometry, mask: mask(ofGroup: group))
                    known = (group, layout, layout.sliceStarts)
                }
                if let known, let mask = rowMask(ofFilter: filter, known.layout) {
                    let first = known.starts[slice]
                    stored = (0..<known.layout.rowsOfSlice[slice]).filter { mask[first + $0] }
                }
            }
            let local = filter % WeightGeometry.groupSize
            let inPanel = local % form.filters
            let isHigh = inPanel >= form.filters / 2
            let mask: UInt8 = isHigh ? 0x0F : 0xF0
            let shift: UInt8 = isHigh ? 4 : 0
            var at = offsets[group] + local / form.filters * own.panelBytes
            at += inPanel % (form.filters / 2) * rowsPerStep
            var next = 0
            for (index, run) in own.runs.enumerated() {
                at += 2 * PanelForm.scaleCount
                if run.slice == slice {
                    let end = run.firstRow + run.rows
                    while next < count, (stored?[next] ?? next) < end {
                        let row = (stored?[next] ?? next) - run.firstRow
                        let to =
                            packed + at + row / rowsPerStep * form.stepBytes + row % rowsPerStep
                        for j in 0..<n {
                            let byte = to + j * PanelForm.planeBytes
                            byte.pointee = byte.pointee & mask | symbols[next * n + j] << shift
                        }
                        next += 1
                    }
                }
                at += Int(own.steps[index]) * form.stepBytes
            }
        }
    }
}
