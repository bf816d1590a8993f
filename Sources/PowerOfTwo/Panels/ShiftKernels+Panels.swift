internal import CShiftKernels

/// Products of packed rows in panels with vectors.
extension ShiftKernels {
    /// Returns the scale.
    package func quantise(
        count: Int, x: UnsafePointer<Float>, into levels: UnsafeMutablePointer<Int8>
    ) -> Float {
        var scale: Float = 0
        table.f32_s8_quantise(count, x, levels, &scale)
        return scale
    }

    package func compact(
        count: Int, mask: UnsafePointer<UInt8>, x: UnsafePointer<Int8>,
        into out: UnsafeMutablePointer<Int8>
    ) {
        table.s8_compact(count, mask, x, out)
    }

    package func rowsToSteps(
        count: Int, width: Int, rowsPerStep: Int, x: UnsafePointer<Int8>,
        into out: UnsafeMutablePointer<Int8>
    ) {
        table.s8_rows_to_steps(count, width, rowsPerStep, x, out)
    }

    package func multiply(
        _ form: PanelForm, steps: UnsafeBufferPointer<UInt32>, filters: Int,
        packed: UnsafePointer<UInt8>, tables: UnsafePointer<Int8>, x: UnsafePointer<Int8>,
        factor: Float, into y: UnsafeMutablePointer<Float>
    ) {
        var panels = sdk_panels(
            n: form.nibbles, S: form.width, F: form.filtersPerQuad, quads: form.quads,
            runs: steps.count, steps: steps.baseAddress)
        table.s8_po2_matvec(&panels, filters, packed, tables, x, factor, y)
    }
}
