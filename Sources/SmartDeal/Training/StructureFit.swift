import Decomposition
import DenseMath
import Networks
import PowerOfTwo

/// Puts dense weights in the SmartDeal form that others had: the same recipe, the same structural
/// masks.
struct StructureFit {
    let recipe: Recipe
    let threads: Int
    let seed: UInt64

    /// A weight `[filters, ...]` or, when the start is transposed, its transpose.
    ///
    /// - Throws: ``DecompositionError``.
    func fit(
        _ values: [Float], like start: CompressedParameter, name: String
    ) throws -> CompressedParameter {
        var dense = Tensor(shape: start.shape, values)
        if start.isTransposed { dense = dense.transposed() }
        let geometry = start.weight.geometry
        var weights = dense.floats
        let kind = LayerKind(name: "", shape: geometry.shape)
        var options = try recipe.options(for: name, kind: kind)
        options.prune = nil
        for group in 0..<geometry.groupCount {
            guard let mask = start.weight.mask(ofGroup: group) else { continue }
            for filter in geometry.filters(ofGroup: group) {
                for position in 0..<geometry.positionCount where !mask[position] {
                    let begin = filter * geometry.filterLength + position * geometry.unit
                    for index in begin..<begin + geometry.unit { weights[index] = 0 }
                }
            }
            // Drops exactly the positions that are zero now.
            options.prune = .leastNonzeroMagnitude
            options.pruneKind = .value
        }
        let tensor = WeightTensor(
            name: name, shape: geometry.shape, kind: kind, weights: weights)
        let weight = try WeightCompressor(options: options, threads: threads, seed: seed)
            .compress(tensor).weight
        return CompressedParameter(weight, isTransposed: start.isTransposed)
    }
}
