import DenseMath
import Testing

@Suite("Matrix")
struct MatrixTests {
    @Test("elements are row-major")
    func layout() {
        var matrix = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
        #expect(matrix[0, 2] == 3 && matrix[1, 0] == 4)
        matrix[1, 0] = 7
        #expect(matrix.elements == [1, 2, 3, 7, 5, 6])
        #expect(
            matrix.transposed == Matrix(rows: 3, columns: 2, elements: [1, 7, 2, 5, 3, 6]))
        #expect(Matrix.identity(2).elements == [1, 0, 0, 1])
        #expect(Matrix(rows: 1, columns: 2, repeating: 3).elements == [3, 3])
    }

    @Test("a copy does not change with the original")
    func values() {
        let first = Matrix(rows: 1, columns: 1)
        var second = first
        second[0, 0] = 1
        #expect(first[0, 0] == 0)
    }

    @Test("the Frobenius norm is the root of the sum of squares")
    func norm() {
        #expect(Matrix(rows: 2, columns: 2, elements: [1, -2, 2, 4]).frobeniusNorm == 5)
        #expect(Matrix(rows: 0, columns: 3).frobeniusNorm == 0)
    }

    @Test("products are the sums of their definition, in double and in single precision")
    func product() {
        var random = TestRandom(1)
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (17, 1, 9), (33, 64, 31), (128, 6, 3)] {
            let a = random.matrix(m, k)
            let b = random.matrix(k, n)
            let expected = naiveProduct(a, b)
            #expect(distance(a.multiplied(by: b), expected) <= 1e-13 * Double(k))
            var c = [Float](repeating: .nan, count: m * n)
            BLASLibrary.multiply(
                m: m, n: n, k: k, a.elements.map { Float($0) }, b.elements.map { Float($0) },
                into: &c)
            let single = Matrix(rows: m, columns: n, elements: c.map { Double($0) })
            #expect(distance(single, expected) <= 1e-6 * Double(k))
        }
    }

    @Test("products of empty matrices have their shape and are zero")
    func empty() {
        #expect(
            Matrix(rows: 0, columns: 3).multiplied(by: Matrix(rows: 3, columns: 2))
                == Matrix(rows: 0, columns: 2))
        #expect(
            Matrix(rows: 2, columns: 0).multiplied(by: Matrix(rows: 0, columns: 2))
                == Matrix(rows: 2, columns: 2))
    }

    @Test("the BLAS library names itself and its threads can be set")
    func library() {
        #expect(BLASLibrary.description.contains("OpenBLAS"))
        let before = BLASLibrary.threads
        BLASLibrary.threads = 1
        #expect(BLASLibrary.threads == 1)
        BLASLibrary.threads = before
    }
}
