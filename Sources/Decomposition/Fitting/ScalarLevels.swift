import DenseMath
import PowerOfTwo

/// The levels that symbols of one weight stand for, fitted to a sample by alternating assignment
/// and least squares.
///
/// The sample is kept as a histogram with running sums, so that a pass costs 16 look-ups and not
/// the sample: weights of a bin go together to the level that is nearest to the bin, which moves
/// the levels less than the rounding of the basis to int8 does.
struct ScalarLevels {
    /// Bins of a root mean square, and of how many root mean squares on either side of 0; weights
    /// beyond count in the last bin.
    private static let binsPerUnit: Float = 64
    private static let reach: Float = 8
    private static let binCount = 2 * Int(reach * binsPerUnit)
    private static let passes = 10
    /// Passes end when no element of the basis moves by more.
    private static let smallestMove = 1e-3

    /// The basis, one number a coefficient.
    private(set) var basis: [Double]
    /// The symbols in the order of their levels, and the midpoints between neighbours.
    private(set) var order = [UInt8](repeating: 0, count: Alphabet.capacity)
    private(set) var midpoints = [Float](repeating: .infinity, count: Alphabet.capacity - 1)

    private let alphabet: Alphabet
    private var coefficientCount: Int { alphabet.coefficientsPerSymbol }
    /// Weights, and their sum, in all bins before one.
    private var countBefore = [Double](repeating: 0, count: binCount + 1)
    private var sumBefore = [Double](repeating: 0, count: binCount + 1)

    init(alphabet: Alphabet) {
        self.alphabet = alphabet
        basis = Array(repeating: 0, count: alphabet.coefficientsPerSymbol)
    }

    /// Puts a basis in use.
    mutating func use(_ basis: [Double]) {
        self.basis = basis
        let c = coefficientCount
        var levels = [Double](repeating: 0, count: alphabet.symbolCount)
        for k in levels.indices {
            for i in 0..<c { levels[k] += alphabet.coefficients[k * c + i] * basis[i] }
            // Insertion keeps equal levels in the order of their symbols.
            var place = k
            while place > 0, levels[Int(order[place - 1])] > levels[k] {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = UInt8(k)
        }
        for place in 1..<Alphabet.capacity {
            let isUsed = place < levels.count
            if !isUsed { order[place] = order[place - 1] }
            midpoints[place - 1] =
                isUsed
                ? Float((levels[Int(order[place - 1])] + levels[Int(order[place])]) / 2) : .infinity
        }
    }

    /// Fits the basis to a sample of weights whose root mean square is about 1.
    ///
    /// - Returns: how much of the sample's sum of squares the levels take away.
    @discardableResult
    mutating func fit(_ sample: [Float]) -> Double {
        var best: (gain: Double, basis: [Double])?
        if !sample.isEmpty { fillHistogram(sample) }
        for start in Self.starts {
            use((0..<coefficientCount).map { $0 == 0 ? start.first : start.second })
            guard !sample.isEmpty else { return 0 }
            var gain = 0.0
            for _ in 0..<Self.passes {
                let before = basis
                let refitted = refitted()
                gain = refitted.gain
                use(refitted.basis)
                if zip(basis, before).allSatisfy({ abs($0 - $1) <= Self.smallestMove }) { break }
            }
            if best.map({ gain > $0.gain }) ?? true { best = (gain, basis) }
        }
        if let best { use(best.basis) }
        return best?.gain ?? 0
    }

    /// Levels ±a ±b, in root mean squares, that passes begin with: of a normal distribution, and of
    /// ones with ever longer tails, which passes from the first do not reach.
    private static let starts: [(first: Double, second: Double)] = [
        (1.1, 0.45), (1.9, 0.6), (3.2, 0.8), (5.5, 1.2), (2.2, 0.25),
    ]

    private static func bin(_ value: Float) -> Int {
        Int(min(max((value + reach) * binsPerUnit, 0), Float(binCount - 1)))
    }

    private mutating func fillHistogram(_ sample: [Float]) {
        for i in countBefore.indices {
            countBefore[i] = 0
            sumBefore[i] = 0
        }
        for value in sample {
            let bin = Self.bin(value)
            countBefore[bin + 1] += 1
            sumBefore[bin + 1] += Double(value)
        }
        for bin in 0..<Self.binCount {
            countBefore[bin + 1] += countBefore[bin]
            sumBefore[bin + 1] += sumBefore[bin]
        }
    }

    /// The basis that fits the weights best when each has the level nearest to it, and how much of
    /// their sum of squares it takes away.
    private func refitted() -> (basis: [Double], gain: Double) {
        let c = coefficientCount
        var gram = Matrix(rows: c, columns: c)
        var cross = Matrix(rows: c, columns: 1)
        var begin = 0
        for place in 0..<alphabet.symbolCount {
            let isLast = place == alphabet.symbolCount - 1
            // A bin belongs to the level on its middle's side of the midpoint.
            let end =
                isLast
                ? Self.binCount
                : max(begin, Self.bin(midpoints[place] + 0.5 / Self.binsPerUnit))
            let count = countBefore[end] - countBefore[begin]
            let sum = sumBefore[end] - sumBefore[begin]
            let symbol = Int(order[place]) * c
            for a in 0..<c {
                let value = alphabet.coefficients[symbol + a]
                for b in 0..<c {
                    gram[a, b] += count * value * alphabet.coefficients[symbol + b]
                }
                cross[a, 0] += value * sum
            }
            begin = end
        }
        let basis = LeastSquares.solveNormalEquations(gram: gram, cross: cross).elements
        return (basis, zip(basis, cross.elements).reduce(0) { $0 + $1.0 * $1.1 })
    }
}
