extension SmartDealWeight {
    /// The symbols of all stored rows a byte each: slice after slice as ``StoredRows`` counts them,
    /// each slice as one plane of its rows for every symbol of a row.
    package func symbolPlanes(_ rows: StoredRows) -> [UInt8] {
        let n = geometry.nibbles
        return [UInt8](unsafeUninitializedCapacity: rows.count * n) { planes, count in
            symbols.withUnsafeBufferPointer { packed in
                guard let to = planes.baseAddress, var from = packed.baseAddress else { return }
                for (start, end) in zip(rows.starts, rows.starts.dropFirst()) {
                    ShiftKernels.selected.unpackNibbles(
                        rows: end - start, nibbles: n, packed: from, symbols: to + start * n,
                        planeStride: end - start)
                    from += geometry.symbolBytes(rows: end - start)
                }
            }
            count = rows.count * n
        }
    }

    /// The weight with other symbols and another basis: the same rows, masks and form of the basis.
    ///
    /// A basis of integers is rounded to them, each by a unit of its own that goes into the scales;
    /// one that holds nothing but such integers stays as it is.
    ///
    /// - Parameters:
    ///   - planes: symbols as ``symbolPlanes(_:)`` gives them.
    ///   - values: the bases, which the scales of the weight multiply.
    /// - Throws: ``PowerOfTwoError`` `.nonFinite`.
    package func repacked(
        _ rows: StoredRows, planes: [UInt8], basis values: [Float]
    ) throws -> SmartDealWeight {
        precondition(planes.count == rows.count * geometry.nibbles && values.count == basis.count)
        let n = geometry.nibbles
        let packed = [UInt8](unsafeUninitializedCapacity: symbols.count) { packed, count in
            planes.withUnsafeBufferPointer { planes in
                guard var to = packed.baseAddress, let from = planes.baseAddress else { return }
                for (start, end) in zip(rows.starts, rows.starts.dropFirst()) {
                    ShiftKernels.selected.packNibbles(
                        rows: end - start, nibbles: n, symbols: from + start * n,
                        planeStride: end - start, packed: to)
                    to += geometry.symbolBytes(rows: end - start)
                }
            }
            count = symbols.count
        }
        guard values.allSatisfy(\.isFinite) else {
            throw PowerOfTwoError(.nonFinite, "the basis holds a NaN or an infinity")
        }
        var newBasis = Basis.float32(values)
        var newScales = scales
        if case .int8 = basis { (newBasis, newScales) = integerBasis(values) }
        return try SmartDealWeight(
            geometry: geometry, alphabet: alphabet, symbols: packed, rowMask: rowMask,
            groupMask: groupMask, basis: newBasis, scales: newScales)
    }

    /// A basis rounded to integers and the scales that go with it.
    private func integerBasis(_ values: [Float]) -> (Basis, FilterScales?) {
        let size = rank * geometry.width
        var integers = [Int8](repeating: 0, count: values.count)
        var units = [Float](repeating: 1, count: geometry.basisCount)
        for index in 0..<geometry.basisCount {
            let elements = values[(index * size)..<((index + 1) * size)]
            let isWhole = elements.allSatisfy { $0.rounded() == $0 && $0 >= -128 && $0 <= 127 }
            let largest = elements.reduce(0) { max($0, abs($1)) }
            // A unit that is too small to divide by leaves nothing to tell apart.
            if !isWhole, largest > 0x1p-100 { units[index] = largest / 127 }
            for (offset, value) in elements.enumerated() {
                let whole = (value / units[index]).rounded(.toNearestOrEven)
                integers[index * size + offset] = Int8(max(-128, min(127, whole)))
            }
        }
        guard units.contains(where: { $0 != 1 }) else { return (.int8(integers), scales) }
        let slices = geometry.sliceCount
        let scaled = (0..<(geometry.filterCount * slices)).map { index in
            let (filter, slice) = (index / slices, index % slices)
            return scale(filter: filter, slice: slice)
                * units[geometry.basisIndex(filter: filter, slice: slice)]
        }
        return (.int8(integers), FilterScales(rounding: scaled))
    }
}
