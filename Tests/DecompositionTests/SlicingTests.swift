import Decomposition
import PowerOfTwo
import Testing

@Suite("Slicing")
struct SlicingTests {
    /// Layers of every kind, filters with more columns than rows among them.
    private static let shapes = [
        [8, 6, 3, 3], [8, 6, 5, 5], [4, 3, 7, 7], [8, 16, 1, 7], [8, 16, 7, 1], [8, 16, 3],
        [8, 16, 9], [4, 6, 3, 3, 3], [32, 1, 3, 3], [16, 1, 5, 5], [16, 1, 7, 7], [8, 20, 1, 1],
        [8, 60, 1], [4, 50], [4, 3], [4, 2], [4, 1], [1, 1], [3, 1, 1, 1], [1, 300],
        // Not tall: one row or a few of many columns.
        [8, 1, 1, 7], [4, 1, 3, 9], [4, 2, 3, 31], [4, 1, 64], [4, 1, 65], [4, 2, 2, 70],
        // Longer than a slice, with awkward divisors.
        [2, 3 * 577], [2, 1731 + 2], [3, 211], [2, 193 * 3, 1, 1], [2, 101, 3, 3],
        [2, 7 * 11 * 13],
        [2, 67, 5, 5], [1, 389, 3],
    ]

    @Test(
        "the rebuilt weights of every shape and mode lie where the layer's own do",
        arguments: shapes, Mode.allCases)
    func layouts(shape: [Int], mode: Mode) throws {
        let weights = TestWeights.gaussian(shape, seed: 1)
        let (result, _) = try compress(weights, shape, options(mode) { $0.threshold = 0 })
        // Weights in another order would be off by √2.
        #expect(result.relativeError < 0.35)
        #expect(result.weight.geometry.shape == shape)
    }

    @Test("with 12 bits a weight every shape is rebuilt almost exactly", arguments: shapes)
    func fine(shape: [Int]) throws {
        let weights = TestWeights.gaussian(shape, seed: 2)
        let fine = options(.best) {
            $0.basisWidth = 1
            $0.nibbles = 3
            $0.basisBits = 32
        }
        let (result, _) = try compress(weights, shape, fine)
        #expect(result.relativeError < 0.002)
    }

    @Test(
        "linear weights of the lengths that the authors list are cut as they do",
        arguments: [
            (4096, 8, 171), (2048, 4, 171), (1280, 3, 143), (1024, 2, 171), (960, 2, 160),
            (576, 1, 192), (512, 1, 171), (384, 1, 128), (320, 1, 107), (256, 1, 86),
            (192, 1, 64), (160, 1, 54), (144, 1, 48), (128, 1, 43), (96, 1, 32), (64, 1, 22),
            (32, 1, 11), (24, 1, 8), (16, 1, 6),
        ])
    func authorsTable(length: Int, slices: Int, rows: Int) throws {
        for shape in [[2, length], [2, length, 1, 1]] {
            let weights = TestWeights.gaussian(shape, seed: 3)
            let (result, _) = try compress(weights, shape, options(.reference))
            #expect(result.weight.geometry.sliceCount == slices)
            #expect(result.weight.geometry.rowsPerSlice == rows)
            #expect(result.weight.geometry.width == 3)
            #expect(result.statistics.rows == 2 * slices * rows)
        }
    }

    @Test(
        "other lengths are cut evenly into slices of at most 64 rows a column",
        arguments: [
            ([2, 1536], 3, 128), ([2, 1152], 3, 192), ([2, 577], 3, 97), ([2, 1731], 3, 145),
            ([2, 64, 3, 3], 3, 192), ([2, 128, 3, 3], 3, 192), ([2, 65, 3, 3], 3, 65),
            ([2, 64, 5, 5], 5, 320), ([2, 16, 1, 7], 7, 16), ([2, 16, 7, 1], 3, 38),
            ([2, 70, 9], 9, 70), ([2, 579], 3, 97),
        ])
    func evenSlices(shape: [Int], width: Int, rows: Int) throws {
        let weights = TestWeights.gaussian(shape, seed: 4)
        let geometry = try compress(weights, shape, options(.reference)).result.weight.geometry
        #expect(geometry.width == width)
        #expect(geometry.rowsPerSlice <= 64 * width)
        #expect(geometry.rowsPerSlice == rows)
    }

    @Test("every slice of reference mode has at least as many rows as columns")
    func tall() throws {
        for shape in Self.shapes {
            let weights = TestWeights.gaussian(shape, seed: 5)
            let geometry = try compress(weights, shape, options(.reference)).result.weight.geometry
            #expect(geometry.rowsPerSlice >= geometry.width, "\(shape)")
        }
    }
}
