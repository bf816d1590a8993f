import PowerOfTwo
import Testing

/// Batch normalisation of planes.
extension KernelCases {
    private static let counts = [0, 16, 32, 48, 160, 784]

    mutating func planeMoments() {
        for count in Self.counts {
            let x = Input(random.floats(count), shift: count % 5)
            let outputs = [kernels, scalar].map { kernels in
                let moments = Output<Double>(2)
                kernels.planeMoments(count: count, x.pointer, into: moments.pointer)
                return moments
            }
            expectSame(outputs[0], outputs[1], "count \(count)")
        }
    }

    mutating func planeNormalise() {
        for count in Self.counts {
            let x = Input(random.floats(count), shift: count % 5)
            let other = Input(random.floats(count), shift: count % 3)
            let (factor, shift) = (Float(random.signed()), Float(random.signed()))
            for (adds, relu) in [(false, false), (false, true), (true, false), (true, true)] {
                let outputs = [kernels, scalar].map { kernels in
                    let y = Output<Float>(count, shift: count % 4)
                    kernels.planeNormalise(
                        count: count, x.pointer, factor: factor, shift: shift,
                        adding: adds ? other.pointer : nil, relu: relu, into: y.pointer)
                    return y
                }
                expectSame(outputs[0], outputs[1], "count \(count), adds \(adds), relu \(relu)")
            }
        }
    }

    mutating func planeGradientSums() {
        for count in Self.counts {
            let inputs = (0..<3).map { _ in Input(random.floats(count), shift: count % 5) }
            let mean = Float(random.signed())
            for relu in [false, true] {
                let outputs = [kernels, scalar].map { kernels in
                    let sums = Output<Double>(2)
                    kernels.planeGradientSums(
                        count: count, gradient: inputs[0].pointer, x: inputs[1].pointer,
                        signOf: relu ? inputs[2].pointer : nil, mean: mean, into: sums.pointer)
                    return sums
                }
                expectSame(outputs[0], outputs[1], "count \(count), relu \(relu)")
            }
        }
    }

    mutating func planeGradient() {
        for count in Self.counts {
            let inputs = (0..<3).map { _ in Input(random.floats(count), shift: count % 5) }
            let factors = random.floats(3)
            for (relu, passes) in [(false, false), (true, false), (true, true)] {
                let outputs = [kernels, scalar].map { kernels in
                    let dx = Output<Float>(count, shift: count % 4)
                    let passed = Output<Float>(count, shift: count % 3)
                    kernels.planeGradient(
                        count: count, gradient: inputs[0].pointer, x: inputs[1].pointer,
                        signOf: relu ? inputs[2].pointer : nil, factor: factors[0],
                        slope: factors[1], shift: factors[2], into: dx.pointer,
                        passed: passes ? passed.pointer : nil)
                    return (dx, passed)
                }
                expectSame(outputs[0].0, outputs[1].0, "count \(count), relu \(relu)")
                expectSame(outputs[0].1, outputs[1].1, "passed, count \(count)")
            }
        }
    }
}
