import PowerOfTwo
import Testing

/// The sizes at which vector code changes: whole registers, their tails, and chunks of 128 rows.
enum Sizes {
    static let rows = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 95, 97, 126, 127, 128,
        129, 130, 161, 191, 193, 255, 256, 257, 384, 391,
    ]
    static let nibbles = 1...7
    static let widths = 1...9
}

/// Checks that a kernel of one instruction set returns the bits of the scalar one, or what lies
/// within its bound, and writes nothing else.
struct KernelCases {
    let kernels: ShiftKernels
    let scalar = ShiftKernels.scalar
    var random: TestRandom

    /// Every kernel by its C name, and what checks it.
    static let checks: [String: @Sendable (inout KernelCases) -> Void] = [
        "u8_nibbles_unpack": { $0.unpack() },
        "u8_nibbles_pack": { $0.pack() },
        "f32_po2_rebuild": { $0.rebuildFloats() },
        "s8_po2_rebuild": { $0.rebuildIntegers() },
        "f32_nearest_symbols": { $0.nearestSymbols() },
        "f32_nearest_levels": { $0.nearestLevels() },
        "f64_fit_quantise": { $0.fitQuantise() },
        "f64_fit_coefficients": { $0.fitCoefficients() },
        "f64_fit_step": { $0.fitStep() },
        "f64_fit_column_scale": { $0.fitColumnScale() },
        "f32_plane_moments": { $0.planeMoments() },
        "f32_plane_normalise": { $0.planeNormalise() },
        "f32_plane_gradient_sums": { $0.planeGradientSums() },
        "f32_plane_gradient": { $0.planeGradient() },
        "f32_lanes_correlate": { $0.lanesCorrelate() },
        "f32_lanes_weight_gradient": { $0.lanesWeightGradient() },
        "f32_symbols_rebuild": { $0.rebuildSymbols() },
        "f32_basis_gradient": { $0.basisGradient() },
        "f32_bucket_switch": {
            $0.moveCoefficients([
                .bucketSwitch(bar: 1, threshold: 0), .bucketSwitch(bar: 3, threshold: 0.3),
                .bucketSwitch(bar: 127, threshold: 0.01),
            ])
        },
        "f32_requantise": { $0.moveCoefficients([.requantise]) },
        "f32_error_feedback": { $0.moveCoefficients([.errorFeedback]) },
        "f32_minmax": { $0.minmax() },
        "f32_fake_quantise": { $0.fakeQuantise() },
        "f32_fake_quantise_random": { $0.fakeQuantiseRandomly() },
        "u8_s8_convolve": { $0.convolve() },
        "f32_convolve": { $0.convolveFloats() },
        "f32_s8_quantise": { $0.quantiseActivations() },
        "s8_compact": { $0.compact() },
        "s8_rows_to_steps": { $0.rowsToSteps() },
        "s8_po2_matvec": { $0.multiplyPanels() },
    ]

    func expectSame<Element>(
        _ found: Output<Element>, _ expected: Output<Element>, _ what: @autoclosure () -> String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        // Called very often: `#expect` only where something is wrong.
        if !found.hasBits(of: expected) {
            Issue.record("other bits than scalar, \(what())", sourceLocation: location)
        }
        if !found.guardsAreIntact || !expected.guardsAreIntact {
            Issue.record("wrote outside its buffer, \(what())", sourceLocation: location)
        }
    }

    private mutating func unpack() {
        let pool = random.bytes(7 * 196)
        for rows in Sizes.rows {
            for n in Sizes.nibbles {
                let gap = rows % 5
                let packed = Input(pool.prefix(Self.packedBytes(rows, n)), shift: rows % 3)
                let outputs = [kernels, scalar].map { kernels in
                    let symbols = Output<UInt8>(n * (rows + gap), shift: n % 4)
                    kernels.unpackNibbles(
                        rows: rows, nibbles: n, packed: packed.pointer, symbols: symbols.pointer,
                        planeStride: rows + gap)
                    for j in 0..<n {
                        let end = (j + 1) * (rows + gap)
                        if !symbols.isUnwritten((end - gap)..<end) {
                            Issue.record("wrote between planes, rows \(rows), n \(n)")
                        }
                    }
                    return symbols
                }
                expectSame(outputs[0], outputs[1], "rows \(rows), n \(n)")
            }
        }
    }

    private mutating func pack() {
        // Whole bytes: only the low nibble of a symbol counts.
        let pool = random.bytes(7 * 400)
        for rows in Sizes.rows {
            for n in Sizes.nibbles {
                let stride = rows + rows % 5
                let symbols = Input(
                    pool.prefix(rows == 0 ? 0 : (n - 1) * stride + rows), shift: rows % 3)
                let outputs = [kernels, scalar].map { kernels in
                    let packed = Output<UInt8>(Self.packedBytes(rows, n), shift: n % 4)
                    kernels.packNibbles(
                        rows: rows, nibbles: n, symbols: symbols.pointer, planeStride: stride,
                        packed: packed.pointer)
                    return packed
                }
                expectSame(outputs[0], outputs[1], "rows \(rows), n \(n)")
            }
        }
    }

    private mutating func rebuildFloats() {
        let pool = random.bytes(7 * 196)
        let tablePool = random.floats(7 * 9 * 16)
        for rows in Sizes.rows {
            for n in Sizes.nibbles {
                let packed = Input(pool.prefix(Self.packedBytes(rows, n)), shift: rows % 3)
                for width in Sizes.widths {
                    let tables = Input(tablePool.prefix(n * width * 16), shift: n % 4)
                    let scale = Float(random.signed())
                    let outputs = [kernels, scalar].map { kernels in
                        let out = Output<Float>(rows * width, shift: rows % 5)
                        kernels.rebuild(
                            rows: rows, nibbles: n, width: width, packed: packed.pointer,
                            tables: tables.pointer, scale: scale, into: out.pointer)
                        return out
                    }
                    expectSame(outputs[0], outputs[1], "rows \(rows), n \(n), S \(width)")
                }
            }
        }
    }

    private mutating func rebuildIntegers() {
        let pool = random.bytes(7 * 196)
        // Sums of seven stay in int8: entries up to 18.
        let tablePool = random.bytes(7 * 9 * 16).map { Int8(Int($0) % 37 - 18) }
        for rows in Sizes.rows {
            for n in Sizes.nibbles {
                let packed = Input(pool.prefix(Self.packedBytes(rows, n)), shift: rows % 3)
                for width in Sizes.widths {
                    let tables = Input(tablePool.prefix(n * width * 16), shift: n)
                    let outputs = [kernels, scalar].map { kernels in
                        let out = Output<Int8>(rows * width, shift: rows % 5)
                        kernels.rebuild(
                            rows: rows, nibbles: n, width: width, packed: packed.pointer,
                            tables: tables.pointer, into: out.pointer)
                        return out
                    }
                    expectSame(outputs[0], outputs[1], "rows \(rows), n \(n), S \(width)")
                }
            }
        }
    }

    private mutating func nearestSymbols() {
        for whole in [false, true] {
            let xPool = random.floats(70 * 8, whole: whole)
            let tablePool = random.floats(3 * 8 * 16, whole: whole)
            for symbolCount in [16, 15, 9, 1] {
                for n in 1...ShiftKernels.largestSearchNibbles {
                    for width in 1...ShiftKernels.largestSearchWidth {
                        let tables = Input(tablePool.prefix(n * width * 16), shift: n)
                        let norms = Output<Float>(1 << (4 * n), shift: width % 4)
                        ShiftKernels.combinationNorms(
                            nibbles: n, width: width, symbols: symbolCount,
                            tables: tables.pointer, into: norms.pointer)
                        if !norms.guardsAreIntact { Issue.record("norms written beyond the end") }
                        // All combinations of a row are many: many rows only with few of them.
                        let sizes =
                            n == 3 ? [0, 1, 2, 3, 4, 5, 7, 17] : [0, 1, 3, 4, 5, 15, 16, 17, 65]
                        for rows in sizes where n < 3 || rows < 6 || width == 3 {
                            let x = Input(xPool.prefix(rows * width), shift: rows % 4)
                            let outputs = [kernels, scalar].map { kernels in
                                let symbols = Output<UInt8>(rows * n, shift: width % 3)
                                kernels.nearestSymbols(
                                    rows: rows, nibbles: n, width: width, x: x.pointer,
                                    tables: tables.pointer, norms: norms.pointer,
                                    symbols: symbols.pointer)
                                return symbols
                            }
                            expectSame(
                                outputs[0], outputs[1],
                                "rows \(rows), n \(n), S \(width), \(symbolCount) symbols")
                            if outputs[0].elements.contains(where: { $0 >= symbolCount }) {
                                Issue.record("a symbol beyond the alphabet of \(symbolCount)")
                            }
                        }
                    }
                }
            }
        }
        // Long runs of rows at the widths in use.
        let xPool = random.floats(257 * 3)
        for n in 1...2 {
            let tables = Input(random.floats(n * 3 * 16))
            let norms = Output<Float>(1 << (4 * n))
            ShiftKernels.combinationNorms(
                nibbles: n, width: 3, symbols: 16, tables: tables.pointer, into: norms.pointer)
            for rows in Sizes.rows where rows <= 257 {
                let x = Input(xPool.prefix(rows * 3))
                let outputs = [kernels, scalar].map { kernels in
                    let symbols = Output<UInt8>(rows * n)
                    kernels.nearestSymbols(
                        rows: rows, nibbles: n, width: 3, x: x.pointer, tables: tables.pointer,
                        norms: norms.pointer, symbols: symbols.pointer)
                    return symbols
                }
                expectSame(outputs[0], outputs[1], "rows \(rows), n \(n)")
            }
        }
    }

    private mutating func nearestLevels() {
        for levels in [16, 15, 9, 2, 1] {
            // Whole values and midpoints, so that many values lie on a midpoint.
            for whole in [false, true] {
                var midpoints = random.floats(levels - 1, whole: whole).sorted()
                midpoints += Array(repeating: .infinity, count: 16 - levels)
                let midpointInput = Input(midpoints.prefix(15))
                let order = Input((0..<16).map { UInt8($0) }.shuffled(using: &random))
                let pool = random.floats(400, whole: whole)
                for count in Sizes.rows {
                    let x = Input(pool.prefix(count), shift: count % 4)
                    for factor: Float in [1, 0, 0.5, 1.7] {
                        let outputs = [kernels, scalar].map { kernels in
                            let symbols = Output<UInt8>(count, shift: count % 3)
                            kernels.nearestLevels(
                                count: count, x: x.pointer, factor: factor,
                                midpoints: midpointInput.pointer, order: order.pointer,
                                symbols: symbols.pointer)
                            return symbols
                        }
                        expectSame(outputs[0], outputs[1], "count \(count), \(levels) levels")
                    }
                }
            }
        }
    }

    /// Columns of length `stride` whose elements from `rows` on are zero, with zeros and values on
    /// the midpoint between powers of two among the others.
    private mutating func columns(_ count: Int, rows: Int, stride: Int) -> [Double] {
        (0..<(count * stride)).map { index in
            guard index % stride < rows else { return 0 }
            switch random.next() % 8 {
            case 0: return 0
            case 1: return random.next() % 2 == 0 ? 0.75 : -0.375
            case 2: return 1000 * random.signed()
            default: return random.signed()
            }
        }
    }

    private mutating func fitQuantise() {
        for rows in Sizes.rows {
            let stride = (rows + 7) / 8 * 8
            for (r, width) in [
                (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (7, 7), (2, 3), (3, 2), (6, 3), (9, 9),
            ] {
                let c = Input(columns(r, rows: rows, stride: stride))
                let a = Input(columns(width, rows: rows, stride: stride), shift: 3)
                let before = columns(r, rows: rows, stride: stride)
                let scale = Input((0..<r).map { _ in 1 + random.signed() / 2 })
                let outputs = [kernels, scalar].map { kernels in
                    let q = Output(before, shift: 5)
                    let moved = Output<Double>(1)
                    let gram = Output<Double>(r * r)
                    let cross = Output<Double>(r * width)
                    kernels.fitQuantise(
                        stride: stride, rank: r, width: width, coefficients: c.pointer,
                        scale: scale.pointer, largest: 32, target: a.pointer,
                        quantised: q.pointer, moved: moved.pointer, gram: gram.pointer,
                        cross: cross.pointer)
                    return [q, moved, gram, cross]
                }
                for (found, expected) in zip(outputs[0], outputs[1]) {
                    expectSame(found, expected, "rows \(rows), r \(r), S \(width)")
                }
            }
        }
    }

    private mutating func fitStep() {
        for rows in Sizes.rows {
            let stride = (rows + 7) / 8 * 8
            for width in [1, 2, 3, 4, 5, 7, 9] {
                let a = Input(columns(width, rows: rows, stride: stride), shift: 3)
                let inverse = Input((0..<(width * width)).map { _ in random.signed() })
                let before = columns(width, rows: rows, stride: stride)
                let ones = Input([Double](repeating: 1, count: width))
                for (threshold, rowThreshold) in [(0.0, 0.0), (0.1, 0.0), (0.1, 0.5), (2, 10)] {
                    let outputs = [kernels, scalar].map { kernels in
                        let q = Output(before, shift: 5)
                        let moved = Output<Double>(1)
                        let gram = Output<Double>(width * width)
                        let cross = Output<Double>(width * width)
                        kernels.fitStep(
                            stride: stride, rank: width, width: width, target: a.pointer,
                            inverse: inverse.pointer, threshold: threshold,
                            rowThreshold: rowThreshold, largest: 32, quantised: q.pointer,
                            moved: moved.pointer, gram: gram.pointer, cross: cross.pointer)
                        return [q, moved, gram, cross]
                    }
                    for (found, expected) in zip(outputs[0], outputs[1]) {
                        expectSame(found, expected, "rows \(rows), S \(width)")
                    }
                    // The same as its two parts in turn, but for the order of the sum of moves.
                    let c = Output<Double>(width * stride)
                    scalar.fitCoefficients(
                        stride: stride, rank: width, width: width, target: a.pointer,
                        inverse: inverse.pointer, threshold: threshold,
                        rowThreshold: rowThreshold, coefficients: c.pointer)
                    let q = Output(before, shift: 5)
                    let moved = Output<Double>(1)
                    let gram = Output<Double>(width * width)
                    let cross = Output<Double>(width * width)
                    scalar.fitQuantise(
                        stride: stride, rank: width, width: width, coefficients: c.pointer,
                        scale: ones.pointer, largest: 32, target: a.pointer, quantised: q.pointer,
                        moved: moved.pointer, gram: gram.pointer, cross: cross.pointer)
                    expectSame(outputs[0][0], q, "q of the parts, rows \(rows), S \(width)")
                    expectSame(outputs[0][2], gram, "G of the parts, rows \(rows), S \(width)")
                    expectSame(outputs[0][3], cross, "H of the parts, rows \(rows), S \(width)")
                }
            }
        }
    }

    private mutating func fitCoefficients() {
        for rows in Sizes.rows {
            let stride = (rows + 7) / 8 * 8
            for (r, width) in [
                (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (7, 7), (2, 3), (3, 2), (6, 3), (9, 9),
            ] {
                let a = Input(columns(width, rows: rows, stride: stride), shift: 3)
                let inverse = Input((0..<(width * r)).map { _ in random.signed() })
                for (threshold, rowThreshold) in [(0.0, 0.0), (0.1, 0.0), (0.1, 0.5), (2, 10)] {
                    let outputs = [kernels, scalar].map { kernels in
                        let c = Output<Double>(r * stride)
                        kernels.fitCoefficients(
                            stride: stride, rank: r, width: width, target: a.pointer,
                            inverse: inverse.pointer, threshold: threshold,
                            rowThreshold: rowThreshold, coefficients: c.pointer)
                        return c
                    }
                    expectSame(outputs[0], outputs[1], "rows \(rows), r \(r), S \(width)")
                }
            }
        }
    }

    private mutating func fitColumnScale() {
        for rows in Sizes.rows + [511, 512, 513, 1024, 1500] {
            let stride = (rows + 7) / 8 * 8
            var column = columns(1, rows: rows, stride: stride)
            // Magnitudes too small to be normal count as zero.
            if rows > 2 { column[1] = .leastNormalMagnitude / 4 }
            if rows > 3 { column[2] = -1e300 }
            let input = Input(column, shift: rows % 4)
            let found = kernels.fitColumnScale(stride: stride, column: input.pointer)
            let expected = scalar.fitColumnScale(stride: stride, column: input.pointer)
            #expect(found.count == expected.count, "rows \(rows)")
            #expect(found.log2Sum.bitPattern == expected.log2Sum.bitPattern, "rows \(rows)")
        }
    }

    static func packedBytes(_ rows: Int, _ n: Int) -> Int { n * ((rows + 1) / 2) }
}
