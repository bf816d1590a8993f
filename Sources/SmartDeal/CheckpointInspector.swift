import DenseMath
import Decomposition
import ModelFiles
import PowerOfTwo

/// Tells what is inside a model file: for a compressed one what it holds, for a dense one what
/// compression would give.
public struct CheckpointInspector: Sendable {
    /// What compression of a dense file is predicted with.
    public var compressor = CheckpointCompressor()

    public init() {}

    /// - Throws: ``ModelFileError``, ``DecompositionError``.
    public func inspect(
        _ path: String, progress: TaskProgress = TaskProgress()
    ) throws -> CompressionReport {
        let started = ContinuousClock.now
        let model = try ModelDocument(path: path)
        guard model.isCompressed else { return try compressor.predict(path, progress: progress) }
        let contents = model.tensors
        let tensors = try ParallelLoop.map(contents.count, threads: compressor.threads) { index in
            let content = contents[index]
            var row = CompressionReport.Tensor(
                name: content.name,
                kind: LayerKind(content).rawValue,
                shape: content.shape, dtype: content.typeName, compressed: false,
                reason: "", bits_per_weight: content.bitsPerElement,
                bytes_before: content.denseByteCount, bytes_after: content.byteCount)
            if content.isPacked {
                let weight = try model.parameter(of: content).weight
                let statistics = weight.statistics()
                row.compressed = true
                row.bits_per_weight = weight.bitsPerWeight
                row.describe(
                    CompressedWeight(
                        weight: weight, relativeError: .nan, statistics: statistics,
                        authorsBits: statistics.authorsBits(basisElements: weight.basis.count)))
                // The original is not here to compare with.
                row.relative_error = nil
            }
            return row
        }
        // What the dense file would have, headers and operators of packed weights apart.
        let before = contents.reduce(0) { $0 + $1.denseByteCount }
        var report = CompressionReport(
            input: path, output: nil, mode: "",
            recipe: model.metadata[CheckpointCompressor.recipeKey] ?? "",
            input_bytes: before, output_bytes: model.byteCount, ratio: 0, weights_ratio: 1,
            relative_error: nil, bits_per_weight: nil, seconds: 0,
            threads: compressor.threads, instruction_set: InstructionSet.selected.rawValue,
            estimated: false, tensors: tensors)
        report.finish(seconds: (ContinuousClock.now - started).inSeconds)
        return report
    }
}
