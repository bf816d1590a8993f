import DenseMath
import Decomposition
import ModelFiles
import PowerOfTwo

/// Tells what is inside a checkpoint: for a compressed one what it holds, for a dense one what
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
        let model = try ModelCheckpoint(path: path)
        guard model.isCompressed else { return try compressor.predict(path, progress: progress) }
        let checkpoint = model.checkpoint
        let contents = model.contents
        let tensors = try ParallelLoop.map(contents.count, threads: compressor.threads) { index in
            let content = contents[index]
            var row = CompressionReport.Tensor(
                name: content.name,
                kind: LayerKind(name: content.name, shape: content.shape).rawValue,
                shape: content.shape, dtype: content.elementType.rawValue, compressed: false,
                reason: "", bits_per_weight: Double(content.elementType.bitCount),
                bytes_before: content.denseByteCount, bytes_after: content.byteCount)
            if case .packed(let tensor) = content {
                let weight = try tensor.weight(in: checkpoint)
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
        let before = contents.reduce(0) { $0 + $1.denseByteCount }
        var report = CompressionReport(
            input: path, output: nil, mode: "",
            recipe: checkpoint.metadata[CheckpointCompressor.recipeKey] ?? "",
            input_bytes: before, output_bytes: checkpoint.byteCount, ratio: 0, weights_ratio: 1,
            relative_error: nil, bits_per_weight: nil, seconds: 0,
            threads: compressor.threads, instruction_set: InstructionSet.selected.rawValue,
            estimated: false, tensors: tensors)
        report.finish(seconds: (ContinuousClock.now - started).inSeconds)
        return report
    }
}
