import DenseMath
import ModelFiles
import PowerOfTwo

/// Turns a compressed model file back into a dense one that any framework loads.
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

    /// Writes the dense form of `input` to `output`: every tensor in the type that it had.
    ///
    /// - Throws: ``ModelFileError``; ``SmartDealError`` `.notCompressed` when there is nothing to
    ///   restore.
    public func restore(
        _ input: String, to output: String, progress: TaskProgress = TaskProgress()
    ) throws -> Report {
        let started = ContinuousClock.now
        let model = try ModelDocument(path: input, readsOperators: false)
        guard model.isCompressed else {
            throw SmartDealError(.notCompressed, "it has no compressed weights", path: input)
        }
        progress.begin("restoring", total: model.tensors.reduce(0) { $0 + $1.elementCount })
        let restored = model.tensors.count(where: \.isPacked)
        var report = Report(
            input: input, output: output, input_bytes: model.byteCount, output_bytes: 0,
            restored: restored, copied: model.tensors.count - restored, seconds: 0)
        if let onnx = model.onnx {
            report.output_bytes = try onnx.write(
                omitting: [CheckpointCompressor.recipeKey], to: output
            ) { name, parameter, elementType in
                try progress.advance(parameter.weight.geometry.weightCount, tensor: name)
                return parameter.rebuilt(threads: threads).withFloats {
                    WeightConversion.bytes(from: $0, as: elementType)
                }
            }
        } else {
            report.output_bytes = try write(model, to: output, progress: progress)
        }
        report.seconds = (ContinuousClock.now - started).inSeconds
        return report
    }

    private func write(
        _ model: ModelDocument, to output: String, progress: TaskProgress
    ) throws -> Int {
        let writer = try SafetensorsWriter(target: output)
        for tensor in model.tensors {
            guard let elementType = tensor.elementType else { continue }
            if tensor.isPacked {
                try write(
                    try model.parameter(of: tensor).weight, named: tensor.name, elementType,
                    to: writer)
            } else {
                try model.withBytes(of: tensor) { bytes in
                    try writer.append(
                        name: tensor.name, elementType: elementType, shape: tensor.shape,
                        bytes: bytes)
                }
            }
            try progress.advance(tensor.elementCount, tensor: tensor.name)
        }
        return try writer.finish(metadata: model.modelMetadata)
    }

    /// Filters are rebuilt and written a few groups at a time, so that memory stays small.
    private func write(
        _ weight: SmartDealWeight, named name: String, _ elementType: ElementType,
        to writer: SafetensorsWriter
    ) throws {
        let geometry = weight.geometry
        let threads = threads
        try writer.append(
            name: name, elementType: elementType, shape: geometry.shape
        ) { write in
            var group = 0
            while group < geometry.groupCount {
                let first = group
                let count = min(4 * threads, geometry.groupCount - group)
                let blocks = try ParallelLoop.map(count, threads: threads) { index in
                    let filters = geometry.filters(ofGroup: first + index)
                    return WeightConversion.bytes(
                        from: weight.rebuilt(filters: filters), as: elementType)
                }
                for block in blocks { try block.withUnsafeBytes { try write($0) } }
                group += count
            }
        }
    }
}
