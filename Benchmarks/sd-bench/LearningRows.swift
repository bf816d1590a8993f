import SmartDeal

/// A weight that learns: its symbols a byte each, and what a step of training reads and writes
/// beside them. Filters are gone through one after another, as training does it.
final class LearningRows {
    /// What a step of training does with the rows.
    enum Step: String, CaseIterable {
        case rebuild = "rebuild from symbols"
        case basisGradient = "basis gradient"
        case bucketSwitch = "bucket switch"
        case errorFeedback = "error feedback"
    }

    private let weight: SmartDealWeight
    private let stored: StoredRows
    private let symbols: AlignedBuffer<UInt8>
    private let coefficients: [Float]
    /// `[bases][rank, width]`.
    private let basis: AlignedBuffer<Float>
    /// `[bases][nibbles, width, 16]`.
    private let tables: AlignedBuffer<Float>
    private let basisGradient: AlignedBuffer<Float>
    /// Weights when they are rebuilt, else their gradient.
    private let rows: AlignedBuffer<Float>
    private let momentum: AlignedBuffer<Float>
    private let counters: AlignedBuffer<Int8>

    init(_ weight: SmartDealWeight) {
        self.weight = weight
        stored = StoredRows(weight)
        symbols = AlignedBuffer(weight.symbolPlanes(stored))
        let geometry = weight.geometry
        coefficients = weight.alphabet.coefficientTables
        basis = AlignedBuffer((0..<weight.basis.count).map { weight.basis[$0] })
        let tableSize = geometry.nibbles * geometry.width * Alphabet.capacity
        tables = AlignedBuffer(count: geometry.basisCount * tableSize)
        for index in 0..<geometry.basisCount {
            weight.alphabet.tables(
                nibbles: geometry.nibbles, width: geometry.width,
                basis: basis.base + index * weight.rank * geometry.width,
                into: tables.base + index * tableSize)
        }
        basisGradient = AlignedBuffer(count: basis.count)
        rows = AlignedBuffer(count: stored.count * geometry.width)
        momentum = AlignedBuffer(count: stored.count * weight.rank)
        counters = AlignedBuffer(count: stored.count * weight.rank)
        var random = SplitMix64(seed: 7)
        for i in 0..<rows.count { rows.base[i] = Float(random.nextNormal()) }
    }

    /// How coefficients move in a step; nil where they do not.
    func rule(_ step: Step) -> CoefficientRule? {
        let move: CoefficientRule.Move
        switch step {
        case .rebuild, .basisGradient: return nil
        case .bucketSwitch: move = .bucketSwitch(bar: 3, threshold: 1e-4)
        case .errorFeedback: move = .errorFeedback
        }
        return CoefficientRule(
            weight.alphabet, CoefficientLadder(weight.alphabet), move, inertia: 0.9, decay: 1e-4,
            isNesterov: false
        ).at(rate: 1e-5, key: 1)
    }

    /// Bytes that a step reads and writes.
    func bytes(_ step: Step) -> Int {
        switch step {
        case .rebuild, .basisGradient: symbols.byteCount + rows.byteCount
        // Symbols, momentum and counters are read and written.
        case .bucketSwitch, .errorFeedback:
            rows.byteCount + 2 * (symbols.byteCount + momentum.byteCount + counters.byteCount)
        }
    }

    /// Operations that the definition of the kernel names, look-ups as one each.
    func operations(_ step: Step) -> Double {
        let coefficients = Double(stored.count * weight.rank)
        let width = Double(weight.geometry.width)
        switch step {
        // A look-up and an addition for every symbol and weight, the scale instead of the first.
        case .rebuild: return 2 * Double(symbols.count) * width
        case .basisGradient: return 2 * coefficients * width
        // The product with the basis, decay, inertia, rate, and a comparison and a sum.
        case .bucketSwitch: return coefficients * (2 * width + 7)
        // The counter's share, rounding and the remainder instead of the latter.
        case .errorFeedback: return coefficients * (2 * width + 11)
        }
    }

    func run(_ step: Step, _ rule: CoefficientRule?, on kernels: ShiftKernels) {
        let geometry = weight.geometry
        let (n, width, rank) = (geometry.nibbles, geometry.width, weight.rank)
        let c = weight.alphabet.coefficientsPerSymbol
        for filter in 0..<geometry.filterCount {
            for slice in 0..<geometry.sliceCount {
                let own = stored.rows(filter: filter, slice: slice)
                let index = geometry.basisIndex(filter: filter, slice: slice)
                let planes = symbols.base + own.lowerBound * n
                let values = rows.base + own.lowerBound * width
                switch step {
                case .rebuild:
                    kernels.rebuild(
                        rows: own.count, nibbles: n, width: width, symbols: planes,
                        planeStride: own.count,
                        tables: tables.base + index * n * width * Alphabet.capacity, scale: 1,
                        into: values)
                case .basisGradient:
                    kernels.addBasisGradient(
                        rows: own.count, nibbles: n, coefficientsPerSymbol: c, width: width,
                        symbols: planes, planeStride: own.count, coefficients: coefficients,
                        gradientOfRows: values, scale: 1e-3,
                        to: basisGradient.base + index * rank * width)
                case .bucketSwitch, .errorFeedback:
                    guard let rule else { return }
                    let first = own.lowerBound * rank
                    kernels.moveCoefficients(
                        rows: own.count, nibbles: n, coefficientsPerSymbol: c, width: width, rule,
                        basis: basis.base + index * rank * width, gradientOfRows: values,
                        scale: 1e-3, planeStride: own.count, first: first, symbols: planes,
                        momentum: momentum.base + first, counters: counters.base + first)
                }
            }
        }
    }
}
