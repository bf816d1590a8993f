import PowerOfTwo
import Testing

@Suite("Ladders of coefficients")
struct CoefficientLadderTests {
    /// The patterns that the symbols of an alphabet move to, written as patterns.
    private func moves(
        _ alphabet: Alphabet, _ k: Int, _ table: [[UInt8]]
    ) -> [[Double]: [Double]] {
        var moves: [[Double]: [Double]] = [:]
        for symbol in 0..<alphabet.symbolCount {
            moves[Array(alphabet[symbol])] = Array(alphabet[Int(table[k][symbol])])
        }
        return moves
    }

    @Test("single: exponents by one, the smallest to zero, zero to the smallest, clipped at one")
    func single() {
        let ladder = CoefficientLadder(.single)
        #expect(
            moves(.single, 0, ladder.higher) == [
                [0]: [0x1p-6], [0x1p-6]: [0x1p-5], [0x1p-5]: [0x1p-4], [0x1p-4]: [0.125],
                [0.125]: [0.25], [0.25]: [0.5], [0.5]: [1], [1]: [1], [-1]: [-0.5],
                [-0.5]: [-0.25], [-0.25]: [-0.125], [-0.125]: [-0x1p-4], [-0x1p-4]: [-0x1p-5],
                [-0x1p-5]: [-0x1p-6], [-0x1p-6]: [0],
            ])
        #expect(
            moves(.single, 0, ladder.lower) == [
                [0]: [-0x1p-6], [0x1p-6]: [0], [0x1p-5]: [0x1p-6], [0x1p-4]: [0x1p-5],
                [0.125]: [0x1p-4], [0.25]: [0.125], [0.5]: [0.25], [1]: [0.5], [-1]: [-1],
                [-0.5]: [-1], [-0.25]: [-0.5], [-0.125]: [-0.25], [-0x1p-4]: [-0.125],
                [-0x1p-5]: [-0x1p-4], [-0x1p-6]: [-0x1p-5],
            ])
    }

    @Test("quarters: no zero, so the smallest turns its sign")
    func quarters() {
        let ladder = CoefficientLadder(.quarters)
        let up: [Double: Double] = [-1: -0.25, -0.25: 0.25, 0.25: 1, 1: 1]
        let down: [Double: Double] = [1: 0.25, 0.25: -0.25, -0.25: -1, -1: -1]
        for a in [1.0, -1, 0.25, -0.25] {
            for b in [1.0, -1, 0.25, -0.25] {
                #expect(moves(.quarters, 0, ladder.higher)[[a, b]] == [up[a] ?? 0, b])
                #expect(moves(.quarters, 1, ladder.higher)[[a, b]] == [a, up[b] ?? 0])
                #expect(moves(.quarters, 0, ladder.lower)[[a, b]] == [down[a] ?? 0, b])
                #expect(moves(.quarters, 1, ladder.lower)[[a, b]] == [a, down[b] ?? 0])
            }
        }
    }

    @Test("halves: both coefficients pass through zero, each on its own ladder")
    func halves() {
        let ladder = CoefficientLadder(.halves)
        let first: [Double: Double] = [-1: -0.5, -0.5: 0, 0: 0.5, 0.5: 1, 1: 1]
        let second: [Double: Double] = [-1: 0, 0: 1, 1: 1]
        for (a, higher) in first {
            for (b, alsoHigher) in second {
                #expect(moves(.halves, 0, ladder.higher)[[a, b]] == [higher, b])
                #expect(moves(.halves, 1, ladder.higher)[[a, b]] == [a, alsoHigher])
                // Down is up of the negative.
                #expect(moves(.halves, 0, ladder.lower)[[-a, b]] == [-higher, b])
                #expect(moves(.halves, 1, ladder.lower)[[a, -b]] == [a, -alsoHigher])
            }
        }
    }

    @Test("octaves: exponents by one, and a second coefficient that is only a sign")
    func octaves() {
        let ladder = CoefficientLadder(.octaves)
        let first: [Double: Double] = [
            -1: -0.5, -0.5: -0.25, -0.25: -0.125, -0.125: 0.125, 0.125: 0.25, 0.25: 0.5, 0.5: 1,
            1: 1,
        ]
        for (a, higher) in first {
            for b in [-1.0, 1] {
                #expect(moves(.octaves, 0, ladder.higher)[[a, b]] == [higher, b])
                #expect(moves(.octaves, 0, ladder.lower)[[-a, b]] == [-higher, b])
                #expect(moves(.octaves, 1, ladder.higher)[[a, b]] == [a, 1])
                #expect(moves(.octaves, 1, ladder.lower)[[a, b]] == [a, -1])
            }
        }
    }

    @Test("limits take rungs away: what is outside comes back in")
    func limits() {
        let ladder = CoefficientLadder(.single, smallest: 0.1, largest: 0.5)
        #expect(ladder.levels == [[-0.5, -0.25, -0.125, 0, 0.125, 0.25, 0.5]])
        let up = moves(.single, 0, ladder.higher)
        let down = moves(.single, 0, ladder.lower)
        #expect(up[[0.5]] == [0.5] && up[[1]] == [1] && down[[1]] == [0.5] && up[[-1]] == [-0.5])
        #expect(up[[0]] == [0.125] && down[[0.125]] == [0])
        #expect(up[[0x1p-6]] == [0.125] && down[[0x1p-6]] == [0])
    }

    @Test("a move to a pattern that is not in the alphabet is not made")
    func holes() throws {
        let alphabet = try Alphabet(
            name: "holes", symbols: [[1, 0], [0, 1], [-1, -1], [0.5, 0], [0, 0]])
        let ladder = CoefficientLadder(alphabet)
        #expect(
            moves(alphabet, 0, ladder.higher) == [
                [1, 0]: [1, 0], [0, 1]: [0, 1], [-1, -1]: [-1, -1], [0.5, 0]: [1, 0],
                [0, 0]: [0.5, 0],
            ])
        #expect(
            moves(alphabet, 1, ladder.higher) == [
                [1, 0]: [1, 0], [0, 1]: [0, 1], [-1, -1]: [-1, -1], [0.5, 0]: [0.5, 0],
                [0, 0]: [0, 1],
            ])
        // A nibble beyond the alphabet stands for zero.
        #expect(ladder.higher[0][9] == 3 && ladder.lower[0][9] == 9)
    }

    @Test("rounding goes to the nearest rung, from the middle on to the larger magnitude")
    func bounds() throws {
        func nearest(_ ladder: CoefficientLadder, _ value: Float) -> Double {
            ladder.levels[0][ladder.bounds[0].count { value >= $0 }]
        }
        let single = CoefficientLadder(.single, smallest: 0.02)
        for sign: Float in [1, -1] {
            let s = Double(sign)
            #expect(nearest(single, sign * 0.75) == s && nearest(single, sign * 7) == s)
            #expect(nearest(single, sign * Float(0.75).nextDown) == 0.5 * s)
            #expect(nearest(single, sign * 0.375) == 0.5 * s)
            // Below the threshold zero, from it on the smallest rung.
            #expect(nearest(single, sign * Float(0.02).nextDown) == 0)
            #expect(nearest(single, sign * Float(0.02)) == 0x1p-5 * s)
            let plain = CoefficientLadder(.single)
            #expect(nearest(plain, sign * 0x1p-7) == 0x1p-6 * s)
            #expect(nearest(plain, sign * Float(0x1p-7).nextDown) == 0)
            let quarters = CoefficientLadder(.quarters)
            #expect(nearest(quarters, sign * 0.625) == s)
            #expect(nearest(quarters, sign * Float(0.625).nextDown) == 0.25 * s)
            #expect(nearest(quarters, sign * 0x1p-40) == 0.25 * s)
        }
    }
}
