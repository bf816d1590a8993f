import PowerOfTwo
import Testing

extension KernelCases {
    mutating func quantiseActivations() {
        for count in Sizes.rows + [1000] {
            // Ties, zeros, tiny and huge numbers, and what is none.
            let special: [Float] = [.nan, .infinity, -.infinity, 1e38, 1e-38, -0.0, 2.5]
            for kind in 0..<4 {
                var x = random.floats(count, whole: kind == 1)
                if kind == 2 { x = x.map { $0 * 1e-33 } }
                if kind == 3, count > 0 {
                    x[count / 2] = special[Int(random.next() % UInt64(special.count))]
                }
                let input = Input(x, shift: count % 4)
                let outputs = [kernels, scalar].map { kernels in
                    let levels = Output<Int8>(count, shift: count % 5)
                    let scale = Output<Float>(1)
                    scale.pointer[0] = kernels.quantise(
                        count: count, x: input.pointer, into: levels.pointer)
                    return (levels, scale)
                }
                expectSame(outputs[0].0, outputs[1].0, "levels, count \(count), kind \(kind)")
                expectSame(outputs[0].1, outputs[1].1, "scale, count \(count), kind \(kind)")
            }
        }
    }

    mutating func compact() {
        for count in Sizes.rows + [1000] {
            let x = Input(random.bytes(count).map { Int8(bitPattern: $0) }, shift: count % 4)
            for kind in 0..<4 {
                // Bits beyond the last element are set too: they do not count.
                let mask = random.bytes((count + 7) / 8).map { byte -> UInt8 in
                    kind == 0 ? 0 : kind == 1 ? 0xFF : kind == 2 ? byte : byte & 0x11
                }
                let kept = (0..<count).count { mask[$0 / 8] >> UInt8($0 % 8) & 1 != 0 }
                let input = Input(mask, shift: count % 3)
                let outputs = [kernels, scalar].map { kernels in
                    let out = Output<Int8>(kept, shift: count % 5)
                    kernels.compact(
                        count: count, mask: input.pointer, x: x.pointer, into: out.pointer)
                    return out
                }
                expectSame(outputs[0], outputs[1], "count \(count), kind \(kind)")
            }
        }
    }

    mutating func rowsToSteps() {
        let pool = random.bytes(400).map { Int8(bitPattern: $0) }
        for count in Sizes.rows {
            let x = Input(pool.prefix(count), shift: count % 4)
            for width in Sizes.widths {
                for rowsPerStep in [4, 8, 16] {
                    let size = width * rowsPerStep
                    let outputs = [kernels, scalar].map { kernels in
                        let out = Output<Int8>((count + size - 1) / size * size, shift: width)
                        kernels.rowsToSteps(
                            count: count, width: width, rowsPerStep: rowsPerStep, x: x.pointer,
                            into: out.pointer)
                        return out
                    }
                    expectSame(outputs[0], outputs[1], "count \(count), S \(width)")
                }
            }
        }
    }

    mutating func multiplyPanels() {
        let pool = random.bytes(20_000)
        for filtersPerQuad in [1, 2, 4] {
            for quads in [1, 8] {
                for n in 1...4 {
                    for width in 1...4 {
                        let form = PanelForm(
                            nibbles: n, width: width, filtersPerQuad: filtersPerQuad, quads: quads)
                        // A last panel of every size, and runs of no, few and many steps.
                        for filters in [1, form.filters - 1, form.filters, form.filters + 3] {
                            let steps = (0..<Int(1 + random.next() % 3)).map { _ in
                                UInt32(random.next() % 7)
                            }
                            multiplyPanels(form, filters: filters, steps: steps, pool)
                        }
                        if n == width { multiplyPanels(form, filters: 5, steps: [40], pool) }
                    }
                }
            }
        }
    }

    private mutating func multiplyPanels(
        _ form: PanelForm, filters: Int, steps: [UInt32], _ pool: [UInt8]
    ) {
        let panels = (filters + form.filters - 1) / form.filters
        let all = steps.reduce(0) { $0 + Int($1) }
        // Largest and smallest entries are likely, so that sums come near ±127.
        let most = 127 / form.nibbles
        let tables = random.bytes(panels * steps.count * form.tableBytes).map { byte -> Int8 in
            let entry = Int(byte) % (2 * most + 9) - most - 4
            return Int8(max(-most, min(most, entry)))
        }
        let x = random.bytes(all * form.rowsPerStep * form.width).map {
            Int8(max(-127, Int(Int8(bitPattern: $0))))
        }
        var packed: [UInt8] = []
        for _ in 0..<panels {
            for count in steps {
                for lane in 0..<PanelForm.scaleCount {
                    // Any finite half, subnormal ones too; one for all lanes of a filter.
                    var half = UInt16(truncatingIfNeeded: random.next() >> 20)
                    if half & 0x7C00 == 0x7C00 { half ^= 0x4000 }
                    if lane % (4 / form.filtersPerQuad) != 0 {
                        packed += packed.suffix(2)
                    } else {
                        packed += [UInt8(truncatingIfNeeded: half), UInt8(half >> 8)]
                    }
                }
                let bytes = Int(count) * form.stepBytes
                let start = Int(random.next() % 997)
                packed += (0..<bytes).map { pool[(start + $0) % pool.count] }
            }
        }
        let inputs = (Input(packed, shift: 3), Input(tables, shift: 5), Input(x, shift: 1))
        let outputs = [kernels, scalar].map { kernels in
            let y = Output<Float>(filters, shift: filters % 4)
            steps.withUnsafeBufferPointer {
                kernels.multiply(
                    form, steps: $0, filters: filters, packed: inputs.0.pointer,
                    tables: inputs.1.pointer, x: inputs.2.pointer, factor: 0.3, into: y.pointer)
            }
            return y
        }
        expectSame(outputs[0], outputs[1], "\(form), filters \(filters), steps \(steps)")
    }
}
