/// Batch normalisation of planes in batch lanes.
extension ShiftKernels {
    package func planeMoments(
        count: Int, _ x: UnsafePointer<Float>, into moments: UnsafeMutablePointer<Double>
    ) {
        table.f32_plane_moments(count, x, moments)
    }

    package func planeNormalise(
        count: Int, _ x: UnsafePointer<Float>, factor: Float, shift: Float,
        adding other: UnsafePointer<Float>?, relu: Bool, into y: UnsafeMutablePointer<Float>
    ) {
        table.f32_plane_normalise(count, x, factor, shift, other, relu ? 1 : 0, y)
    }

    package func planeGradientSums(
        count: Int, gradient: UnsafePointer<Float>, x: UnsafePointer<Float>,
        signOf y: UnsafePointer<Float>?, mean: Float, into sums: UnsafeMutablePointer<Double>
    ) {
        table.f32_plane_gradient_sums(count, gradient, x, y, mean, sums)
    }

    package func planeGradient(
        count: Int, gradient: UnsafePointer<Float>, x: UnsafePointer<Float>,
        signOf y: UnsafePointer<Float>?, factor: Float, slope: Float, shift: Float,
        into dx: UnsafeMutablePointer<Float>, passed: UnsafeMutablePointer<Float>?
    ) {
        table.f32_plane_gradient(count, gradient, x, y, factor, slope, shift, dx, passed)
    }
}
