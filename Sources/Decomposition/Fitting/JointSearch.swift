import DenseMath
import PowerOfTwo

/// The alternation behind `best` mode for rows that share one basis: choose the nearest of all
/// symbol combinations for every row, then the basis that fits them best.
///
/// Rows are `[count, width]`, a basis is `[rank, width]`, symbols `[count, nibbles]`.
final class JointSearch {
    let nibbles: Int
    let width: Int
    let alphabet: Alphabet
    var rank: Int { nibbles * alphabet.coefficientsPerSymbol }
    /// The basis whose tables are in use.
    private(set) var basis: [Double]

    private let kernels = ShiftKernels.selected
    /// `[nibbles, width, 16]`.
    private let tables: UnsafeMutablePointer<Float>
    private let norms: UnsafeMutablePointer<Float>
    private let singles: UnsafeMutablePointer<Double>
    private let pairs: UnsafeMutablePointer<Double>
    private let sums: UnsafeMutablePointer<Double>
    private var pairCount: Int { nibbles * (nibbles - 1) / 2 }
    private var squares = 0.0

    init(nibbles: Int, width: Int, alphabet: Alphabet) {
        self.nibbles = nibbles
        self.width = width
        self.alphabet = alphabet
        basis = Array(
            repeating: 0, count: nibbles * alphabet.coefficientsPerSymbol * width)
        let capacity = Alphabet.capacity
        tables = .allocate(capacity: nibbles * width * capacity)
        norms = .allocate(capacity: 1 << (4 * nibbles))
        singles = .allocate(capacity: nibbles * capacity)
        pairs = .allocate(capacity: max(1, nibbles * (nibbles - 1) / 2) * capacity * capacity)
        sums = .allocate(capacity: nibbles * capacity * width)
        clearMoments()
    }

    deinit {
        tables.deallocate()
        norms.deallocate()
        singles.deallocate()
        pairs.deallocate()
        sums.deallocate()
    }

    /// Puts a basis in use.
    func use(_ basis: [Double]) {
        self.basis = basis
        let c = alphabet.coefficientsPerSymbol
        for j in 0..<nibbles {
            for t in 0..<width {
                let table = tables + (j * width + t) * Alphabet.capacity
                table.update(repeating: 0, count: Alphabet.capacity)
                for k in 0..<alphabet.symbolCount {
                    var sum = 0.0
                    for i in 0..<c {
                        sum += alphabet.coefficients[k * c + i] * basis[(j * c + i) * width + t]
                    }
                    table[k] = Float(sum)
                }
            }
        }
        ShiftKernels.combinationNorms(
            nibbles: nibbles, width: width, symbols: alphabet.symbolCount, tables: tables,
            into: norms)
    }

    /// Chooses the symbols of `count` rows.
    func assign(
        _ rows: UnsafePointer<Float>, count: Int, into symbols: UnsafeMutablePointer<UInt8>
    ) {
        kernels.nearestSymbols(
            rows: count, nibbles: nibbles, width: width, x: rows, tables: tables, norms: norms,
            symbols: symbols)
    }

    func clearMoments() {
        singles.update(repeating: 0, count: nibbles * Alphabet.capacity)
        pairs.update(
            repeating: 0, count: max(1, pairCount) * Alphabet.capacity * Alphabet.capacity)
        sums.update(repeating: 0, count: nibbles * Alphabet.capacity * width)
        squares = 0
    }

    /// Adds rows and their symbols to what ``refit()`` fits.
    func add(
        _ rows: UnsafePointer<Float>, symbols: UnsafePointer<UInt8>, count: Int, weight: Double
    ) {
        ShiftKernels.addSymbolMoments(
            rows: count, nibbles: nibbles, width: width, x: rows, symbols: symbols,
            weight: weight, singles: singles, pairs: pairs, sums: sums)
        var sum: Float = 0
        for i in 0..<(count * width) { sum += rows[i] * rows[i] }
        squares += weight * Double(sum)
    }

    /// Puts in use the basis that fits what was added best.
    ///
    /// - Returns: the sum of squares that it leaves.
    func refit() -> Double {
        let c = alphabet.coefficientsPerSymbol
        let capacity = Alphabet.capacity
        var gram = Matrix(rows: rank, columns: rank)
        var cross = Matrix(rows: rank, columns: width)
        let values = alphabet.coefficients
        for j in 0..<nibbles {
            for k in 0..<alphabet.symbolCount {
                let single = singles[j * capacity + k]
                guard single != 0 else { continue }
                for a in 0..<c {
                    let value = values[k * c + a]
                    for b in 0..<c {
                        gram[j * c + a, j * c + b] += single * value * values[k * c + b]
                    }
                    for t in 0..<width {
                        cross[j * c + a, t] += value * sums[(j * capacity + k) * width + t]
                    }
                }
            }
        }
        var pair = pairs
        for j in 0..<nibbles {
            var other = j + 1
            while other < nibbles {
                for k in 0..<alphabet.symbolCount {
                    for l in 0..<alphabet.symbolCount {
                        let moment = pair[k * capacity + l]
                        guard moment != 0 else { continue }
                        for a in 0..<c {
                            for b in 0..<c {
                                gram[j * c + a, other * c + b] +=
                                    moment * values[k * c + a] * values[l * c + b]
                            }
                        }
                    }
                }
                for a in 0..<c {
                    for b in 0..<c {
                        gram[other * c + b, j * c + a] = gram[j * c + a, other * c + b]
                    }
                }
                pair += capacity * capacity
                other += 1
            }
        }
        let solution = LeastSquares.solveNormalEquations(gram: gram, cross: cross)
        use(solution.elements)
        return squares - zip(solution.elements, cross.elements).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The products that the best common factor of rows needs: Σ x·y and Σ y·y, y being what the
    /// symbols stand for.
    func scaleProducts(
        _ rows: UnsafePointer<Float>, symbols: UnsafePointer<UInt8>, count: Int
    ) -> (cross: Double, square: Double) {
        var cross = 0.0
        var square = 0.0
        for row in 0..<count {
            var rowCross: Float = 0
            var rowSquare: Float = 0
            for t in 0..<width {
                var y: Float = 0
                for j in 0..<nibbles {
                    let symbol = Int(symbols[row * nibbles + j])
                    y += tables[(j * width + t) * Alphabet.capacity + symbol]
                }
                rowCross += rows[row * width + t] * y
                rowSquare += y * y
            }
            cross += Double(rowCross)
            square += Double(rowSquare)
        }
        return (cross, square)
    }
}
