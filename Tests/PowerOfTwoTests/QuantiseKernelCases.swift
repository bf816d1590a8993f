import PowerOfTwo
import Testing

extension KernelCases {
    /// Columns side by side: one, those of a vector, and numbers that are no whole vectors.
    private static let lanes = [1, 2, 3, 15, 16, 17, 31, 32, 35]

    /// Floats with whole numbers, both zeros and values that are no numbers among them.
    private mutating func values(_ count: Int, withNaN: Bool = true) -> [Float] {
        random.floats(count).map { value in
            switch random.next() % 16 {
            case 0: 0
            case 1: -0.0
            case 2: withNaN ? .nan : 1
            case 3: (value * 4).rounded()
            case 4: value * 1e30
            default: value
            }
        }
    }

    mutating func minmax() {
        for lanes in Self.lanes {
            for rows in Sizes.rows where rows * lanes < 5000 {
                let x = Input(values(rows * lanes), shift: rows % 4)
                let outputs = [kernels, scalar].map { kernels in
                    let least = Output<Float>(lanes, shift: rows % 3)
                    let largest = Output<Float>(lanes, shift: rows % 5)
                    kernels.minmax(
                        rows: rows, lanes: lanes, x: x.pointer, least: least.pointer,
                        largest: largest.pointer)
                    return [least, largest]
                }
                expectSame(outputs[0][0], outputs[1][0], "least, rows \(rows), lanes \(lanes)")
                expectSame(outputs[0][1], outputs[1][1], "largest, rows \(rows), lanes \(lanes)")
            }
        }
    }

    mutating func fakeQuantise() {
        for lanes in Self.lanes {
            // Scales without any level, and levels on which values lie in the middle.
            let scales = (0..<lanes).map { _ -> Float in
                [0, 0.5, 0.01, 1e-20, Float(random.signed())][Int(random.next() % 5)]
            }
            let zero = Input(random.floats(lanes, whole: true))
            let scale = Input(scales, shift: 3)
            for rows in Sizes.rows where rows * lanes < 5000 {
                let pool = values(rows * lanes)
                let x = Input(pool, shift: rows % 4)
                for top: Float in [1, 3, 255, 65535] {
                    let outputs = [kernels, scalar].map { kernels in
                        let out = Output<Float>(rows * lanes, shift: rows % 5)
                        kernels.fakeQuantise(
                            rows: rows, lanes: lanes, x: x.pointer, zero: zero.pointer,
                            scale: scale.pointer, top: top, into: out.pointer)
                        return out
                    }
                    expectSame(outputs[0], outputs[1], "rows \(rows), lanes \(lanes), top \(top)")
                }
                let inPlace = Output(pool, shift: 2)
                kernels.fakeQuantise(
                    rows: rows, lanes: lanes, x: inPlace.pointer, zero: zero.pointer,
                    scale: scale.pointer, top: 255, into: inPlace.pointer)
                let expected = Output<Float>(rows * lanes)
                scalar.fakeQuantise(
                    rows: rows, lanes: lanes, x: x.pointer, zero: zero.pointer,
                    scale: scale.pointer, top: 255, into: expected.pointer)
                expectSame(inPlace, expected, "in place, rows \(rows), lanes \(lanes)")
            }
        }
    }

    mutating func fakeQuantiseRandomly() {
        for count in Sizes.rows + [1000] {
            let x = Input(values(count), shift: count % 4)
            for scale: Float in [0, 0.5, 0.003] {
                // Counters that carry into the upper 32 bits.
                for first in [0, 5, 1 << 20, (1 << 32) - 7] {
                    let key = random.next()
                    let outputs = [kernels, scalar].map { kernels in
                        let out = Output<Float>(count, shift: count % 5)
                        kernels.fakeQuantiseRandomly(
                            count: count, first: first, key: key, x: x.pointer, zero: -1,
                            scale: scale, top: 255, into: out.pointer)
                        return out
                    }
                    expectSame(outputs[0], outputs[1], "count \(count), first \(first)")
                }
            }
        }
    }
}
