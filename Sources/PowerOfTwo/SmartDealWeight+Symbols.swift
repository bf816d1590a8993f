extension SmartDealWeight {
    /// Calls `body` for every filter and slice with its stored symbols, `[rows, nibbles]`, and the
    /// number of rows.
    package func forEachSlice(
        _ body: (_ filter: Int, _ slice: Int, _ symbols: UnsafePointer<UInt8>, _ rows: Int) -> Void
    ) {
        let n = geometry.nibbles
        var planes = [UInt8](repeating: 0, count: geometry.rowCount * n)
        var rows = planes
        for group in 0..<geometry.groupCount {
            let layout = RowLayout(geometry, mask: mask(ofGroup: group))
            for filter in geometry.filters(ofGroup: group) {
                let mask = rowMask(ofFilter: filter, layout)
                var offset = symbolOffsets[filter]
                var first = 0
                for (slice, present) in layout.rowsOfSlice.enumerated() {
                    let stored =
                        mask.map { mask in (first..<(first + present)).count { mask[$0] } }
                        ?? present
                    planes.withUnsafeMutableBufferPointer { planes in
                        rows.withUnsafeMutableBufferPointer { rows in
                            symbols.withUnsafeBufferPointer { bytes in
                                guard stored > 0, let planes = planes.baseAddress,
                                    let rows = rows.baseAddress, let bytes = bytes.baseAddress
                                else { return }
                                ShiftKernels.selected.unpackNibbles(
                                    rows: stored, nibbles: n, packed: bytes + offset,
                                    symbols: planes, planeStride: stored)
                                for row in 0..<stored {
                                    for j in 0..<n { rows[row * n + j] = planes[j * stored + row] }
                                }
                                body(filter, slice, UnsafePointer(rows), stored)
                            }
                        }
                    }
                    offset += geometry.symbolBytes(rows: stored)
                    first += present
                }
            }
        }
    }
}
