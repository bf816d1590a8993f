import PowerOfTwo
import Testing

/// The kernels of weights that learn.
extension KernelCases {
    /// Sizes of rows: those with code of their own, and blocks of symbols and columns with tails.
    private static let shapes: [(n: Int, width: Int)] = [
        (1, 1), (3, 3), (3, 2), (3, 4), (4, 3), (1, 5), (2, 1), (7, 7), (5, 9), (64, 1), (1, 64),
    ]
    private static let rowCounts = [0, 1, 2, 7, 15, 16, 17, 31, 33, 64, 129]

    /// Every alphabet by name, and tables that no product makes.
    static let alphabets: [Alphabet] =
        Alphabet.named
        + [
            try? Alphabet(name: "odd", symbols: [[1], [0.5], [-4], [0.125]]),
            try? Alphabet(
                name: "holes", symbols: [[1, 0], [0, 1], [-1, -1], [0.5, 0], [0, 0]]),
            try? Alphabet(name: "one", symbols: [[-2, 1]]),
        ].compactMap { $0 }

    mutating func rebuildSymbols() {
        let pool = random.bytes(64 * 132).map { $0 & 15 }
        for (n, width) in Self.shapes {
            let tables = Input(random.floats(n * width * 16), shift: n % 4)
            for rows in Self.rowCounts {
                let stride = rows + rows % 3
                let symbols = Input(pool.prefix(rows == 0 ? 0 : (n - 1) * stride + rows))
                let scale = Float(random.signed())
                let outputs = [kernels, scalar].map { kernels in
                    let out = Output<Float>(rows * width, shift: rows % 5)
                    kernels.rebuild(
                        rows: rows, nibbles: n, width: width, symbols: symbols.pointer,
                        planeStride: stride, tables: tables.pointer, scale: scale,
                        into: out.pointer)
                    return out
                }
                expectSame(outputs[0], outputs[1], "rows \(rows), n \(n), S \(width)")
            }
        }
    }

    mutating func basisGradient() {
        let pool = random.bytes(64 * 132).map { $0 & 15 }
        for alphabet in [Alphabet.single, .halves] {
            let c = alphabet.coefficientsPerSymbol
            let coefficients = Input(alphabet.coefficientTables)
            for (n, width) in Self.shapes {
                for rows in Self.rowCounts {
                    let stride = rows + rows % 3
                    let symbols = Input(pool.prefix(rows == 0 ? 0 : (n - 1) * stride + rows))
                    let x = Input(random.floats(rows * width), shift: rows % 4)
                    let before = random.floats(n * c * width)
                    let scale = Float(random.signed())
                    let outputs = [kernels, scalar].map { kernels in
                        let gradient = Output(before, shift: rows % 5)
                        kernels.addBasisGradient(
                            rows: rows, nibbles: n, coefficientsPerSymbol: c, width: width,
                            symbols: symbols.pointer, planeStride: stride,
                            coefficients: coefficients.pointer, gradientOfRows: x.pointer,
                            scale: scale, to: gradient.pointer)
                        return gradient
                    }
                    expectSame(outputs[0], outputs[1], "rows \(rows), n \(n), S \(width), c \(c)")
                }
            }
        }
    }

    mutating func moveCoefficients(_ moves: [CoefficientRule.Move]) {
        for (index, alphabet) in Self.alphabets.enumerated() {
            let c = alphabet.coefficientsPerSymbol
            let ladder = CoefficientLadder(alphabet)
            for move in moves {
                for (n, width) in Self.shapes where n * width <= 16 || index < 3 {
                    let isNesterov = n % 2 == 0
                    let hasMomentum = width != 4
                    let rule = CoefficientRule(
                        alphabet, ladder, move, inertia: 0.75, decay: 0.01,
                        isNesterov: isNesterov
                    ).at(rate: 0.5, key: random.next())
                    for rows in Self.rowCounts {
                        moveCoefficients(
                            rows, n, c, width, rule, move, hasMomentum: hasMomentum,
                            "\(alphabet.name) \(move) rows \(rows), n \(n), S \(width)")
                    }
                }
            }
        }
    }

    private mutating func moveCoefficients(
        _ rows: Int, _ n: Int, _ c: Int, _ width: Int, _ rule: CoefficientRule,
        _ move: CoefficientRule.Move, hasMomentum: Bool, _ what: String
    ) {
        let stride = rows + rows % 3
        let planes = rows == 0 ? 0 : (n * c - 1) * stride + rows
        let symbols = random.bytes(rows == 0 ? 0 : (n - 1) * stride + rows).map { $0 & 15 }
        let momentum = random.floats(planes)
        let bar =
            switch move {
            case .bucketSwitch(let switchBar, _): switchBar
            case .requantise: 1
            case .errorFeedback: 128
            }
        let counters = random.bytes(planes).map {
            $0 < 32 ? CoefficientRule.frozen : Int8(Int($0) % (2 * bar - 1) - (bar - 1))
        }
        let x = Input(random.floats(rows * width), shift: rows % 4)
        let basis = Input(random.floats(n * c * width))
        let scale = Float(random.signed())
        let needsCounters = move != .requantise || n != 4
        let outputs = [kernels, scalar].map { kernels in
            let parts = (
                Output(symbols), Output(momentum, shift: 3), Output(counters, shift: rows % 5)
            )
            kernels.moveCoefficients(
                rows: rows, nibbles: n, coefficientsPerSymbol: c, width: width, rule,
                basis: basis.pointer, gradientOfRows: x.pointer, scale: scale,
                planeStride: stride, first: 5, symbols: parts.0.pointer,
                momentum: hasMomentum ? parts.1.pointer : nil,
                counters: needsCounters ? parts.2.pointer : nil)
            return parts
        }
        expectSame(outputs[0].0, outputs[1].0, "symbols, \(what)")
        expectSame(outputs[0].1, outputs[1].1, "momentum, \(what)")
        expectSame(outputs[0].2, outputs[1].2, "counters, \(what)")
    }
}
