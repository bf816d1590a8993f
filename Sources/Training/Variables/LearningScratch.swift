internal import DenseMath
internal import PowerOfTwo

/// The parts of a weight in SmartDeal form that learn.
struct LearningState {
    let symbols: UnsafeMutablePointer<UInt8>
    let basis: UnsafePointer<Float>
    let momentum: UnsafeMutablePointer<Float>?
    let counters: UnsafeMutablePointer<Int8>?
}

/// What goes filter by filter through a group needs: rows of one filter, look-up tables.
final class LearningScratch {
    private let geometry: WeightGeometry
    private let alphabet: Alphabet
    private let kernels = ShiftKernels.selected
    private let rows: UnsafeMutablePointer<Float>
    private let tables: UnsafeMutablePointer<Float>
    /// Floats of the tables of one basis, and the first filter of the run that they are of.
    private let tableSize: Int
    private var firstFilter: Int?
    /// The basis of one slice by which gradients become those of coefficients.
    private let projection: UnsafeMutablePointer<Float>

    init(_ stored: StoredRows, _ alphabet: Alphabet) {
        geometry = stored.geometry
        self.alphabet = alphabet
        rows = .allocate(capacity: stored.scratchCount)
        tableSize = geometry.nibbles * geometry.width * Alphabet.capacity
        tables = .allocate(capacity: tableSize * geometry.sliceCount)
        projection = .allocate(
            capacity: geometry.nibbles * alphabet.coefficientsPerSymbol * geometry.width)
    }

    deinit {
        rows.deallocate()
        tables.deallocate()
        projection.deallocate()
    }

    /// Writes the dense weights of a filter.
    func rebuild(
        _ filter: Int, _ stored: StoredRows, symbols: UnsafePointer<UInt8>?,
        basis: UnsafePointer<Float>, _ scales: [Float], into out: UnsafeMutablePointer<Float>
    ) {
        let (n, width) = (geometry.nibbles, geometry.width)
        makeTables(ofFilter: filter, basis)
        stored.scatter(filter: filter, into: out, scratch: rows) { rows in
            guard let symbols else { return }
            var to = rows
            for slice in 0..<geometry.sliceCount {
                let own = stored.rows(filter: filter, slice: slice)
                kernels.rebuild(
                    rows: own.count, nibbles: n, width: width,
                    symbols: symbols + own.lowerBound * n, planeStride: own.count,
                    tables: tables + slice * tableSize,
                    scale: scales[filter * geometry.sliceCount + slice], into: to)
                to += own.count * width
            }
        }
    }

    /// The tables of all slices of a filter, made anew only where it has other bases than the
    /// filter before.
    private func makeTables(ofFilter filter: Int, _ basis: UnsafePointer<Float>) {
        let first = filter / geometry.filtersPerBasis * geometry.filtersPerBasis
        guard firstFilter != first else { return }
        firstFilter = first
        let size = geometry.nibbles * alphabet.coefficientsPerSymbol * geometry.width
        for slice in 0..<geometry.sliceCount {
            alphabet.tables(
                nibbles: geometry.nibbles, width: geometry.width,
                basis: basis + geometry.basisIndex(filter: filter, slice: slice) * size,
                into: tables + slice * tableSize)
        }
    }

    /// Adds the gradient of the bases of a filter, then moves its coefficients, both at the basis
    /// as it is.
    func learn(
        _ filter: Int, _ stored: StoredRows, _ state: LearningState, _ scales: [Float],
        _ coefficients: [Float], _ rule: CoefficientRule?, gradient: UnsafePointer<Float>,
        to basisGradient: UnsafeMutablePointer<Float>
    ) {
        let (n, c, width) = (geometry.nibbles, alphabet.coefficientsPerSymbol, geometry.width)
        var from = stored.gather(filter: filter, gradient, scratch: rows)
        for slice in 0..<geometry.sliceCount {
            let own = stored.rows(filter: filter, slice: slice)
            guard !own.isEmpty else { continue }
            let basis = geometry.basisIndex(filter: filter, slice: slice) * n * c * width
            let scale = scales[filter * geometry.sliceCount + slice]
            let symbols = state.symbols + own.lowerBound * n
            kernels.addBasisGradient(
                rows: own.count, nibbles: n, coefficientsPerSymbol: c, width: width,
                symbols: symbols, planeStride: own.count, coefficients: coefficients,
                gradientOfRows: from, scale: scale, to: basisGradient + basis)
            if let rule {
                let first = own.lowerBound * n * c
                let move = projected(state.basis + basis, scale, rule)
                kernels.moveCoefficients(
                    rows: own.count, nibbles: n, coefficientsPerSymbol: c, width: width, rule,
                    basis: move.basis, gradientOfRows: from, scale: move.scale,
                    planeStride: own.count, first: first, symbols: symbols,
                    momentum: state.momentum.map { $0 + first },
                    counters: state.counters.map { $0 + first })
            }
            from += own.count * width
        }
    }

    /// What a gradient of weights is multiplied with to move coefficients: the basis itself, or for
    /// rules that move weights its pseudo-inverse, so that the rebuilt weights move by the update of
    /// weights, as far as the basis spans it. Damping keeps coefficients from moving far where the
    /// vectors of a basis are almost parallel.
    private func projected(
        _ basis: UnsafePointer<Float>, _ scale: Float, _ rule: CoefficientRule
    ) -> (basis: UnsafePointer<Float>, scale: Float) {
        guard rule.movesWeights, scale != 0 else { return (basis, scale) }
        let rank = geometry.nibbles * alphabet.coefficientsPerSymbol
        let vectors = UnsafeBufferPointer(start: basis, count: rank * geometry.width)
        dampedInverse(vectors, width: geometry.width, into: projection)
        return (UnsafePointer(projection), 1 / scale)
    }
}

/// `B (B^T B + d I)^-1` for the vectors B `[rank, width]`, d a twentieth of the mean of the
/// diagonal; zeros where B is.
private func dampedInverse(
    _ vectors: UnsafeBufferPointer<Float>, width: Int, into out: UnsafeMutablePointer<Float>
) {
    let rank = vectors.count / width
    var gram = [Double](repeating: 0, count: width * width)
    // B^T `[width, rank]`, then the solution.
    var columns = [Double](repeating: 0, count: width * rank)
    for i in 0..<rank {
        for s in 0..<width {
            columns[s * rank + i] = Double(vectors[i * width + s])
            for t in 0..<width {
                gram[s * width + t] += columns[s * rank + i] * Double(vectors[i * width + t])
            }
        }
    }
    let mean = (0..<width).reduce(0) { $0 + gram[$1 * width + $1] } / Double(width)
    for t in 0..<width { gram[t * width + t] += mean / 20 }
    let isSolved = SmallSolver.solvePositiveDefinite(
        size: width, columns: rank, gram: &gram, cross: &columns, smallestPivot: 0)
    for i in 0..<rank {
        for t in 0..<width { out[i * width + t] = isSolved ? Float(columns[t * rank + i]) : 0 }
    }
}
