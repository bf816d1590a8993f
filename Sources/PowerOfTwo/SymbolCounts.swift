/// How often each symbol is stored, and in how many rows one that is not zero.
package struct SymbolCounts: Sendable {
    /// `[16]`; beyond the alphabet are nibbles of foreign files, which stand for zero.
    package private(set) var symbols = [Int](repeating: 0, count: Alphabet.capacity)
    package private(set) var nonzeroRows = 0

    package init() {}

    package mutating func add(_ other: SymbolCounts) {
        for k in symbols.indices { symbols[k] += other.symbols[k] }
        nonzeroRows += other.nonzeroRows
    }

    fileprivate mutating func add(rows: Int) { nonzeroRows += rows }

    /// Adds `count` of a byte's low and high symbol.
    fileprivate mutating func add(low: Int, high: Int, _ count: Int) {
        symbols[low] += count
        symbols[high] += count
    }

    fileprivate mutating func remove(_ symbol: Int) { symbols[symbol] -= 1 }
}

/// Bytes counted by value, in two tables that take turns, for equal bytes follow each other often
/// and a count that waits for the one before costs four times as much.
private struct ByteHistogram {
    private var even = [UInt32](repeating: 0, count: 256)
    private var odd = [UInt32](repeating: 0, count: 256)

    mutating func add(_ bytes: UnsafePointer<UInt8>, count: Int) {
        even.withUnsafeMutableBufferPointer { even in
            odd.withUnsafeMutableBufferPointer { odd in
                guard let even = even.baseAddress, let odd = odd.baseAddress else { return }
                var i = 0
                while i + 2 <= count {
                    even[Int(bytes[i])] &+= 1
                    odd[Int(bytes[i + 1])] &+= 1
                    i += 2
                }
                if i < count { even[Int(bytes[i])] &+= 1 }
            }
        }
    }

    subscript(value: Int) -> Int { Int(even[value]) + Int(odd[value]) }
}

extension SmartDealWeight {
    /// Counts the symbols of a group of filters, straight from the packed bytes.
    package func symbolCounts(ofGroup group: Int) -> SymbolCounts {
        let layout = RowLayout(geometry, mask: mask(ofGroup: group))
        let n = geometry.nibbles
        // Bit 0 when the low symbol of a byte has a coefficient that is not zero, bit 1 for the high.
        let isNonzero = (0..<Alphabet.capacity).map { symbol in
            symbol < alphabet.symbolCount && alphabet[symbol].contains { $0 != 0 }
        }
        let halves = (0..<256).map { byte -> UInt8 in
            (isNonzero[byte & 15] ? 1 : 0) | (isNonzero[byte >> 4] ? 2 : 0)
        }
        let rowsAreNonzero = isNonzero.allSatisfy { $0 }
        var counts = SymbolCounts()
        var histogram = ByteHistogram()
        symbols.withUnsafeBufferPointer { bytes in
            guard var from = bytes.baseAddress else { return }
            let filters = geometry.filters(ofGroup: group)
            from += symbolOffsets[filters.lowerBound]
            histogram.add(
                from, count: symbolOffsets[filters.upperBound] - symbolOffsets[filters.lowerBound])
            for filter in filters {
                let mask = rowMask(ofFilter: filter, layout)
                var first = 0
                for present in layout.rowsOfSlice {
                    let stored =
                        mask.map { mask in (first..<(first + present)).count { mask[$0] } }
                        ?? present
                    first += present
                    var left = stored
                    if rowsAreNonzero {
                        counts.add(rows: stored)
                        if stored % 2 == 0 {
                            from += geometry.symbolBytes(rows: stored)
                            continue
                        }
                    }
                    while left > 0 {
                        let rows = min(left, ShiftKernels.chunkRows)
                        let half = (rows + 1) / 2
                        if !rowsAreNonzero {
                            counts.add(rows: nonzeroRows(from, rows: rows, planes: n, halves))
                        }
                        // The last high nibble of a plane stands for no row when rows are odd.
                        for j in 0..<n where rows % 2 == 1 {
                            counts.remove(Int(from[j * half + half - 1] >> 4))
                        }
                        from += n * half
                        left -= rows
                    }
                }
            }
        }
        for value in 0..<256 { counts.add(low: value & 15, high: value >> 4, histogram[value]) }
        return counts
    }

    /// The rows of a chunk that have a coefficient that is not zero.
    private func nonzeroRows(
        _ planes: UnsafePointer<UInt8>, rows: Int, planes n: Int, _ halves: [UInt8]
    ) -> Int {
        let half = (rows + 1) / 2
        return halves.withUnsafeBufferPointer { halves in
            guard let halves = halves.baseAddress else { return 0 }
            var count = 0
            for i in 0..<half {
                var used: UInt8 = 0
                for j in 0..<n { used |= halves[Int(planes[j * half + i])] }
                if i + half >= rows { used &= 1 }
                count += Int(used & 1) + Int(used >> 1)
            }
            return count
        }
    }
}
