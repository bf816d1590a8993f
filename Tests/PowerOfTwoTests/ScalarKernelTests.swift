import Foundation
import PowerOfTwo
import Testing

/// The symbol of a row as the format states it: chunks of 128 rows, of R rows n planes of
/// h = ⌈R/2⌉ bytes, byte i with row i in its low nibble and row h + i in its high one.
private func statedSymbol(_ packed: [UInt8], rows: Int, n: Int, row: Int, j: Int) -> Int {
    let chunk = row / 128
    let h = (min(128, rows - chunk * 128) + 1) / 2
    let i = row - chunk * 128
    let plane = chunk * n * 64 + j * h
    return Int(i < h ? packed[plane + i] & 15 : packed[plane + i - h] >> 4)
}

@Suite("Scalar kernels")
struct ScalarKernelTests {
    private let kernels = ShiftKernels.scalar

    @Test("unpacking reads the layout that the format states, and packing writes it")
    func nibbles() {
        var random = TestRandom(1)
        for rows in Sizes.rows {
            for n in [1, 2, 3, 7] {
                var packed = random.bytes(KernelCases.packedBytes(rows, n))
                // The high nibbles that no row has.
                if rows % 2 == 1 {
                    let last = rows / 128
                    let h = (rows - last * 128 + 1) / 2
                    for j in 0..<n { packed[last * n * 64 + j * h + h - 1] &= 15 }
                }
                var symbols = [UInt8](repeating: 0, count: n * rows)
                kernels.unpackNibbles(
                    rows: rows, nibbles: n, packed: packed, symbols: &symbols, planeStride: rows)
                let isStated = (0..<n).allSatisfy { j in
                    (0..<rows).allSatisfy {
                        Int(symbols[j * rows + $0])
                            == statedSymbol(packed, rows: rows, n: n, row: $0, j: j)
                    }
                }
                #expect(isStated, "rows \(rows), n \(n)")
                var again = [UInt8](repeating: 0xFF, count: packed.count)
                kernels.packNibbles(
                    rows: rows, nibbles: n, symbols: symbols, planeStride: rows, packed: &again)
                #expect(again == packed, "rows \(rows), n \(n)")
            }
        }
    }

    @Test("a float weight is the scale times the sum of its table entries, in order")
    func floats() {
        var random = TestRandom(2)
        for rows in [1, 2, 33, 127, 128, 129, 257] {
            for (n, width) in [(1, 1), (3, 3), (2, 4), (7, 9)] {
                let packed = random.bytes(KernelCases.packedBytes(rows, n))
                let tables = random.floats(n * width * 16)
                var found = [Float](repeating: .nan, count: rows * width)
                kernels.rebuild(
                    rows: rows, nibbles: n, width: width, packed: packed, tables: tables,
                    scale: 0.3, into: &found)
                var expected = found
                for row in 0..<rows {
                    for t in 0..<width {
                        var sum: Float = 0
                        for j in 0..<n {
                            let k = statedSymbol(packed, rows: rows, n: n, row: row, j: j)
                            sum += tables[(j * width + t) * 16 + k]
                        }
                        expected[row * width + t] = 0.3 * sum
                    }
                }
                #expect(found == expected, "rows \(rows), n \(n), S \(width)")
            }
        }
    }

    @Test("an integer weight is the sum of its table entries")
    func integers() {
        var random = TestRandom(3)
        for rows in [1, 2, 33, 127, 128, 129, 257] {
            for (n, width) in [(1, 1), (3, 3), (2, 4), (7, 9)] {
                let packed = random.bytes(KernelCases.packedBytes(rows, n))
                let tables = random.bytes(n * width * 16).map { Int8(Int($0) % 37 - 18) }
                var found = [Int8](repeating: 0, count: rows * width)
                kernels.rebuild(
                    rows: rows, nibbles: n, width: width, packed: packed, tables: tables,
                    into: &found)
                var expected = found
                for row in 0..<rows {
                    for t in 0..<width {
                        let sum = (0..<n).reduce(0) { sum, j in
                            let k = statedSymbol(packed, rows: rows, n: n, row: row, j: j)
                            return sum + Int(tables[(j * width + t) * 16 + k])
                        }
                        expected[row * width + t] = Int8(sum)
                    }
                }
                #expect(found == expected, "rows \(rows), n \(n), S \(width)")
            }
        }
    }

    @Test(
        "no other symbols are nearer to a row than the chosen ones",
        arguments: [
            (1, 1, 16), (1, 8, 15), (2, 3, 16), (2, 2, 15), (3, 3, 16), (3, 4, 15), (3, 8, 9),
        ])
    func nearest(n: Int, width: Int, symbolCount: Int) {
        var random = TestRandom(UInt64(n * 100 + width))
        let rows = n == 3 ? 12 : 40
        let x = random.floats(rows * width)
        let tables = random.floats(n * width * 16)
        var norms = [Float](repeating: .nan, count: 1 << (4 * n))
        ShiftKernels.combinationNorms(
            nibbles: n, width: width, symbols: symbolCount, tables: tables, into: &norms)
        var symbols = [UInt8](repeating: 0xFF, count: rows * n)
        kernels.nearestSymbols(
            rows: rows, nibbles: n, width: width, x: x, tables: tables, norms: norms,
            symbols: &symbols)
        let exact = tables.map { Double($0) }
        func distance(_ row: Int, _ chosen: Int) -> Double {
            var sum = 0.0
            for t in 0..<width {
                var value = Double(x[row * width + t])
                for j in 0..<n {
                    value -= exact[(j * width + t) * 16 + (chosen >> (4 * (n - 1 - j))) & 15]
                }
                sum += value * value
            }
            return sum
        }
        let allowed = (0..<(1 << (4 * n))).filter { combination in
            (0..<n).allSatisfy { (combination >> (4 * $0)) & 15 < symbolCount }
        }
        for row in 0..<rows {
            let chosen = (0..<n).reduce(0) { $0 << 4 | Int(symbols[row * n + $1]) }
            let least = allowed.reduce(Double.infinity) { min($0, distance(row, $1)) }
            #expect(symbols[(row * n)..<((row + 1) * n)].allSatisfy { $0 < symbolCount })
            #expect(distance(row, chosen) <= least + 1e-5 * Double(width * n * n), "row \(row)")
        }
    }

    @Test("combination norms are the squared lengths of all sums")
    func norms() {
        var random = TestRandom(4)
        for n in 1...3 {
            let width = n + 1
            let tables = random.floats(n * width * 16)
            var norms = [Float](repeating: .nan, count: 1 << (4 * n))
            ShiftKernels.combinationNorms(
                nibbles: n, width: width, symbols: 15, tables: tables, into: &norms)
            for combination in norms.indices {
                let symbols = (0..<n).map { (combination >> (4 * (n - 1 - $0))) & 15 }
                guard !symbols.contains(15) else {
                    #expect(norms[combination] == .greatestFiniteMagnitude)
                    continue
                }
                var norm = 0.0
                for t in 0..<width {
                    let sum = symbols.enumerated().reduce(0.0) {
                        $0 + Double(tables[($1.offset * width + t) * 16 + $1.element])
                    }
                    norm += sum * sum
                }
                #expect(abs(Double(norms[combination]) - norm) <= 1e-5 * (1 + norm))
            }
        }
    }

    @Test("moments count symbols, pairs of symbols and weights")
    func moments() {
        var random = TestRandom(5)
        let (rows, n, width) = (50, 3, 2)
        let x = random.floats(rows * width, whole: true)
        let symbols = random.bytes(rows * n).map { $0 & 15 }
        var singles = [Double](repeating: 1, count: n * 16)
        var pairs = [Double](repeating: 1, count: 3 * 256)
        var sums = [Double](repeating: 1, count: n * 16 * width)
        ShiftKernels.addSymbolMoments(
            rows: rows, nibbles: n, width: width, x: x, symbols: symbols, weight: 0.5,
            singles: &singles, pairs: &pairs, sums: &sums)
        for j in 0..<n {
            for k in 0..<16 {
                let own = (0..<rows).filter { symbols[$0 * n + j] == k }
                #expect(singles[j * 16 + k] == 1 + 0.5 * Double(own.count))
                for t in 0..<width {
                    let sum = own.reduce(0.0) { $0 + Double(x[$1 * width + t]) }
                    #expect(sums[(j * 16 + k) * width + t] == 1 + 0.5 * sum)
                }
            }
        }
        for (index, (j, i)) in [(0, 1), (0, 2), (1, 2)].enumerated() {
            for k in 0..<16 {
                for l in 0..<16 {
                    let both = (0..<rows).count {
                        symbols[$0 * n + j] == k && symbols[$0 * n + i] == l
                    }
                    #expect(pairs[index * 256 + k * 16 + l] == 1 + 0.5 * Double(both))
                }
            }
        }
    }

    @Test("a value takes the level whose midpoints it lies between, the lower one on a midpoint")
    func levels() {
        let midpoints = (0..<15).map { Float($0) - 7 }
        let order = (0..<16).map { UInt8(15 - $0) }
        let x: [Float] = [-100, -7, -6.9, 0, 0.5, 7, 7.1, 100]
        var symbols = [UInt8](repeating: 0xFF, count: x.count)
        kernels.nearestLevels(
            count: x.count, x: x, factor: 1, midpoints: midpoints, order: order,
            symbols: &symbols)
        #expect(symbols.map { 15 - $0 } == [0, 0, 1, 7, 8, 14, 15, 15])
        kernels.nearestLevels(
            count: x.count, x: x, factor: 0, midpoints: midpoints, order: order,
            symbols: &symbols)
        #expect(symbols.allSatisfy { $0 == 8 })
    }

    @Test("quantising takes the nearest power of two by distance, ties to the lower, at most max_C")
    func quantise() {
        var random = TestRandom(6)
        let rows = 24
        var c = (0..<(2 * rows)).map { _ in random.signed() * 50 }
        c[0] = 1.5
        c[1] = -3
        c[2] = 0
        c[3] = 1000
        c[4] = 0.75.nextUp
        let a = (0..<(3 * rows)).map { _ in random.signed() }
        let before = (0..<(2 * rows)).map { _ in random.signed() }
        let scale = [1, 0.8]
        var q = before
        var moved = 0.0
        var gram = [Double](repeating: 0, count: 4)
        var cross = [Double](repeating: 0, count: 6)
        kernels.fitQuantise(
            stride: rows, rank: 2, width: 3, coefficients: c, scale: scale, largest: 32,
            target: a, quantised: &q, moved: &moved, gram: &gram, cross: &cross)
        let powers = (-60...5).map { exp2(Double($0)) }
        for (index, value) in c.enumerated() {
            let magnitude = abs(value) * scale[index / rows]
            var nearest = 0.0
            if magnitude > 0 {
                nearest = powers[0]
                for power in powers where abs(power - magnitude) < abs(nearest - magnitude) {
                    nearest = power
                }
            }
            #expect(q[index] == (value < 0 ? -nearest : nearest), "\(value)")
        }
        #expect(q[0] == 1 && q[1] == -2 && q[2] == 0 && q[3] == 32 && q[4] == 1)
        let steps = zip(q, before).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect(abs(moved - steps) <= 1e-12 * steps)
        for i in 0..<2 {
            for j in 0..<2 {
                let dot = (0..<rows).reduce(0.0) { $0 + q[i * rows + $1] * q[j * rows + $1] }
                #expect(abs(gram[i * 2 + j] - dot) <= 1e-9)
            }
            for t in 0..<3 {
                let dot = (0..<rows).reduce(0.0) { $0 + q[i * rows + $1] * a[t * rows + $1] }
                #expect(abs(cross[i * 3 + t] - dot) <= 1e-9)
            }
        }
    }

    @Test("coefficients are A P with small rows, then small elements, put to zero")
    func coefficients() {
        var random = TestRandom(7)
        let rows = 40
        let a = (0..<(3 * rows)).map { _ in random.signed() }
        let inverse = (0..<6).map { _ in random.signed() }
        var found = [Double](repeating: .nan, count: 2 * rows)
        kernels.fitCoefficients(
            stride: rows, rank: 2, width: 3, target: a, inverse: inverse, threshold: 0.2,
            rowThreshold: 0.6, coefficients: &found)
        for row in 0..<rows {
            let exact = (0..<2).map { i in
                (0..<3).reduce(0.0) { $0 + a[$1 * rows + row] * inverse[$1 * 2 + i] }
            }
            let size = abs(exact[0]) + abs(exact[1])
            for i in 0..<2 {
                let expected = size < 0.6 || abs(exact[i]) < 0.2 ? 0 : exact[i]
                #expect(abs(found[i * rows + row] - expected) <= 1e-12)
            }
        }
        #expect(found.contains(0) && found.contains { $0 != 0 })
    }

    @Test("column statistics count the non-zeros and sum round(log2) - log2")
    func columnScale() {
        var random = TestRandom(8)
        var column = (0..<1104).map { $0 % 3 == 0 ? 0 : random.signed() * 30 }
        column[1] = 4
        let (count, sum) = kernels.fitColumnScale(stride: column.count, column: column)
        let logs = column.filter { $0 != 0 }.map { log2(abs($0)) }
        #expect(count == Double(logs.count))
        let expected = logs.reduce(0.0) { $0 + $1.rounded() - $1 }
        #expect(abs(sum - expected) <= 1e-9)
        let empty = kernels.fitColumnScale(stride: 8, column: Array(repeating: 0, count: 8))
        #expect(empty.count == 0 && empty.log2Sum == 0)
    }
}
