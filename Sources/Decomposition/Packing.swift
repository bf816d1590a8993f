import DenseMath
import PowerOfTwo

/// From fitted groups to the packed weight.
enum Packing {
    /// Packs all groups of a weight. Rows that need not be stored are left out when the nibbles
    /// that they save outweigh the row masks.
    static func pack(
        _ groups: [GroupFit], _ geometry: WeightGeometry, _ alphabet: Alphabet, basisBits: Int,
        threads: Int
    ) throws -> SmartDealWeight {
        let nibbles = geometry.nibbles
        let stored = groups.reduce(0) { $0 + $1.symbols.count / nibbles }
        let droppable = groups.reduce(0) { sum, group in
            group.droppable.reduce(sum) { $0 + ($1?.setCount ?? 0) }
        }
        let dropsRows = droppable * nibbles * 4 > stored
        let parts = try ParallelLoop.map(groups.count, threads: threads) { index in
            pack(groups[index], geometry, dropsRows: dropsRows)
        }
        let groupMask: [UInt8]? =
            groups.contains { $0.mask != nil }
            ? joined(groups) {
                ($0.mask ?? BitMask(count: geometry.positionCount, repeating: true)).bytes
            } : nil
        let scales = joined(groups, \.scales)
        return try SmartDealWeight(
            geometry: geometry, alphabet: alphabet, symbols: joined(parts, \.symbols),
            rowMask: dropsRows ? joined(parts, \.rowMask) : nil, groupMask: groupMask,
            basis: basisBits == 32
                ? .float32(joined(groups, \.floatBasis)) : .int8(joined(groups, \.integerBasis)),
            scales: scales.isEmpty ? nil : FilterScales(rounding: scales))
    }

    /// The arrays of all parts, one after another, copied whole.
    private static func joined<Part, Element>(
        _ parts: [Part], _ array: (Part) -> [Element]
    ) -> [Element] {
        var result: [Element] = []
        result.reserveCapacity(parts.reduce(0) { $0 + array($1).count })
        for part in parts { result.append(contentsOf: array(part)) }
        return result
    }

    private static func pack(
        _ group: GroupFit, _ geometry: WeightGeometry, dropsRows: Bool
    ) -> (symbols: [UInt8], rowMask: [UInt8]) {
        let nibbles = geometry.nibbles
        let layout = RowLayout(geometry, mask: group.mask)
        let most = layout.rowsOfSlice.reduce(0) { $0 + geometry.symbolBytes(rows: $1) }
        var rowMask: [UInt8] = []
        var kept = [UInt8](repeating: 0, count: dropsRows ? layout.rowCount * nibbles : 0)
        let packed = [UInt8](unsafeUninitializedCapacity: group.droppable.count * most) {
            packed, bytes in
            group.symbols.withUnsafeBufferPointer { symbols in
                kept.withUnsafeMutableBufferPointer { kept in
                    guard var to = packed.baseAddress, var from = symbols.baseAddress
                    else { return }
                    for dropped in group.droppable {
                        if dropsRows {
                            rowMask += (dropped ?? BitMask(count: layout.rowCount)).inverted.bytes
                        }
                        let isWhole = !dropsRows || dropped == nil
                        var first = 0
                        for rows in layout.rowsOfSlice {
                            var planes = from
                            var stored = rows
                            if !isWhole, let dropped, let base = kept.baseAddress {
                                stored = keep(
                                    first..<(first + rows), not: dropped, from: from,
                                    planes: nibbles, into: base)
                                planes = UnsafePointer(base)
                            }
                            ShiftKernels.selected.packNibbles(
                                rows: stored, nibbles: nibbles, symbols: planes,
                                planeStride: stored, packed: to)
                            to += geometry.symbolBytes(rows: stored)
                            bytes += geometry.symbolBytes(rows: stored)
                            from += rows * nibbles
                            first += rows
                        }
                    }
                }
            }
        }
        return (packed, rowMask)
    }

    /// Moves together the symbols of the rows of a slice that are not dropped; returns their
    /// number.
    private static func keep(
        _ rows: Range<Int>, not dropped: BitMask, from symbols: UnsafePointer<UInt8>, planes: Int,
        into kept: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let list = rows.filter { !dropped[$0] }
        for j in 0..<planes {
            let plane = symbols + j * rows.count - rows.lowerBound
            for (i, row) in list.enumerated() { kept[j * list.count + i] = plane[row] }
        }
        return list.count
    }
}
