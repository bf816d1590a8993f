extension Dataflow {
    /// A systolic array in which outputs stay: pixels along rows, filters along columns.
    ///
    /// Cycles of a fold are what filling, K products and draining take.
    /// - Source: SCALE-Sim 3, which counts the same cycles and reads with one accumulator.
    func outputStationary(
        _ work: PassWork, rows: Int, columns: Int, accumulators: Int
    ) -> ArrayActivity {
        let pixelTiles = (work.pixels / Double(rows)).rounded(.up)
        let filterTiles = work.filterTiles(columns)
        var activity = ArrayActivity()
        activity.cycles =
            work.groups * pixelTiles * filterTiles * (work.depth + Double(rows + columns - 2)) - 1
        activity.products = work.performed
        activity.inputReads = work.groups * work.pixels * work.depth * filterTiles
        activity.weightPasses = (pixelTiles / Double(accumulators)).rounded(.up)
        activity.outputPasses = (work.depth / Double(rows)).rounded(.up)
        activity.registers = [(.partialSum, work.performed, work.performed)]
        return activity
    }

    /// A systolic array in which weights stay: K along rows, filters along columns.
    ///
    /// Sums of a fold over K go to the output buffer unless all pixels have accumulators.
    /// - Source: SCALE-Sim 3, which counts the same cycles, reads and writes.
    func weightStationary(
        _ work: PassWork, rows: Int, columns: Int, accumulators: Int
    ) -> ArrayActivity {
        let folds = (work.depth / Double(rows)).rounded(.up)
        let filterTiles = work.filterTiles(columns)
        var activity = ArrayActivity()
        activity.cycles =
            work.groups * folds * filterTiles * (work.pixels + Double(2 * rows + columns - 2)) - 1
        activity.products = work.performed
        activity.inputReads = work.groups * work.pixels * work.depth * filterTiles
        if Double(accumulators) < work.pixels {
            activity.spilledWrites = work.outputs * (folds - 1)
            activity.spilledReads = work.outputs * (folds - 1)
        }
        activity.registers = [
            (.partialSum, work.performed, work.performed),
            (.weight, work.performed, Double(work.shape.weights)),
        ]
        return activity
    }
}
