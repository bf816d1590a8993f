extension Dataflow {
    /// Rows of kernels against rows of inputs.
    ///
    /// R x E elements make a two-dimensional convolution; an element holds kernel rows of some
    /// filters and channels, as many as its registers have words. Sets that fit side by side take
    /// other filters. Sums go up a column of R elements, and to the output buffer between the
    /// channels that an element holds.
    /// - Source: Eyeriss (ISCA 2016).
    func rowStationary(
        _ work: PassWork, rows: Int, columns: Int, weights: Int, inputs: Int, sums: Int
    ) -> ArrayActivity {
        let shape = work.shape
        let height = min(shape.kernelHeight, rows)
        let folds = tiles(shape.kernelHeight, rows)
        let width = min(shape.outputHeight, columns)
        let sets = (rows / height) * (columns / width)
        let channels = max(1, min(shape.channelsPerGroup, inputs / shape.kernelWidth))
        let filters = max(
            1, min(shape.filtersPerGroup, sums, weights / (channels * shape.kernelWidth)))
        let strips = tiles(shape.outputHeight, columns)
        let planes = Double(tiles(shape.filters * shape.channelsPerGroup, sets))
        var activity = ArrayActivity()
        activity.cycles =
            work.batch * planes * Double(folds * strips)
            * Double(shape.outputWidth * shape.kernelWidth)
        activity.products = work.performed
        activity.inputReads =
            work.batch * Double(shape.touchedInputs) * work.filterTiles(filters * sets)
        activity.weightPasses = work.batch * Double(strips)
        let turns = Double(tiles(shape.channelsPerGroup, channels) * folds)
        activity.spilledWrites = work.outputs * (turns - 1)
        activity.spilledReads = work.outputs * (turns - 1)
        activity.registers = [
            (.input, work.performed, activity.inputReads * Double(height)),
            (.weight, work.performed, activity.weightPasses * Double(shape.weights * width)),
            (.partialSum, work.performed, work.performed),
        ]
        activity.links = [
            (.input, activity.inputReads), (.weight, activity.weightPasses * Double(shape.weights)),
            (.partialSum, work.performed / Double(shape.kernelWidth)),
        ]
        return activity
    }
}
