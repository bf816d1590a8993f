import DenseMath
import Testing

@Suite("LeastSquares")
struct LeastSquaresTests {
    private static let shapes = [(1, 1), (3, 3), (7, 3), (3, 7), (40, 5), (128, 6)]

    @Test("singular values fall, their vectors are orthonormal, and together they give the matrix")
    func singularValues() throws {
        var random = TestRandom(1)
        for (m, n) in Self.shapes {
            let a = random.matrix(m, n)
            let svd = try #require(LeastSquares.singularValues(of: a))
            let k = min(m, n)
            #expect(svd.left.rows == m && svd.left.columns == k)
            #expect(svd.rightTransposed.rows == k && svd.rightTransposed.columns == n)
            #expect(svd.values.count == k && svd.values.allSatisfy { $0 >= 0 })
            #expect(zip(svd.values, svd.values.dropFirst()).allSatisfy { $0 >= $1 })
            let identity = Matrix.identity(k)
            #expect(distance(naiveProduct(svd.left.transposed, svd.left), identity) < 1e-13)
            #expect(
                distance(
                    naiveProduct(svd.rightTransposed, svd.rightTransposed.transposed), identity)
                    < 1e-13)
            var scaled = svd.rightTransposed
            for i in 0..<k {
                for j in 0..<n { scaled[i, j] *= svd.values[i] }
            }
            #expect(distance(naiveProduct(svd.left, scaled), a) < 1e-13)
        }
        #expect(LeastSquares.singularValues(of: Matrix(rows: 0, columns: 2)) == nil)
    }

    @Test("known singular values are found")
    func knownSingularValues() throws {
        // diag(3, -2) turned by a permutation.
        let svd = try #require(
            LeastSquares.singularValues(of: Matrix(rows: 2, columns: 2, elements: [0, 3, -2, 0])))
        #expect(abs(svd.values[0] - 3) < 1e-14 && abs(svd.values[1] - 2) < 1e-14)
    }

    @Test("a pseudo-inverse has the four properties of Moore and Penrose, of any rank")
    func pseudoInverse() {
        var random = TestRandom(2)
        for (m, n) in Self.shapes {
            for rank in [min(m, n), max(1, min(m, n) - 1), 1] {
                let a = naiveProduct(random.matrix(m, rank), random.matrix(rank, n))
                let p = LeastSquares.pseudoInverse(of: a)
                #expect(p.rows == n && p.columns == m)
                let ap = naiveProduct(a, p)
                let pa = naiveProduct(p, a)
                let size = max(1, p.frobeniusNorm)
                #expect(distance(naiveProduct(ap, a), a) < 1e-11 * size)
                #expect(distance(naiveProduct(pa, p), p) < 1e-11 * size * size)
                #expect(distance(ap, ap.transposed) < 1e-11 * size)
                #expect(distance(pa, pa.transposed) < 1e-11 * size)
            }
        }
        #expect(
            LeastSquares.pseudoInverse(of: Matrix(rows: 2, columns: 3))
                == Matrix(rows: 3, columns: 2))
    }

    @Test("singular values below the tolerance count as zero")
    func tolerance() {
        let a = Matrix(rows: 2, columns: 2, elements: [1, 0, 0, 1e-6])
        #expect(abs(LeastSquares.pseudoInverse(of: a)[1, 1] - 1e6) < 1e-3)
        #expect(LeastSquares.pseudoInverse(of: a, tolerance: 1e-5)[1, 1] == 0)
    }

    @Test("a solution leaves a rest that is orthogonal to the columns")
    func solution() {
        var random = TestRandom(3)
        for (m, r, s) in [(10, 3, 2), (64, 6, 3), (5, 5, 1)] {
            let c = random.matrix(m, r)
            let a = random.matrix(m, s)
            let x = LeastSquares.solve(c, a)
            var rest = naiveProduct(c, x)
            for i in rest.elements.indices { rest.elements[i] -= a.elements[i] }
            #expect(naiveProduct(c.transposed, rest).frobeniusNorm < 1e-11)
            let single = LeastSquares.solveInSinglePrecision(c, a)
            #expect(distance(single, x) < 1e-3 * max(1, x.frobeniusNorm))
        }
    }

    @Test("of all solutions of a rank-deficient system the shortest is taken")
    func minimumNorm() {
        // Both columns alike: x1 + x2 = 2 is best, the shortest such x is (1, 1).
        let c = Matrix(rows: 3, columns: 2, elements: [1, 1, 1, 1, 1, 1])
        let a = Matrix(rows: 3, columns: 1, elements: [1, 2, 3])
        let expected = Matrix(rows: 2, columns: 1, elements: [1, 1])
        #expect(distance(LeastSquares.solve(c, a), expected) < 1e-14)
        let single = LeastSquares.solveInSinglePrecision(c, a, tolerance: 1e-5)
        #expect(distance(single, expected) < 1e-6)
        // More unknowns than equations: x = (1, 2) times 1/5 · 5.
        let wide = Matrix(rows: 1, columns: 2, elements: [1, 2])
        let one = Matrix(rows: 1, columns: 1, elements: [5])
        let shortest = Matrix(rows: 2, columns: 1, elements: [1, 2])
        #expect(distance(LeastSquares.solve(wide, one), shortest) < 1e-14)
        #expect(distance(LeastSquares.solveInSinglePrecision(wide, one), shortest) < 1e-5)
    }

    @Test("a system of zeros or of nothing has the solution zero")
    func zeros() {
        let zero = Matrix(rows: 4, columns: 2)
        let a = Matrix(rows: 4, columns: 3, repeating: 1)
        #expect(LeastSquares.solve(zero, a) == Matrix(rows: 2, columns: 3))
        #expect(LeastSquares.solveInSinglePrecision(zero, a) == Matrix(rows: 2, columns: 3))
        #expect(
            LeastSquares.solveInSinglePrecision(
                Matrix(rows: 0, columns: 2), Matrix(rows: 0, columns: 1))
                == Matrix(rows: 2, columns: 1))
    }

    @Test("normal equations give the least-squares solution, the shortest where columns depend")
    func normalEquations() {
        var random = TestRandom(4)
        let c = random.matrix(50, 6)
        let a = random.matrix(50, 3)
        let gram = naiveProduct(c.transposed, c)
        let cross = naiveProduct(c.transposed, a)
        let x = LeastSquares.solve(c, a)
        #expect(distance(LeastSquares.solveNormalEquations(gram: gram, cross: cross), x) < 1e-11)
        #expect(
            LeastSquares.solvePositiveDefinite(gram: gram, cross: cross).map { distance($0, x) }
                ?? 1 < 1e-11)

        var deficient = c
        for i in 0..<50 { deficient[i, 5] = deficient[i, 0] - deficient[i, 1] }
        let dependentGram = naiveProduct(deficient.transposed, deficient)
        let dependentCross = naiveProduct(deficient.transposed, a)
        #expect(
            LeastSquares.solvePositiveDefinite(gram: dependentGram, cross: dependentCross) == nil)
        #expect(
            distance(
                LeastSquares.solveNormalEquations(gram: dependentGram, cross: dependentCross),
                LeastSquares.solve(deficient, a)) < 1e-8)
        let nothing = Matrix(rows: 0, columns: 0)
        #expect(LeastSquares.solvePositiveDefinite(gram: nothing, cross: nothing) == nothing)
    }
}
