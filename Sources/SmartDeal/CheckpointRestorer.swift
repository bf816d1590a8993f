import DenseMath
import ModelFiles
import PowerOfTwo

/// Turns a compressed checkpoint back into a dense one that any framework loads.
public struct CheckpointRestorer: Sendable {
    public var threads = ParallelLoop.availableThreads

    public init() {}

    /// What restoring did.
    public struct Report: Sendable, Codable, Equatable {
        public var input: String
        public var output: String
        public var input_bytes: Int
        public var output_bytes: Int
        /// Tensors that were rebuilt, and those that were copied.
        public var restored: Int
        public var copied: Int
        public var seconds: Double
    }

    /// Writes the dense checkpoint of `input` to `output`: every tensor in the type that it had.
    ///
    /// - Throws: ``ModelFileError``; ``SmartDealError`` `.notCompressed` when there is nothing to
    ///   restore.
    public func restore(
        _ input: String, to output: String, progress: TaskProgress = TaskProgress()
    ) throws -> Report {
        let started = ContinuousClock.now
        let model = try ModelCheckpoint(path: input)
        guard model.isCompressed else {
            throw SmartDealError(.notCompressed, "it has no compressed weights", path: input)
        }
        let writer = try SafetensorsWriter(target: output)
        progress.begin(
            "restoring", total: model.contents.reduce(0) { $0 + $1.shape.reduce(1, *) })
        var report = Report(
            input: input, output: output, input_bytes: model.checkpoint.byteCount,
            output_bytes: 0, restored: 0, copied: 0, seconds: 0)
        for content in model.contents {
            switch content {
            case .dense(let tensor):
                try model.checkpoint.withBytes(of: tensor) { bytes in
                    try writer.append(
                        name: tensor.name, elementType: tensor.elementType, shape: tensor.shape,
                        bytes: bytes)
                }
                report.copied += 1
            case .packed(let tensor):
                try write(tensor, of: model.checkpoint, to: writer)
                report.restored += 1
            }
            try progress.advance(content.shape.reduce(1, *), tensor: content.name)
        }
        report.output_bytes = try writer.finish(metadata: model.modelMetadata)
        report.seconds = (ContinuousClock.now - started).inSeconds
        return report
    }

    /// Filters are rebuilt and written a few groups at a time, so that memory stays small.
    private func write(
        _ tensor: PackedTensor, of checkpoint: Checkpoint, to writer: SafetensorsWriter
    ) throws {
        let weight = try tensor.weight(in: checkpoint)
        let geometry = weight.geometry
        let threads = threads
        try writer.append(
            name: tensor.name, elementType: tensor.elementType, shape: geometry.shape
        ) { write in
            var group = 0
            while group < geometry.groupCount {
                let first = group
                let count = min(4 * threads, geometry.groupCount - group)
                let blocks = try ParallelLoop.map(count, threads: threads) { index in
                    let filters = geometry.filters(ofGroup: first + index)
                    return WeightConversion.bytes(
                        from: weight.rebuilt(filters: filters), as: tensor.elementType)
                }
                for block in blocks { try block.withUnsafeBytes { try write($0) } }
                group += count
            }
        }
    }
}
