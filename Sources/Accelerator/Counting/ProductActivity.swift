extension Dataflow {
    /// `c` inputs times the weights of `m` filters, every cycle.
    ///
    /// With zero weights left out, every filter gathers its inputs from a window that is read
    /// densely.
    /// - Source: DianNao (ASPLOS 2014), Cambricon-X (MICRO 2016).
    func innerProduct(_ work: PassWork, m: Int, c: Int) -> ArrayActivity {
        let steps = (work.depth * work.weightDensity / Double(c)).rounded(.up)
        var activity = ArrayActivity()
        activity.cycles = work.pixels * work.groups * work.filterTiles(m) * steps
        activity.products = work.performed
        activity.inputReads = work.pixels * work.groups * work.filterTiles(m) * work.depth
        activity.weightPasses = work.pixels
        activity.outputPasses = (work.depth / Double(c)).rounded(.up)
        activity.registers = [(.partialSum, work.outputs * steps, work.outputs * steps)]
        return activity
    }

    /// All products of the non-zero inputs and weights of a channel.
    ///
    /// Elements have tiles of the plane; inputs stay while the weights of some filters pass.
    /// Products that no output needs are made where the stride is above 1. Sums are scattered over
    /// a crossbar.
    /// - Source: SCNN (ISCA 2017).
    func cartesianProduct(
        _ work: PassWork, elements: Int, multipliers: Int, filters: Int
    ) -> ArrayActivity {
        let shape = work.shape
        let waste =
            min(shape.strideHeight, shape.kernelHeight)
            * min(shape.strideWidth, shape.kernelWidth)
        let products = work.performed * Double(waste)
        let side = max(1, Int(Double(elements).squareRoot()))
        let other = max(1, elements / side)
        let plane =
            Double(shape.outputPixels)
            / Double(
                tiles(shape.outputHeight, side) * side * tiles(shape.outputWidth, other) * other)
        let edge = Double(multipliers).squareRoot()
        var activity = ArrayActivity()
        activity.cycles = products / (Double(elements * multipliers) * plane)
        activity.products = products
        activity.inputReads =
            work.batch * Double(shape.touchedInputs) * work.activationDensity
            * work.filterTiles(filters)
        activity.weightPasses = work.batch
        activity.registers = [
            (.input, products / edge, activity.inputReads), (.weight, products / edge, 0),
            (.partialSum, products, products),
        ]
        activity.links = [(.partialSum, products)]
        return activity
    }
}
