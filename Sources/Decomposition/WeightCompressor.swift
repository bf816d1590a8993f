import DenseMath
import PowerOfTwo

/// A compressed weight and what compressing it cost.
public struct CompressedWeight: Sendable {
    public let weight: SmartDealWeight
    /// ||W - rebuilt||_F / ||W||_F, against the original, pruning included; 0 for a zero tensor.
    public let relativeError: Double
    public let statistics: WeightStatistics
    /// Bits by the authors' accounting, see ``WeightStatistics/authorsBits(basisElements:)``.
    public let authorsBits: Int

    package init(
        weight: SmartDealWeight, relativeError: Double, statistics: WeightStatistics,
        authorsBits: Int
    ) {
        self.weight = weight
        self.relativeError = relativeError
        self.statistics = statistics
        self.authorsBits = authorsBits
    }
}

/// Compresses one weight tensor: prune, slice, fit, pack. The same options, seed and tensor give
/// the same bits, whatever the number of threads.
public struct WeightCompressor: Sendable {
    public let options: LayerOptions
    public let threads: Int
    public let seed: UInt64
    /// What `best` mode spends on bases; nil leaves it to the tensor.
    let effort: SearchEffort?

    /// - Throws: ``DecompositionError`` `.invalidOption` listing every rule that `options` breaks.
    public init(options: LayerOptions, threads: Int = 1, seed: UInt64 = 0) throws {
        try self.init(options: options, threads: threads, seed: seed, effort: nil)
    }

    init(options: LayerOptions, threads: Int, seed: UInt64, effort: SearchEffort?) throws {
        let problems = options.problems
        guard problems.isEmpty else {
            throw DecompositionError(.invalidOption, problems.joined(separator: "; "))
        }
        self.options = options
        self.threads = threads
        self.seed = seed
        self.effort = effort
    }

    /// Compresses `tensor`.
    ///
    /// - Parameter step: called before each group of 32 filters, from any thread; may throw to
    ///   stop.
    /// - Throws: ``DecompositionError`` `.nonFiniteWeight` naming tensor and element; what `step`
    ///   throws; ``PowerOfTwoError`` for a shape that the format does not have.
    public func compress(
        _ tensor: WeightTensor, step: @Sendable (_ filters: Int) throws -> Void = { _ in }
    ) throws -> CompressedWeight {
        let geometry = try Slicing.geometry(
            shape: tensor.shape, kind: tensor.kind, options: options)
        let fitter = fitter(for: tensor, geometry)
        let groups = try ParallelLoop.map(geometry.groupCount, threads: threads) { group in
            let filters = geometry.filters(ofGroup: group)
            try step(filters.count)
            let weights = tensor.weights(ofFilters: filters)
            guard weights.withUnsafeBufferPointer(SquaredDistance.isFinite) else {
                let index = weights.firstIndex { !$0.isFinite } ?? 0
                throw DecompositionError(
                    .nonFiniteWeight,
                    "weight \(filters.lowerBound * geometry.filterLength + index) is "
                        + "\(weights[index]); exclude the tensor to keep it as it is",
                    path: tensor.name)
            }
            return weights.withUnsafeBufferPointer { fitter.fit($0, group: group) }
        }
        let weight = try Packing.pack(
            groups, geometry, fitter.alphabet, basisBits: options.basisBits, threads: threads)
        let (relativeError, statistics) = try examine(weight, against: tensor)
        let exponents = groups.reduce(into: Set<Int>()) { $0.formUnion($1.exponents) }
        return CompressedWeight(
            weight: weight, relativeError: relativeError, statistics: statistics,
            authorsBits: statistics.authorsBits(
                basisElements: weight.basis.count,
                magnitudes: exponents.isEmpty ? nil : exponents.count))
    }

    /// ||W - rebuilt||_F / ||W||_F, and what is stored, group by group.
    private func examine(
        _ weight: SmartDealWeight, against tensor: WeightTensor
    ) throws -> (relativeError: Double, WeightStatistics) {
        let geometry = weight.geometry
        let parts = try ParallelLoop.map(geometry.groupCount, threads: threads) { group in
            let filters = geometry.filters(ofGroup: group)
            let original = tensor.weights(ofFilters: filters)
            let rebuilt = weight.rebuilt(filters: filters)
            let distance = original.withUnsafeBufferPointer { a in
                rebuilt.withUnsafeBufferPointer { b in SquaredDistance(a, b) }
            }
            return (distance, weight.symbolCounts(ofGroup: group))
        }
        let error = parts.reduce(0) { $0 + $1.0.difference }
        let norm = parts.reduce(0) { $0 + $1.0.norm }
        let counts = parts.reduce(into: SymbolCounts()) { $0.add($1.1) }
        return (norm > 0 ? (error / norm).squareRoot() : 0, weight.statistics(of: counts))
    }

    func fitter(for tensor: WeightTensor, _ geometry: WeightGeometry) -> any GroupFitter {
        let rowsAreSparse =
            options.rowSparsity && tensor.kind.isConvolution && tensor.shape.suffix(2) == [3, 3]
        switch options.mode {
        case .reference:
            return ReferenceFitter(
                geometry: geometry, options: options, rowsAreSparse: rowsAreSparse)
        case .fast where geometry.nibbles == 1:
            return ScalarFitter(for: tensor, geometry: geometry, options: options)
        case .best, .fast:
            return JointFitter(
                for: tensor, alphabet: options.alphabet ?? .quarters, geometry: geometry,
                options: options, rowsAreSparse: rowsAreSparse,
                effort: effort
                    ?? .suiting(options.mode, rows: geometry.filterCount * geometry.rowCount),
                seed: seed ^ .seed(tensor.name))
        }
    }
}
