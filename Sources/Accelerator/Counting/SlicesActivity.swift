extension Dataflow {
    /// Slices of lines of serial MACs.
    ///
    /// A line convolves one row with one kernel row, `f` outputs at a time, and a weight goes to all
    /// of them; lines of a slice are added up and slices share what lines read. A segment of an
    /// output row takes as long as the busiest line of the busiest slice.
    /// - Source: SmartExchange (ISCA 2020), architecture.
    func slices(_ work: PassWork, m: Int, c: Int, f: Int, reuse: Double) -> ArrayActivity {
        let shape = work.shape
        let channels = shape.channelsPerGroup
        let segments = tiles(shape.outputWidth, f)
        let isGrouped = shape.groups > 1
        // Lines that a group's few channels leave free take other output rows of it.
        let outputRows =
            isGrouped ? tiles(shape.outputHeight, max(1, c / channels)) : shape.outputHeight
        let rowsOfLine = Double(tiles(channels, c) * shape.kernelHeight)
        let kernelRows: Double
        if let counts = work.rowCounts {
            kernelRows =
                Double(counts.busiestRows(slices: m, lines: c)) * work.activationDensity
        } else {
            kernelRows =
                Double(tiles(shape.filters, m)) * rowsOfLine
                * Self.busiestShare(work.weightDensity * work.activationDensity, of: rowsOfLine)
        }
        var activity = ArrayActivity()
        activity.cycles =
            work.batch * Double(outputRows * segments) * kernelRows * Double(shape.kernelWidth)
            * work.synchronousDigits
        activity.products = work.performed

        // A row is read for all slices when one of them needs it.
        let masks = tiles(min(m, shape.filtersPerGroup), work.filtersPerMask)
        let needed = 1 - power(1 - work.weightDensity, masks)
        let step = min(shape.strideWidth, shape.kernelWidth)
        let segmentWords =
            step * (shape.outputWidth - segments) + shape.kernelWidth * segments
        activity.inputReads =
            work.batch * work.groups * work.filterTiles(m)
            * Double(shape.outputHeight * channels * shape.kernelHeight * segmentWords)
            * needed * work.activationDensity
        activity.weightPasses = work.batch * Double(shape.outputHeight * segments) / reuse
        activity.outputPasses = Double(tiles(channels, c))
        activity.registers = [
            (.input, work.performed / Double(shape.kernelWidth), activity.inputReads),
            (.partialSum, work.performed, work.performed),
        ]
        return activity
    }

    /// What the busiest of many lines works on when each of its `rows` rows is needed with the
    /// given probability: the mean and one standard deviation.
    static func busiestShare(_ density: Double, of rows: Double) -> Double {
        min(1, density + (density * (1 - density) / rows).squareRoot())
    }
}

/// base^exponent by squaring.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, left) = (1.0, base, exponent)
    while left > 0 {
        if left & 1 == 1 { result *= factor }
        factor *= factor
        left >>= 1
    }
    return result
}
