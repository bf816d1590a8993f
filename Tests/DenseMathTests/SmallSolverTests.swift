import DenseMath
import Testing

@Suite("SmallSolver")
struct SmallSolverTests {
    @Test("it solves what the general solver solves", arguments: 1...9)
    func agrees(size: Int) {
        var random = TestRandom(UInt64(size))
        let c = random.matrix(3 * size, size)
        let gram = naiveProduct(c.transposed, c)
        let x = random.matrix(size, 4)
        var cross = naiveProduct(gram, x).elements
        var work = gram.elements
        #expect(
            SmallSolver.solvePositiveDefinite(
                size: size, columns: 4, gram: &work, cross: &cross, smallestPivot: 1e-8))
        #expect(distance(Matrix(rows: size, columns: 4, elements: cross), x) < 1e-9)
        var square = random.matrix(size, size).elements
        // The largest elements off the diagonal: pivots have to move.
        for i in 0..<size { square[i * size + (i + 1) % size] += 3 }
        let original = Matrix(rows: size, columns: size, elements: square)
        var inverse = [Double](repeating: .nan, count: size * size)
        #expect(
            SmallSolver.invert(size: size, matrix: &square, into: &inverse, smallestPivot: 1e-8))
        let product = naiveProduct(original, Matrix(rows: size, columns: size, elements: inverse))
        #expect(distance(product, .identity(size)) < 1e-11)
    }

    @Test("a declined system leaves its right side as it was")
    func declines() {
        let right = [1.0, 2, 3, 4]
        let dependent: [[Double]] = [
            [1, 1, 1, 1],
            [0, 0, 0, 0],
            [4, 2, 2, 1],
            [1, 1, 1, 1 + 1e-10],
            [-1, 0, 0, 1],
            [.nan, 0, 0, 1],
            [1, .nan, .nan, 1],
        ]
        for gram in dependent {
            var gram = gram
            var cross = right
            #expect(
                !SmallSolver.solvePositiveDefinite(
                    size: 2, columns: 2, gram: &gram, cross: &cross, smallestPivot: 1e-8),
                "\(gram)")
            #expect(cross == right)
        }
    }

    @Test("a matrix that has no inverse, or nearly none, is declined")
    func singular() {
        for matrix in [[1.0, 2, 2, 4], [0, 0, 0, 0], [1, 1, 1, 1 + 1e-10], [0, 1, 0, 1]] {
            var matrix = matrix
            var inverse = [Double](repeating: 0, count: 4)
            #expect(
                !SmallSolver.invert(
                    size: 2, matrix: &matrix, into: &inverse, smallestPivot: 1e-8))
        }
    }
}
