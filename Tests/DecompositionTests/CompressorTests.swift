import Decomposition
import DenseMath
import Foundation
import PowerOfTwo
import Testing

@Suite("WeightCompressor")
struct CompressorTests {
    @Test("one seed gives the same bits on one and on two threads", arguments: Mode.allCases)
    func threads(mode: Mode) throws {
        for shape in [[100, 6, 3, 3], [70, 90], [65, 1, 3, 3]] {
            let weights = TestWeights.gaussian(shape, seed: 1)
            for prune in [nil, 0.3] {
                let asked = options(mode) {
                    $0.prune = prune
                    $0.rowSparsity = true
                }
                let one = try compress(weights, shape, asked, threads: 1, seed: 5).result
                let two = try compress(weights, shape, asked, threads: 2, seed: 5).result
                let again = try compress(weights, shape, asked, threads: 2, seed: 5).result
                #expect(one.weight == two.weight && two.weight == again.weight)
                #expect(one.relativeError == two.relativeError)
                #expect(one.authorsBits == two.authorsBits)
                #expect(one.statistics == two.statistics)
            }
        }
    }

    @Test("other seeds and names still give good fits, and only best mode depends on them")
    func seeds() throws {
        let shape = [40, 6, 3, 3]
        let weights = TestWeights.gaussian(shape, seed: 2)
        for mode in Mode.allCases {
            let first = try compress(weights, shape, options(mode), seed: 0).result
            for (name, seed) in [("layer.weight", 1), ("layer.weight", 77), ("other.weight", 0)] {
                let result = try compress(
                    weights, shape, options(mode), name: name, seed: UInt64(seed)
                ).result
                #expect(abs(result.relativeError - first.relativeError) < 0.01)
                if mode == .reference { #expect(result.weight == first.weight) }
            }
        }
    }

    @Test(
        "rebuilt weights are the stored coefficients times the stored basis",
        arguments: Mode.allCases)
    func product(mode: Mode) throws {
        let shape = [10, 16, 3, 3]
        let weights = TestWeights.gaussian(shape, seed: 3)
        for basisBits in [8, 32] {
            let (result, rebuilt) = try compress(
                weights, shape, options(mode) { $0.basisBits = basisBits })
            let weight = result.weight
            let geometry = weight.geometry
            let (rank, width, n) = (weight.rank, geometry.width, geometry.nibbles)
            #expect(geometry.sliceCount == 1 && weight.rowMask == nil)
            weight.forEachSlice { filter, slice, symbols, rows in
                let coefficients = Matrix(
                    rows: rows, columns: rank,
                    elements: (0..<(rows * n)).flatMap {
                        Array(weight.alphabet[Int(symbols[$0])])
                    })
                let begin = geometry.basisIndex(filter: filter, slice: slice) * rank * width
                let basis = Matrix(
                    rows: rank, columns: width,
                    elements: (begin..<(begin + rank * width)).map {
                        Double(weight.basis[$0])
                            * Double(weight.scale(filter: filter, slice: slice))
                    })
                let expected = coefficients.multiplied(by: basis).elements.prefix(144)
                let found = rebuilt[(filter * 144)..<((filter + 1) * 144)].map { Double($0) }
                let largest = expected.map { abs($0) }.max() ?? 0
                #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 2e-6 * largest })
            }
        }
    }

    @Test(
        "a float basis is no worse than an 8-bit one", arguments: Mode.allCases,
        [[16, 32, 3, 3], [8, 500], [64, 1, 3, 3]])
    func basisBits(mode: Mode, shape: [Int]) throws {
        for seed in 4..<8 as Range<UInt64> {
            let weights = TestWeights.gaussian(shape, seed: seed)
            let float = try compress(weights, shape, options(mode) { $0.basisBits = 32 }).result
            let integer = try compress(weights, shape, options(mode)).result
            #expect(
                float.relativeError <= 1.01 * integer.relativeError,
                "\(float.relativeError), with 8 bits \(integer.relativeError), seed \(seed)")
            #expect(float.weight.basis.bits == 32 && integer.weight.basis.bits == 8)
        }
    }

    @Test("asked for sizes and alphabets are used")
    func asked() throws {
        let shape = [64, 10, 3, 3]
        let weights = TestWeights.gaussian(shape, seed: 8)
        for (width, nibbles, shared) in [(1, 1, 1), (2, 2, 4), (3, 3, 32), (8, 3, 16), (4, 1, 2)] {
            for alphabet in Alphabet.named {
                let weight = try compress(
                    weights, shape,
                    options(.best) {
                        $0.basisWidth = width
                        $0.nibbles = nibbles
                        $0.filtersPerBasis = shared
                        $0.alphabet = alphabet
                    }
                ).result.weight
                #expect(weight.geometry.width == width && weight.geometry.nibbles == nibbles)
                #expect(weight.geometry.filtersPerBasis == shared)
                #expect(weight.alphabet == alphabet)
                #expect(weight.geometry.basisCount == 64 / shared)
            }
        }
        for nibbles in 1...3 {
            let result = try compress(
                weights, shape, options(.fast) { $0.nibbles = nibbles }
            ).result
            #expect(result.weight.geometry.nibbles == nibbles)
            #expect(result.relativeError < [0.13, 0.035, 0.015][nibbles - 1])
        }
        let reference = try compress(
            weights, shape, options(.reference) { $0.filtersPerBasis = 1 }
        ).result
        #expect(reference.weight.alphabet == .single)
    }

    @Test("the error reported is against the original, pruning included")
    func reportedError() throws {
        let shape = [32, 6, 3, 3]
        let weights = TestWeights.gaussian(shape, seed: 10)
        for mode in Mode.allCases {
            let (result, rebuilt) = try compress(weights, shape, options(mode) { $0.prune = 0.5 })
            #expect(result.relativeError > 0.3)
            #expect(
                abs(result.relativeError - TestWeights.relativeError(rebuilt, weights)) < 1e-5)
            #expect(
                result.authorsBits >= 32 * result.weight.basis.count
                    + result.statistics.coefficients)
        }
    }

    @Test(
        "random layers are fitted within the bound of their mode",
        arguments: 0..<24 as Range<UInt64>)
    func property(seed: UInt64) throws {
        var random = SplitMix64(seed: 1000 + seed)
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let filters = number(1...70)
        let shape: [Int]
        switch seed % 4 {
        case 0: shape = [filters, number(8...40), 3, 3]
        case 1: shape = [filters, number(64...700)]
        case 2: shape = [filters, number(64...300), 1, 1]
        default: shape = [filters, number(11...30), number(2...6), number(3...5)]
        }
        let size = exp2(Double(number(-4...2)))
        let weights = TestWeights.gaussian(shape, seed: seed, size: 0.05 * size)
        for (mode, bound) in [(Mode.best, 0.115), (.reference, 0.20), (.fast, 0.13)] {
            // Theta is absolute: as small beside these weights as 4e-3 beside trained ones.
            let asked = options(mode) { $0.threshold = 1e-3 * size }
            let error = try compress(weights, shape, asked, seed: seed).result.relativeError
            #expect(error < bound, "seed \(seed), \(shape), \(mode.rawValue)")
            #expect(error > 0.01, "seed \(seed), \(shape), \(mode.rawValue)")
        }
    }
}

@Suite("LayerOptions")
struct LayerOptionsTests {
    private typealias Rule = (
        name: String, change: @Sendable (inout LayerOptions) -> Void, says: String?
    )

    /// A change of the default options, and what the problem it makes says; nil for none.
    private static let rules: [Rule] = [
        ("defaults", { _ in }, nil),
        ("threshold 0", { $0.threshold = 0 }, nil),
        ("threshold below 0", { $0.threshold = -0.1 }, "threshold"),
        ("threshold NaN", { $0.threshold = .nan }, "threshold"),
        ("threshold infinite", { $0.threshold = .infinity }, "threshold"),
        ("2 iterations", { $0.iterations = 2 }, nil),
        ("1 iteration", { $0.iterations = 1 }, "iterations must be at least 2, got 1"),
        ("tolerance 0", { $0.tolerance = 0 }, nil),
        ("tolerance below 0", { $0.tolerance = -1 }, "tolerance"),
        ("tolerance NaN", { $0.tolerance = .nan }, "tolerance"),
        ("decay 0", { $0.decay = 0 }, "decay"),
        ("decay 1", { $0.decay = 1 }, "decay must be between 0 and 1, got 1.0"),
        ("decay NaN", { $0.decay = .nan }, "decay"),
        ("largest 0.5", { $0.largestCoefficient = 0.5 }, nil),
        ("largest 0", { $0.largestCoefficient = 0 }, "largest-coefficient"),
        ("largest 3", { $0.largestCoefficient = 3 }, "power of two, got 3.0"),
        ("largest -2", { $0.largestCoefficient = -2 }, "largest-coefficient"),
        ("largest infinite", { $0.largestCoefficient = .infinity }, "largest-coefficient"),
        ("largest NaN", { $0.largestCoefficient = .nan }, "largest-coefficient"),
        ("basis 32", { $0.basisBits = 32 }, nil),
        ("basis 16", { $0.basisBits = 16 }, "basis-bits must be 8 or 32, got 16"),
        ("population 0", { $0.prune = 0 }, nil),
        ("population 1", { $0.prune = 1 }, "prune must be in 0..<1, got 1.0"),
        ("population NaN", { $0.prune = .nan }, "prune"),
        ("energy 1", { ($0.prune, $0.pruneKind) = (1, .energy) }, nil),
        ("energy 0", { ($0.prune, $0.pruneKind) = (0, .energy) }, "got 0.0"),
        ("energy 1.1", { ($0.prune, $0.pruneKind) = (1.1, .energy) }, "got 1.1"),
        ("value 7", { ($0.prune, $0.pruneKind) = (7, .value) }, nil),
        ("value -1", { ($0.prune, $0.pruneKind) = (-1, .value) }, "prune must be at least 0"),
        ("shared 8", { $0.filtersPerBasis = 8 }, nil),
        ("shared 0", { $0.filtersPerBasis = 0 }, "filters-per-basis"),
        ("shared 3", { $0.filtersPerBasis = 3 }, "1, 2, 4, 8, 16 or 32, got 3"),
        ("shared 64", { $0.filtersPerBasis = 64 }, "filters-per-basis"),
        ("nibbles 3", { $0.nibbles = 3 }, nil),
        ("nibbles 0", { $0.nibbles = 0 }, "nibbles must be 1, 2 or 3, got 0"),
        ("nibbles 4", { $0.nibbles = 4 }, "nibbles must be 1, 2 or 3, got 4"),
        ("width 8", { $0.basisWidth = 8 }, nil),
        ("width 0", { $0.basisWidth = 0 }, "basis-width must be in 1...8, got 0"),
        ("width 9", { $0.basisWidth = 9 }, "basis-width must be in 1...8, got 9"),
        ("reference nibbles", { ($0.mode, $0.nibbles) = (.reference, 3) }, "reference mode"),
        ("reference width", { ($0.mode, $0.basisWidth) = (.reference, 3) }, "reference mode"),
        ("reference shared 1", { ($0.mode, $0.filtersPerBasis) = (.reference, 1) }, nil),
        ("reference shared 8", { ($0.mode, $0.filtersPerBasis) = (.reference, 8) }, "every filter"),
        ("fast width 1", { ($0.mode, $0.basisWidth) = (.fast, 1) }, nil),
        ("fast width 2", { ($0.mode, $0.basisWidth) = (.fast, 2) }, "fast mode"),
    ]

    @Test("every rule is checked, and says what it is and what was given", arguments: rules.indices)
    func rule(index: Int) throws {
        let rule = Self.rules[index]
        var options = LayerOptions()
        rule.change(&options)
        guard let says = rule.says else {
            #expect(options.problems.isEmpty, "\(rule.name)")
            _ = try WeightCompressor(options: options)
            return
        }
        #expect(options.problems.count == 1, "\(rule.name): \(options.problems)")
        #expect(options.problems.first?.contains(says) == true, "\(rule.name)")
        let error = #expect(throws: DecompositionError.self) {
            try WeightCompressor(options: options)
        }
        #expect(error?.code == .invalidOption)
        #expect(error?.message == options.problems.joined(separator: "; "))
    }

    @Test("all problems are told at once")
    func all() {
        var options = LayerOptions()
        options.threshold = -1
        options.iterations = 0
        options.decay = 2
        options.basisBits = 4
        #expect(options.problems.count == 4)
    }
}

@Suite("LayerKind")
struct LayerKindTests {
    @Test(
        "a layer is told by its name and shape",
        arguments: [
            ("conv.weight", [64, 3, 7, 7], LayerKind.conv), ("conv.weight", [8, 4, 3], .conv),
            ("conv.weight", [8, 4, 1, 7], .conv), ("conv.weight", [8, 4, 3, 3, 3], .conv),
            ("conv.weight", [1, 1, 3, 3], .conv), ("dw.weight", [32, 1, 3, 3], .depthwise),
            ("dw.weight", [32, 1, 5], .depthwise), ("pw.weight", [32, 16, 1, 1], .conv1x1),
            ("pw.weight", [32, 16, 1], .conv1x1), ("pw.weight", [32, 1, 1, 1], .conv1x1),
            ("fc.weight", [10, 20], .linear), ("tok_Embeddings.weight", [10, 20], .embedding),
            ("bn.weight", [10], .vector), ("scale", [], .vector),
        ] as [(String, [Int], LayerKind)])
    func kinds(name: String, shape: [Int], kind: LayerKind) {
        #expect(LayerKind(name: name, shape: shape) == kind)
        #expect(
            kind.isConvolution == (kind == .conv || kind == .conv1x1 || kind == .depthwise))
    }
}
