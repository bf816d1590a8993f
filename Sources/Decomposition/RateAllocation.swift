import DenseMath
import PowerOfTwo

/// Which symbols a row and weights a row each weight gets, for a given average of bits a weight.
///
/// Every candidate is tried on a sample of each weight; then, from the cheapest upward, the step
/// that lowers the summed error most for its bits is taken until the budget is used.
///
/// The error of a weight counts relative to its own size, times the root of its number of weights.
/// What a layer adds to the error of a network's output goes with its relative error, however many
/// weights it has; the error of all weights goes with their number: this is between the two.
public struct RateAllocation: Sendable {
    /// One weight to allocate for.
    public struct Request: Sendable {
        public let tensor: WeightTensor
        public let options: LayerOptions
        /// Bytes that its names and description take in the file.
        public let headerBytes: Int

        public init(tensor: WeightTensor, options: LayerOptions, headerBytes: Int) {
            self.tensor = tensor
            self.options = options
            self.headerBytes = headerBytes
        }
    }

    /// A choice: symbols and weights a row, and the most filters that share a basis.
    struct Candidate {
        let nibbles: Int
        let width: Int
        var shared = WeightGeometry.groupSize
    }

    /// From about 1.5 to 8 bits a weight. Bases of fewer filters are the steps between.
    static let candidates: [Candidate] =
        [(3, 8), (3, 6), (3, 5), (2, 3), (3, 4), (3, 3), (3, 2), (2, 1)].flatMap { n, width in
            [32, 4, 1].map { Candidate(nibbles: n, width: width, shared: $0) }
        }
    /// Filters and weights of a filter that a sample has at most.
    private static let sampledFilters = 32
    private static let sampledLength = 768

    private struct Point {
        let candidate: Int
        let bytes: Int
        let loss: Double
    }

    /// Returns the options of every request, in order, with symbols and weights a row set.
    ///
    /// - Parameter step: called before each weight is sampled; may throw to stop.
    /// - Throws: ``DecompositionError`` `.invalidOption` when even the cheapest choice is over
    ///   `bits`, saying what is possible.
    public static func allocate(
        _ requests: [Request], bits: Double, threads: Int, seed: UInt64,
        step: @Sendable (Int) throws -> Void = { _ in }
    ) throws -> [LayerOptions] {
        let weights = requests.reduce(0) { $0 + $1.tensor.weightCount }
        let budget = bits * Double(weights) / 8
        let curves = try ParallelLoop.map(requests.count, threads: threads) { index in
            try step(index)
            return try curve(of: requests[index], seed: seed)
        }
        var chosen = [Int](repeating: 0, count: curves.count)
        var used = curves.reduce(0) { $0 + $1[0].bytes }
        guard Double(used) <= budget else {
            let least = Double(used) * 8 / Double(max(1, weights))
            throw DecompositionError(
                .invalidOption,
                "\(bits) bits a weight are too few: this model needs at least "
                    + "\((least * 100).rounded(.up) / 100), names and descriptions included")
        }
        while let step = bestStep(curves, chosen, room: budget - Double(used)) {
            used += curves[step][chosen[step] + 1].bytes - curves[step][chosen[step]].bytes
            chosen[step] += 1
        }
        var result = try zip(requests, zip(curves, chosen)).map { request, choice in
            let candidate = candidates[choice.0[choice.1].candidate]
            var options = request.options
            try set(candidate, in: &options, request.tensor)
            return options
        }
        // What is left buys bases shared by fewer filters, for all weights alike.
        var rest = budget - Double(used)
        while let finer = try halvedSharing(result, requests) {
            guard Double(finer.extraBytes) <= rest else { break }
            rest -= Double(finer.extraBytes)
            result = finer.options
        }
        return result
    }

    /// The weight whose next step lowers the loss most for its bytes, of those that fit.
    private static func bestStep(
        _ curves: [[Point]], _ chosen: [Int], room: Double
    ) -> Int? {
        var best: (index: Int, gain: Double)?
        for (index, curve) in curves.enumerated() where chosen[index] + 1 < curve.count {
            let now = curve[chosen[index]]
            let next = curve[chosen[index] + 1]
            guard Double(next.bytes - now.bytes) <= room else { continue }
            let gain = (now.loss - next.loss) / Double(next.bytes - now.bytes)
            if best.map({ gain > $0.gain }) ?? true { best = (index, gain) }
        }
        return best?.index
    }

    /// The candidates of a weight that no mix of others beats: bytes rising, loss falling, convex.
    private static func curve(of request: Request, seed: UInt64) throws -> [Point] {
        let sample = sample(of: request.tensor)
        var points: [Point] = []
        for (index, candidate) in candidates.enumerated()
        where candidate.width <= max(1, request.tensor.filterLength) {
            var options = request.options
            guard try set(candidate, in: &options, request.tensor) else { continue }
            let bytes = try predictedBytes(request.tensor, options) + request.headerBytes
            options.basisBits = 8
            let compressor = try WeightCompressor(
                options: sampling(options, sample, of: request.tensor), threads: 1, seed: seed,
                effort: .sampling)
            let error = try compressor.compress(sample).relativeError
            points.append(
                Point(
                    candidate: index, bytes: bytes,
                    loss: error * error * Double(request.tensor.weightCount).squareRoot()))
        }
        return convexHull(points.sorted { ($0.bytes, $0.loss) < ($1.bytes, $1.loss) })
    }

    /// Sets what a candidate says.
    ///
    /// - Returns: false when fewer filters share a basis than the candidate allows, and another
    ///   candidate says the same.
    @discardableResult
    private static func set(
        _ candidate: Candidate, in options: inout LayerOptions, _ tensor: WeightTensor
    ) throws -> Bool {
        options.nibbles = candidate.nibbles
        options.basisWidth = candidate.width
        guard options.filtersPerBasis == nil else { return candidate.shared == 32 }
        let most = try Slicing.geometry(
            shape: tensor.shape, kind: tensor.kind, options: options
        ).filtersPerBasis
        options.filtersPerBasis = min(most, candidate.shared)
        return candidate.shared == 32 || candidate.shared < most
    }

    private static func convexHull(_ points: [Point]) -> [Point] {
        var hull: [Point] = []
        for point in points {
            if let last = hull.last, point.loss >= last.loss { continue }
            while hull.count >= 2 {
                let a = hull[hull.count - 2]
                let b = hull[hull.count - 1]
                let slopeBefore = (b.loss - a.loss) / Double(max(1, b.bytes - a.bytes))
                let slopeAfter = (point.loss - b.loss) / Double(max(1, point.bytes - b.bytes))
                guard slopeAfter < slopeBefore else { break }
                hull.removeLast()
            }
            hull.append(point)
        }
        return hull
    }

    /// Bytes of symbols, basis, scales and masks, as far as they are known before fitting.
    package static func predictedBytes(
        _ tensor: WeightTensor, _ options: LayerOptions
    ) throws -> Int {
        let geometry = try Slicing.geometry(
            shape: tensor.shape, kind: tensor.kind, options: options)
        let alphabet = options.mode == .reference ? .single : options.alphabet ?? .quarters
        var rows = geometry.rowCount
        var bytes = 0
        if let prune = options.prune {
            bytes += geometry.groupCount * geometry.groupMaskStride
            if options.pruneKind == .population {
                let kept =
                    geometry.positionCount
                    - Int((prune * Double(geometry.positionCount)).rounded(.up))
                if geometry.layout == .kept || geometry.unit == geometry.width {
                    rows = (kept * geometry.unit + geometry.width - 1) / geometry.width
                }
            }
        }
        let elements =
            geometry.basisCount * geometry.nibbles * alphabet.coefficientsPerSymbol * geometry.width
        let hasScales = options.mode != .reference || options.basisBits == 8
        // Each slice begins at a byte.
        let (slices, rest) = rows.quotientAndRemainder(dividingBy: geometry.rowsPerSlice)
        let symbols =
            slices * geometry.symbolBytes(rows: geometry.rowsPerSlice)
            + geometry.symbolBytes(rows: rest)
        return bytes + geometry.filterCount * symbols
            + elements * options.basisBits / 8
            + (hasScales ? geometry.filterCount * geometry.sliceCount * 2 : 0)
    }

    /// Filters that share a basis.
    package static func filtersPerBasis(
        _ tensor: WeightTensor, _ options: LayerOptions
    ) throws -> Int {
        try Slicing.geometry(shape: tensor.shape, kind: tensor.kind, options: options)
            .filtersPerBasis
    }

    /// All options with half the filters a basis where they are not down to one, and what that
    /// costs; nil when all are.
    private static func halvedSharing(
        _ options: [LayerOptions], _ requests: [Request]
    ) throws -> (options: [LayerOptions], extraBytes: Int)? {
        var result = options
        var extra = 0
        var changed = false
        for (index, request) in requests.enumerated() {
            let geometry = try Slicing.geometry(
                shape: request.tensor.shape, kind: request.tensor.kind, options: options[index])
            guard geometry.filtersPerBasis > 1 else { continue }
            result[index].filtersPerBasis = geometry.filtersPerBasis / 2
            extra +=
                try predictedBytes(request.tensor, result[index])
                - predictedBytes(request.tensor, options[index])
            changed = true
        }
        return changed ? (result, extra) : nil
    }

    /// The options for a sample of a weight: its shortened filters share a basis with more others,
    /// so that a basis serves as many rows.
    package static func sampling(
        _ options: LayerOptions, _ sample: WeightTensor, of tensor: WeightTensor
    ) -> LayerOptions {
        guard let shared = options.filtersPerBasis, options.mode != .reference else {
            return options
        }
        let shortening = max(1, tensor.filterLength / max(1, sample.filterLength))
        var result = options
        result.filtersPerBasis = min(WeightGeometry.groupSize, shared * shortening.nextPowerOfTwo)
        return result
    }

    /// A few evenly spread filters of a weight, the first weights of each.
    package static func sample(of tensor: WeightTensor) -> WeightTensor {
        let filters = tensor.shape[0]
        let count = min(filters, sampledFilters)
        let kernel = tensor.shape.dropFirst(2).reduce(1, *)
        let channels = tensor.shape.count > 1 ? tensor.shape[1] : 1
        let keptChannels = min(channels, max(1, sampledLength / max(1, kernel)))
        var weights: [Float] = []
        for index in 0..<count {
            let filter = index * filters / count
            weights += tensor.weights(ofFilters: filter..<(filter + 1)).prefix(
                keptChannels * kernel)
        }
        let shape = [count, keptChannels] + tensor.shape.dropFirst(2)
        return WeightTensor(
            name: tensor.name, shape: shape, kind: tensor.kind, weights: weights)
    }
}

extension SearchEffort {
    /// For estimates on samples.
    static let sampling = SearchEffort(
        sampledGroups: 1, starts: 3, firstRows: 512, firstPasses: 5, finalists: 1,
        finalistRows: 1024, finalistPasses: 6, passes: 3, smallestGain: 1e-2, ownStartRows: 64)
}

extension Int {
    /// The least power of two that is not below it.
    fileprivate var nextPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}
