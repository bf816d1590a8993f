internal import CShiftKernels

/// Kernels of weights that learn: symbols a byte each, plane by plane.
extension ShiftKernels {
    package func rebuild(
        rows: Int, nibbles: Int, width: Int, symbols: UnsafePointer<UInt8>, planeStride: Int,
        tables: UnsafePointer<Float>, scale: Float, into out: UnsafeMutablePointer<Float>
    ) {
        table.f32_symbols_rebuild(rows, nibbles, width, symbols, planeStride, tables, scale, out)
    }

    /// Adds to `gradient`; `coefficients` is ``Alphabet/coefficientTables``.
    package func addBasisGradient(
        rows: Int, nibbles: Int, coefficientsPerSymbol: Int, width: Int,
        symbols: UnsafePointer<UInt8>, planeStride: Int, coefficients: UnsafePointer<Float>,
        gradientOfRows: UnsafePointer<Float>, scale: Float, to gradient: UnsafeMutablePointer<Float>
    ) {
        table.f32_basis_gradient(
            rows, nibbles, coefficientsPerSymbol, width, symbols, planeStride, coefficients,
            gradientOfRows, scale, gradient)
    }

    /// Moves symbols, momentum and counters as the rule says. `first` counts the coefficients before
    /// these, for chance.
    package func moveCoefficients(
        rows: Int, nibbles: Int, coefficientsPerSymbol: Int, width: Int, _ rule: CoefficientRule,
        basis: UnsafePointer<Float>, gradientOfRows: UnsafePointer<Float>, scale: Float,
        planeStride: Int, first: Int, symbols: UnsafeMutablePointer<UInt8>,
        momentum: UnsafeMutablePointer<Float>?, counters: UnsafeMutablePointer<Int8>?
    ) {
        withUnsafePointer(to: rule.kernelRule) { kernelRule in
            switch rule.move {
            case .bucketSwitch:
                table.f32_bucket_switch(
                    rows, nibbles, coefficientsPerSymbol, width, kernelRule, basis,
                    gradientOfRows, scale, planeStride, symbols, momentum, counters)
            case .requantise:
                table.f32_requantise(
                    rows, nibbles, coefficientsPerSymbol, width, kernelRule, basis,
                    gradientOfRows, scale, planeStride, symbols, momentum, counters)
            case .errorFeedback:
                table.f32_error_feedback(
                    rows, nibbles, coefficientsPerSymbol, width, kernelRule, basis,
                    gradientOfRows, scale, planeStride, UInt64(first), symbols, momentum, counters)
            }
        }
    }
}
