import DenseMath
import PowerOfTwo

/// Good bases for sampled rows, found from many starts.
struct JointStarts {
    let effort: SearchEffort
    let search: JointSearch

    /// Returns the finalists, the best first.
    func found(on sample: [Float], _ random: inout SplitMix64) -> [[Double]] {
        let width = search.width
        guard !sample.isEmpty else { return [] }
        let rows = sample.count / width
        let step = max(1, rows / effort.firstRows)
        let first = stride(from: 0, to: rows, by: step).flatMap { row in
            sample[(row * width)..<((row + 1) * width)]
        }
        let candidates = (0..<effort.starts).map { start in
            (start == 0 ? axisBasis(of: first) : randomBasis(&random))
        }
        let promising = ranked(candidates, on: first, passes: effort.firstPasses)
        return ranked(
            Array(promising.prefix(effort.finalists)), on: sample, passes: effort.finalistPasses)
    }

    /// Improves every basis on a sample; returns them by the error that is then left.
    func ranked(_ bases: [[Double]], on sample: [Float], passes: Int) -> [[Double]] {
        bases.map { basis in
            search.use(basis)
            return (error: alternate(sample, passes: passes), basis: search.basis)
        }
        .sorted { $0.error < $1.error }.map(\.basis)
    }

    /// Alternates on sampled rows of weight 1; returns the sum of squares that is left.
    private func alternate(_ sample: [Float], passes: Int) -> Double {
        let count = sample.count / search.width
        var symbols = [UInt8](repeating: 0, count: count * search.nibbles)
        var error = Double.infinity
        sample.withUnsafeBufferPointer { rows in
            symbols.withUnsafeMutableBufferPointer { symbols in
                guard let rows = rows.baseAddress, let symbols = symbols.baseAddress
                else { return }
                for _ in 0..<passes {
                    search.assign(rows, count: count, into: symbols)
                    search.clearMoments()
                    search.add(rows, symbols: symbols, count: count, weight: 1)
                    error = search.refit()
                }
            }
        }
        return error
    }

    /// A start along the singular vectors of the rows: symbol j quantises axis j (of `width`).
    private func axisBasis(of sample: [Float]) -> [Double] {
        let width = search.width
        let rows = Matrix(
            rows: sample.count / width, columns: width, elements: sample.map { Double($0) })
        guard let svd = LeastSquares.singularValues(of: rows) else { return search.basis }
        let c = search.alphabet.coefficientsPerSymbol
        var basis = [Double](repeating: 0, count: search.rank * width)
        for i in 0..<search.rank {
            // Each turn around the axes refines the one before.
            let axis = (i / c) % svd.values.count
            let turn = (i / c) / svd.values.count
            let deviation = svd.values[axis] / Double(max(1, rows.rows)).squareRoot()
            let size = deviation * (i % c == 0 ? 1.1 : 0.45) / Double(1 << (2 * turn))
            for t in 0..<width { basis[i * width + t] = size * svd.rightTransposed[axis, t] }
        }
        return basis
    }

    private func randomBasis(_ random: inout SplitMix64) -> [Double] {
        search.basis.map { _ in 0.7 * random.nextNormal() }
    }
}
