import PowerOfTwo

/// Symbols in the order of ONNX files, two a byte, the first in the low half: between them and the
/// chunks of planes that a ``SmartDealWeight`` keeps.
enum PlainSymbols {
    /// The symbols of a weight, with `padding` more symbols of zero at the end.
    static func bytes(of weight: SmartDealWeight, padding: Int) -> [UInt8] {
        let n = weight.geometry.nibbles
        var bytes: [UInt8] = []
        bytes.reserveCapacity(weight.symbols.count + padding)
        var isHalf = false
        weight.forEachSlice { _, _, symbols, rows in
            var index = 0
            let count = rows * n
            if isHalf, count > 0 {
                bytes[bytes.count - 1] |= symbols[0] << 4
                index = 1
            }
            while index + 1 < count {
                bytes.append(symbols[index] | symbols[index + 1] << 4)
                index += 2
            }
            if index < count { bytes.append(symbols[index]) }
            if count > 0 { isHalf = index < count }
        }
        for _ in 0..<padding {
            if !isHalf { bytes.append(0) }
            isHalf.toggle()
        }
        return bytes
    }

    /// The symbols as a ``SmartDealWeight`` keeps them.
    ///
    /// - Parameters:
    ///   - bytes: as ``bytes(of:padding:)`` gives them; enough for all rows.
    ///   - rowsOfSlices: calls its argument with the stored rows of each slice of each filter.
    static func packed(
        _ bytes: UnsafeRawBufferPointer, geometry: WeightGeometry,
        rowsOfSlices: ((Int) -> Void) -> Void
    ) -> [UInt8] {
        let n = geometry.nibbles
        var planes: [UInt8] = []
        var packed: [UInt8] = []
        packed.reserveCapacity(bytes.count)
        var first = 0
        rowsOfSlices { rows in
            guard rows > 0 else { return }
            let count = rows * n
            if planes.count < count { planes = [UInt8](repeating: 0, count: count) }
            let begin = packed.count
            packed.append(
                contentsOf: repeatElement(0, count: geometry.symbolBytes(rows: rows)))
            planes.withUnsafeMutableBufferPointer { planes in
                for row in 0..<rows {
                    for j in 0..<n {
                        let index = first + row * n + j
                        let byte = bytes[index >> 1]
                        planes[j * rows + row] = index & 1 == 0 ? byte & 15 : byte >> 4
                    }
                }
                packed.withUnsafeMutableBufferPointer { packed in
                    guard let planes = planes.baseAddress, let packed = packed.baseAddress else {
                        return
                    }
                    ShiftKernels.selected.packNibbles(
                        rows: rows, nibbles: n, symbols: planes, planeStride: rows,
                        packed: packed + begin)
                }
            }
            first += count
        }
        return packed
    }
}
