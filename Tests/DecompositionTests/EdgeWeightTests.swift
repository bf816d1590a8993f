import Decomposition
import Foundation
import PowerOfTwo
import Testing

@Suite("Weights at the edges")
struct EdgeWeightTests {
    private static let shapes = [[33, 8, 3, 3], [3, 700], [2, 1], [5, 1, 5, 5]]

    @Test("a tensor of zeros is rebuilt as zeros without error", arguments: shapes, Mode.allCases)
    func zeros(shape: [Int], mode: Mode) throws {
        for basisBits in [8, 32] {
            for prune in [nil, 0.5] {
                let weights = [Float](repeating: 0, count: shape.reduce(1, *))
                let (result, rebuilt) = try compress(
                    weights, shape,
                    options(mode) {
                        $0.basisBits = basisBits
                        $0.prune = prune
                        $0.columnScaling = true
                    })
                #expect(result.relativeError == 0)
                #expect(rebuilt.allSatisfy { $0 == 0 })
            }
        }
    }

    @Test(
        "a filter of zeros is rebuilt as zeros, the others as if it were not there",
        arguments: Mode.allCases)
    func zeroFilters(mode: Mode) throws {
        for basisBits in [8, 32] {
            let shape = [6, 8, 3, 3]
            var weights = TestWeights.gaussian(shape, seed: 1)
            for i in 0..<72 {
                weights[2 * 72 + i] = 0
                weights[5 * 72 + i] = 0
            }
            let (result, rebuilt) = try compress(
                weights, shape, options(mode) { $0.basisBits = basisBits })
            #expect(result.relativeError < 0.25)
            #expect(rebuilt[144..<216].allSatisfy { $0 == 0 })
            #expect(rebuilt[360..<432].allSatisfy { $0 == 0 })
        }
    }

    @Test(
        "a filter of vanishing weights does not disturb the others", arguments: Mode.allCases,
        [0x1p-149, 0x1p-133, 0x1p-126, 1e-36, 1e-30] as [Float])
    func vanishingFilter(mode: Mode, size: Float) throws {
        for basisBits in [8, 32] {
            let shape = [6, 8, 3, 3]
            var weights = TestWeights.gaussian(shape, seed: 9)
            let asked = options(mode) { $0.basisBits = basisBits }
            for i in 0..<72 { weights[2 * 72 + i] = 0 }
            let expected = try compress(weights, shape, asked).result.relativeError
            for i in 0..<72 { weights[2 * 72 + i] = i % 3 == 0 ? -size : size }
            let (result, _) = try compress(weights, shape, asked)
            // Its rows count like any others in the first look at a basis, hence not the same.
            #expect(result.relativeError <= 1.1 * expected, "\(basisBits) bits")
        }
    }

    @Test("a slice of zeros is rebuilt as zeros")
    func zeroSlices() throws {
        // Two slices of 171 rows a filter.
        let shape = [3, 1024]
        var weights = TestWeights.gaussian(shape, seed: 2)
        for i in 513..<1024 { weights[1024 + i] = 0 }
        for i in 0..<513 { weights[2048 + i] = 0 }
        let (result, rebuilt) = try compress(weights, shape, options(.reference))
        #expect(result.weight.geometry.sliceCount == 2)
        #expect(result.relativeError < 0.25)
        #expect(rebuilt[(1024 + 513)..<2561].allSatisfy { $0 == 0 })
    }

    @Test("rank-deficient weights are fitted", arguments: Mode.allCases, [false, true])
    func rankDeficient(mode: Mode, columnScaling: Bool) throws {
        let shape = [4, 30, 3, 3]
        let random = TestWeights.gaussian(shape, seed: 3)
        let patterns: [(Int, Int) -> Float] = [
            // One column, two alike, one multiple of another, one sum of the others.
            { i, t in t == 0 ? random[i] : 0 },
            { i, t in random[3 * (i / 3) + (t == 2 ? 1 : t)] },
            { i, t in random[3 * (i / 3)] * [1, 2, -0.5][t] },
            { i, t in t < 2 ? random[i] : random[i - 2] + random[i - 1] },
            // Rows of only zeros but one.
            { i, t in i % 270 == 4 ? 1 : 0 },
        ]
        for (index, pattern) in patterns.enumerated() {
            let weights = random.indices.map { pattern($0, $0 % 3) }
            let (result, _) = try compress(
                weights, shape,
                options(mode) {
                    $0.columnScaling = columnScaling
                    $0.threshold = 1e-3
                })
            #expect(result.relativeError < 0.3, "pattern \(index)")
        }
    }

    @Test("constant weights are rebuilt almost exactly", arguments: shapes, Mode.allCases)
    func constant(shape: [Int], mode: Mode) throws {
        for value: Float in [0.3, -1, 2] {
            let weights = [Float](repeating: value, count: shape.reduce(1, *))
            let (result, _) = try compress(weights, shape, options(mode))
            #expect(result.relativeError < 0.01)
        }
    }

    @Test(
        "huge and tiny weights have the same relative error", arguments: [Mode.best, .fast],
        [[40, 8, 3, 3], [3, 700], [64, 1, 3, 3]])
    func magnitudes(mode: Mode, shape: [Int]) throws {
        let weights = TestWeights.gaussian(shape, seed: 4, size: 1)
        let expected = try compress(weights, shape, options(mode)).result.relativeError
        for factor: Float in [1e-30, 1e-20, 1e-10, 1e10, 1e20, 1e30] {
            let scaled = weights.map { $0 * factor }
            for basisBits in [8, 32] {
                let (result, _) = try compress(
                    scaled, shape, options(mode) { $0.basisBits = basisBits })
                #expect(
                    abs(result.relativeError - expected) <= 0.06 * expected,
                    "times \(factor): \(result.relativeError), not \(expected)")
            }
        }
    }

    @Test(
        "reference mode times 2^k, theta with it, has the same relative error",
        arguments: [-60, -20, 20, 60])
    func referenceMagnitudes(exponent: Int) throws {
        let shape = [8, 16, 3, 3]
        let weights = TestWeights.gaussian(shape, seed: 5)
        let expected = try compress(weights, shape, options(.reference)).result
        let factor = Double(sign: .plus, exponent: exponent, significand: 1)
        let (result, _) = try compress(
            weights.map { $0 * Float(factor) }, shape,
            options(.reference) {
                $0.threshold *= factor
                $0.tolerance *= factor
                $0.largestCoefficient *= factor
            })
        #expect(abs(result.relativeError - expected.relativeError) < 1e-4)
        #expect(
            result.statistics.nonzeroCoefficients == expected.statistics.nonzeroCoefficients)
    }

    @Test(
        "reference mode survives magnitudes far from theta",
        arguments: [1e-30, 1e-20, 1e20, 1e30] as [Float])
    func referenceExtremes(factor: Float) throws {
        let shape = [8, 16, 3, 3]
        let weights = TestWeights.gaussian(shape, seed: 6).map { $0 * factor }
        for columnScaling in [false, true] {
            for basisBits in [8, 32] {
                let (result, _) = try compress(
                    weights, shape,
                    options(.reference) {
                        $0.basisBits = basisBits
                        $0.columnScaling = columnScaling
                    })
                #expect(result.relativeError <= 1)
            }
        }
    }

    @Test("NaN and infinity are refused, naming tensor and index", arguments: Mode.allCases)
    func nonFinite(mode: Mode) throws {
        let shape = [40, 2, 3, 3]
        for value: Float in [.nan, .infinity, -.infinity] {
            for index in [0, 7, 35 * 18 + 5, 719] {
                for threads in [1, 2] {
                    var weights = TestWeights.gaussian(shape, seed: 7)
                    weights[index] = value
                    // The first one counts.
                    weights[719] = value
                    let error = #expect(throws: DecompositionError.self) {
                        try compress(
                            weights, shape, options(mode), name: "block.3.weight",
                            threads: threads)
                    }
                    #expect(error?.code == .nonFiniteWeight)
                    #expect(error?.path == "block.3.weight")
                    #expect(error?.message.hasPrefix("weight \(index) is \(value);") == true)
                    #expect(error?.description.contains("block.3.weight") == true)
                }
            }
        }
    }

    @Test("what the step throws stops compression")
    func stop() throws {
        let compressor = try WeightCompressor(options: options(.fast), threads: 2)
        let shape = [70, 9]
        let tensor = WeightTensor(
            name: "w", shape: shape, weights: TestWeights.gaussian(shape, seed: 8))
        #expect(throws: DecompositionError(.cancelled, "stop")) {
            try compressor.compress(tensor) { filters in
                if filters == 6 { throw DecompositionError(.cancelled, "stop") }
            }
        }
        #expect(throws: PowerOfTwoError.self) {
            try compressor.compress(WeightTensor(name: "w", shape: [0, 4], weights: []))
        }
    }
}
