internal import CShiftKernels

/// The kernels of one instruction set: the Swift face of `CShiftKernels`.
///
/// The methods are named after the C kernels, which document them; sizes are the caller's contract.
package struct ShiftKernels: Sendable {
    /// Largest number of symbols a row that the joint search takes.
    package static let largestSearchNibbles = Int(SDK_MAX_SEARCH_NIBBLES)
    /// Largest width that the joint search takes.
    package static let largestSearchWidth = Int(SDK_MAX_SEARCH_WIDTH)
    /// Rows of symbols a chunk.
    package static let chunkRows = Int(SDK_CHUNK_ROWS)
    /// The names of all kernels, as C spells them.
    package static let names = [
        "u8_nibbles_unpack", "u8_nibbles_pack", "f32_po2_rebuild", "s8_po2_rebuild",
        "f32_nearest_symbols", "f32_nearest_levels", "f64_fit_quantise", "f64_fit_coefficients",
        "f64_fit_step", "f64_fit_column_scale", "f32_plane_moments", "f32_plane_normalise",
        "f32_plane_gradient_sums", "f32_plane_gradient", "f32_symbols_rebuild",
        "f32_basis_gradient", "f32_bucket_switch", "f32_requantise", "f32_error_feedback",
        "f32_lanes_correlate", "f32_lanes_weight_gradient", "f32_minmax", "f32_fake_quantise",
        "f32_fake_quantise_random", "u8_s8_convolve", "f32_convolve", "f32_s8_quantise",
        "s8_compact", "s8_rows_to_steps", "s8_po2_matvec",
    ]

    /// The kernels in use.
    package static let selected = ShiftKernels(.selected) ?? ShiftKernels.scalar
    package static let scalar = ShiftKernels(
        isa: .scalar, table: sdk_kernels(SDK_ISA_SCALAR).pointee)

    package let isa: InstructionSet
    let table: sdk_kernel_table

    private init(isa: InstructionSet, table: sdk_kernel_table) {
        self.isa = isa
        self.table = table
    }

    /// The kernels of `isa`, or nil when it cannot run here.
    package init?(_ isa: InstructionSet) {
        guard let table = sdk_kernels(isa.identifier) else { return nil }
        self.init(isa: isa, table: table.pointee)
    }

    package func unpackNibbles(
        rows: Int, nibbles: Int, packed: UnsafePointer<UInt8>,
        symbols: UnsafeMutablePointer<UInt8>, planeStride: Int
    ) {
        table.u8_nibbles_unpack(rows, nibbles, packed, symbols, planeStride)
    }

    package func packNibbles(
        rows: Int, nibbles: Int, symbols: UnsafePointer<UInt8>, planeStride: Int,
        packed: UnsafeMutablePointer<UInt8>
    ) {
        table.u8_nibbles_pack(rows, nibbles, symbols, planeStride, packed)
    }

    package func rebuild(
        rows: Int, nibbles: Int, width: Int, packed: UnsafePointer<UInt8>,
        tables: UnsafePointer<Float>, scale: Float, into out: UnsafeMutablePointer<Float>
    ) {
        table.f32_po2_rebuild(rows, nibbles, width, packed, tables, scale, out)
    }

    package func rebuild(
        rows: Int, nibbles: Int, width: Int, packed: UnsafePointer<UInt8>,
        tables: UnsafePointer<Int8>, into out: UnsafeMutablePointer<Int8>
    ) {
        table.s8_po2_rebuild(rows, nibbles, width, packed, tables, out)
    }

    package func nearestSymbols(
        rows: Int, nibbles: Int, width: Int, x: UnsafePointer<Float>,
        tables: UnsafePointer<Float>, norms: UnsafePointer<Float>,
        symbols: UnsafeMutablePointer<UInt8>
    ) {
        table.f32_nearest_symbols(rows, nibbles, width, x, tables, norms, symbols)
    }

    package func nearestLevels(
        count: Int, x: UnsafePointer<Float>, factor: Float, midpoints: UnsafePointer<Float>,
        order: UnsafePointer<UInt8>, symbols: UnsafeMutablePointer<UInt8>
    ) {
        table.f32_nearest_levels(count, x, factor, midpoints, order, symbols)
    }

    package func fitQuantise(
        stride: Int, rank: Int, width: Int, coefficients: UnsafePointer<Double>,
        scale: UnsafePointer<Double>, largest: Double, target: UnsafePointer<Double>,
        quantised: UnsafeMutablePointer<Double>, moved: UnsafeMutablePointer<Double>,
        gram: UnsafeMutablePointer<Double>, cross: UnsafeMutablePointer<Double>
    ) {
        table.f64_fit_quantise(
            stride, rank, width, coefficients, scale, largest, target, quantised, moved, gram,
            cross)
    }

    package func fitCoefficients(
        stride: Int, rank: Int, width: Int, target: UnsafePointer<Double>,
        inverse: UnsafePointer<Double>, threshold: Double, rowThreshold: Double,
        coefficients: UnsafeMutablePointer<Double>
    ) {
        table.f64_fit_coefficients(
            stride, rank, width, target, inverse, threshold, rowThreshold, coefficients)
    }

    package func fitStep(
        stride: Int, rank: Int, width: Int, target: UnsafePointer<Double>,
        inverse: UnsafePointer<Double>, threshold: Double, rowThreshold: Double, largest: Double,
        quantised: UnsafeMutablePointer<Double>, moved: UnsafeMutablePointer<Double>,
        gram: UnsafeMutablePointer<Double>, cross: UnsafeMutablePointer<Double>
    ) {
        table.f64_fit_step(
            stride, rank, width, target, inverse, threshold, rowThreshold, largest, quantised,
            moved, gram, cross)
    }

    package func fitColumnScale(
        stride: Int, column: UnsafePointer<Double>
    ) -> (count: Double, log2Sum: Double) {
        var count = 0.0
        var sum = 0.0
        table.f64_fit_column_scale(stride, column, &count, &sum)
        return (count, sum)
    }

    package func lanesCorrelate(
        _ pass: LanesPass, rows: Range<Int>, starts: UnsafePointer<UInt32>,
        entries: UnsafePointer<Float>, bias: UnsafePointer<Float>?, input: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: pass.c) {
            table.f32_lanes_correlate(
                $0, rows.lowerBound, rows.upperBound, starts, entries, bias, input, output,
                scratch)
        }
    }

    package func lanesWeightGradient(
        _ pass: LanesPass, rows: Range<Int>, group: Int, starts: UnsafePointer<UInt32>,
        kept: UnsafePointer<UInt32>, input: UnsafePointer<Float>,
        gradient: UnsafePointer<Float>, weights: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: pass.c) {
            table.f32_lanes_weight_gradient(
                $0, rows.lowerBound, rows.upperBound, group, starts, kept, input, gradient,
                weights, scratch)
        }
    }

    package func minmax(
        rows: Int, lanes: Int, x: UnsafePointer<Float>, least: UnsafeMutablePointer<Float>,
        largest: UnsafeMutablePointer<Float>
    ) {
        table.f32_minmax(rows, lanes, x, least, largest)
    }

    package func fakeQuantise(
        rows: Int, lanes: Int, x: UnsafePointer<Float>, zero: UnsafePointer<Float>,
        scale: UnsafePointer<Float>, top: Float, into out: UnsafeMutablePointer<Float>
    ) {
        table.f32_fake_quantise(rows, lanes, x, zero, scale, top, out)
    }

    package func fakeQuantiseRandomly(
        count: Int, first: Int, key: UInt64, x: UnsafePointer<Float>, zero: Float, scale: Float,
        top: Float, into out: UnsafeMutablePointer<Float>
    ) {
        table.f32_fake_quantise_random(count, UInt64(first), key, x, zero, scale, top, out)
    }

    /// |Σ T_j[k_j]|² of all 16^nibbles combinations.
    package static func combinationNorms(
        nibbles: Int, width: Int, symbols: Int, tables: UnsafePointer<Float>,
        into norms: UnsafeMutablePointer<Float>
    ) {
        sdk_combination_norms(nibbles, width, symbols, tables, norms)
    }

    /// Adds the moments that a least-squares basis needs.
    package static func addSymbolMoments(
        rows: Int, nibbles: Int, width: Int, x: UnsafePointer<Float>,
        symbols: UnsafePointer<UInt8>, weight: Double, singles: UnsafeMutablePointer<Double>,
        pairs: UnsafeMutablePointer<Double>, sums: UnsafeMutablePointer<Double>
    ) {
        sdk_symbol_moments(rows, nibbles, width, x, symbols, weight, singles, pairs, sums)
    }
}
