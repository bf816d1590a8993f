/// What turns the integer sums of a convolution into its output: scales, bias, a residual, a range
/// and the output's own scale, folded into the numbers that the kernels take.
package struct ConvolutionEpilogue: Sendable {
    /// For every filter what a sum is multiplied by, and what is added, in units of the output.
    let scales: [Float]
    let bias: [Float]
    let residualScale: Float
    let low: Float
    let high: Float
    let outZero: UInt8
    let storesFloats: Bool

    /// Folds what a layer does after its sums: y = input.scale · weightScale · sum + bias, plus a
    /// residual, clipped to `range`, stored as u8 on the scale of `output`, or as f32 when that is
    /// nil.
    ///
    /// - Precondition: `weightScales` and `bias` have one element a filter.
    package init(
        input: ByteScale, weightScales: [Float], bias: [Float], residual: ByteScale? = nil,
        range: ClosedRange<Float> = -Float.infinity...Float.infinity, output: ByteScale?
    ) {
        precondition(bias.count == weightScales.count, "one bias for every filter")
        let unit = 1 / Double(output?.scale ?? 1)
        let residualScale = Double(residual?.scale ?? 0) * unit
        let shift = residualScale * Double(residual?.zero ?? 0)
        scales = weightScales.map { Float(Double(input.scale) * Double($0) * unit) }
        self.bias = bias.map { Float(Double($0) * unit - shift) }
        self.residualScale = Float(residualScale)
        outZero = output?.zero ?? 0
        storesFloats = output == nil
        if output == nil {
            low = range.lowerBound
            high = range.upperBound
        } else {
            let least = -Float(outZero)
            let largest = 255 - Float(outZero)
            low = min(max(Float(Double(range.lowerBound) * unit), least), largest)
            high = min(max(Float(Double(range.upperBound) * unit), least), largest)
        }
    }
}
