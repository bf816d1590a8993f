import PowerOfTwo

/// Reference mode: the authors' iteration on every slice of every filter, one coefficient a
/// symbol.
struct ReferenceFitter: GroupFitter {
    let alphabet = Alphabet.single
    let geometry: WeightGeometry
    let options: LayerOptions
    /// Whether rows below 5 theta are dropped: asked for, and a 3x3 convolution.
    let rowsAreSparse: Bool

    func fit(_ weights: UnsafeBufferPointer<Float>, group: Int) -> GroupFit {
        let width = geometry.width
        let mask = StructuralPruning.mask(of: weights, geometry, options)
        let layout = RowLayout(geometry, mask: mask)
        let filters = weights.count / geometry.filterLength
        var result = GroupFit(layout, mask: mask, filters: filters, nibbles: width)
        let fitter = AlternatingFit(
            width: width, largestRows: geometry.rowsPerSlice, rowsAreSparse: rowsAreSparse,
            options: options)
        var singles = SingleSymbols()
        let needsGather = mask != nil || geometry.filterLength % width != 0
        var rows = [Float](repeating: 0, count: needsGather ? geometry.rowCount * width : 1)
        rows.withUnsafeMutableBufferPointer { buffer in
            guard let gathered = buffer.baseAddress, let base = weights.baseAddress else { return }
            for filter in 0..<filters {
                var rows = base + filter * geometry.filterLength
                if needsGather {
                    layout.gather(rows, into: gathered)
                    rows = UnsafePointer(gathered)
                }
                var first = 0
                for (slice, present) in layout.rowsOfSlice.enumerated() {
                    let begin = slice * geometry.rowsPerSlice
                    let end = min(begin + geometry.rowsPerSlice, geometry.rowCount)
                    fitter.fit(rows + begin * width, rows: end - begin)
                    let largest = singles.limitExponents(of: fitter, width: width)
                    let presentRows = layout.presentRows?[first..<(first + present)]
                    result.appendPlanes(rows: present) { j, symbols in
                        SingleSymbols.write(
                            fitter.columns + j * fitter.columnLength, rows: presentRows,
                            first: begin, count: present, largest: largest, to: symbols)
                    }
                    appendBasis(of: fitter, largest: largest, to: &result)
                    first += present
                }
                result.appendZeroRows(ofLastFilter: layout)
            }
        }
        result.exponents = singles.exponents
        return result
    }

    private func appendBasis(
        of fitter: AlternatingFit, largest: Int, to result: inout GroupFit
    ) {
        let width = geometry.width
        let factor = Double(sign: .plus, exponent: largest, significand: 1)
        let basis = fitter.basisElements
        let elements = (0..<(width * width)).map { Float(basis[$0] * factor) }
        if options.basisBits == 32 {
            result.floatBasis += elements
            return
        }
        let (integers, scale) = IntegerBasis.rounded(
            elements, gram: fitter.gramElements, width: width)
        result.integerBasis += integers
        result.scales.append(scale)
    }
}
