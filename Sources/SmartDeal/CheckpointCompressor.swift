import DenseMath
import Decomposition
import Foundation
import ModelFiles
import Networks
import PowerOfTwo

/// Compresses a model file into another: weights in SmartDeal form, all else byte for byte.
public struct CheckpointCompressor: Sendable {
    public var recipe = Recipe()
    /// Only tensors that one of these matches, when there are any.
    public var include: [Glob] = []
    /// No tensor that one of these matches.
    public var exclude: [Glob] = []
    public var threads = ParallelLoop.availableThreads
    public var seed: UInt64 = 0
    /// Stored with an ONNX model that has none: how images become its input.
    public var preprocessing: Preprocessing?
    /// Finds the ranges of values that are stored with an ONNX model, which running it on bytes needs.
    /// With it a compressed model is taken too, and keeps its weights.
    public var calibration: Calibration?
    /// Keep finished tensors beside the output and go on from there.
    public var resume = false

    public init() {}

    /// Compresses the model at `input` into the file `output`, which appears only when it is
    /// complete.
    ///
    /// - Throws: ``ModelFileError`` for what files and disks do, ``DecompositionError`` for options
    ///   and weights, ``SmartDealError`` `.alreadyCompressed`, `.cannotResume`, `.interrupted`.
    public func compress(
        _ input: String, to output: String, progress: TaskProgress = TaskProgress()
    ) throws -> CompressionReport {
        let started = ContinuousClock.now
        let model = try ModelDocument(path: input)
        guard calibration == nil || model.onnx != nil else {
            throw ModelFileError(
                code: .noGraph,
                message:
                    "the ranges of values are found by running a model, and a safetensors file "
                    + "does not say what is computed with its weights", path: input)
        }
        var plan = try CompressionPlan(
            model, recipe: recipe, include: include, exclude: exclude,
            takesCompressed: calibration != nil)
        // Packed weights of an ONNX model wait in a checkpoint until all are there.
        let target = model.onnx == nil ? output : output + ".weights"
        defer { if model.onnx != nil { try? FileManager.default.removeItem(atPath: target) } }
        if model.onnx != nil { try AtomicFile(target: output).discard() }
        let journal =
            try resume
            ? CompressionJournal(
                output, fingerprint(of: model), names: plan.items.map(\.tensor.name)) : nil
        let writer = try journal?.writer(target: target) ?? SafetensorsWriter(target: target)
        if let bits = recipe.bits {
            try plan.allocate(
                bits: bits, recipe: recipe, threads: threads, seed: seed, progress: progress)
        }
        var report = self.report(for: plan, input: input, output: output)
        var metadata = model.modelMetadata
        for entry in journal?.finished ?? [] {
            report.tensors.append(entry.report)
            metadata.merge(entry.metadata) { _, new in new }
        }
        let first = report.tensors.count
        progress.begin("compressing", total: Self.work(plan.items[first...]))
        for item in plan.items[first...] {
            let begin = writer.tensors.count
            let result = try add(item, of: model, to: writer, progress: progress)
            model.releasePages(of: item.tensor)
            report.tensors.append(result.report)
            metadata.merge(result.metadata) { _, new in new }
            try journal?.append(result, parts: Array(writer.tensors[begin...]), writer)
        }
        if !plan.items.isEmpty { metadata[Self.recipeKey] = recipe.summary }
        report.output_bytes = try writer.finish(metadata: metadata)
        if let onnx = model.onnx {
            report.output_bytes = try write(
                onnx, weights: target, to: output, progress: progress,
                isNew: !model.isCompressed)
        }
        try journal?.remove()
        report.finish(
            seconds: (ContinuousClock.now - started).inSeconds, isONNX: model.onnx != nil)
        return report
    }

    /// Writes an ONNX model with the weights of a compressed checkpoint.
    private func write(
        _ onnx: ONNXDocument, weights path: String, to output: String, progress: TaskProgress,
        isNew: Bool
    ) throws -> Int {
        let weights = try ModelCheckpoint(path: path)
        var metadata = isNew ? [Self.recipeKey: recipe.summary] : [:]
        if let preprocessing {
            metadata.merge(try onnx.model.metadata(storing: preprocessing)) { own, _ in own }
        }
        var model = try onnx.packing(weights.packedWeights(), metadata: metadata, path: output)
        if let calibration {
            model = try model.storing(
                calibration.ranges(of: model.network(), progress: progress))
        }
        return try model.write(to: output)
    }

    /// What ``compress(_:to:progress:)`` would do: sizes exact but for masks that depend on the
    /// weights, errors estimated from a sample of each weight.
    public func predict(
        _ input: String, progress: TaskProgress = TaskProgress()
    ) throws -> CompressionReport {
        let started = ContinuousClock.now
        let model = try ModelDocument(path: input)
        var plan = try CompressionPlan(
            model, recipe: recipe, include: include, exclude: exclude)
        if let bits = recipe.bits {
            try plan.allocate(
                bits: bits, recipe: recipe, threads: threads, seed: seed, progress: progress)
        }
        let decided = plan
        let items = decided.items
        progress.begin("sampling", total: Self.work(items[...]))
        let tensors = try ParallelLoop.map(items.count, threads: threads) { index in
            let item = items[index]
            guard case .compress(let options) = item.decision else {
                return (Self.kept(item), 0)
            }
            try progress.advance(item.tensor.elementCount, tensor: item.tensor.name)
            var result = Self.kept(item)
            result.compressed = true
            result.reason = Self.description(of: options)
            result.bytes_after = try CompressionPlan.predictedBytes(
                item.tensor, item.kind, options)
            result.bits_per_weight =
                Double(result.bytes_after * 8) / Double(item.tensor.elementCount)
            let weight = model.weightTensor(item.tensor)
            let sample = RateAllocation.sample(of: weight)
            let compressed = try WeightCompressor(
                options: RateAllocation.sampling(options, sample, of: weight), seed: seed
            ).compress(sample)
            result.describe(compressed)
            result.filters_per_basis = try RateAllocation.filtersPerBasis(weight, options)
            let times = Double(weight.weightCount) / Double(sample.weightCount)
            result.authors_bits = result.authors_bits.map { Int(Double($0) * times) }
            result.hardware_bits = result.hardware_bits.map { Int(Double($0) * times) }
            return (result, decided.headerBytes(item.tensor, options))
        }
        var report = self.report(for: plan, input: input, output: nil)
        report.tensors = tensors.map(\.0)
        report.estimated = true
        let isCompressed = tensors.contains { $0.0.compressed }
        let isONNX = model.onnx != nil
        if isONNX {
            // Everything but the weights stays as it is.
            report.output_bytes = tensors.reduce(
                model.byteCount + (isCompressed ? plan.headerBytes(recipe) : 0)
            ) { sum, tensor in
                sum + tensor.0.bytes_after - tensor.0.bytes_before
                    + (tensor.0.compressed ? tensor.1 : 0)
            }
        } else {
            let fixed = isCompressed ? plan.headerBytes(recipe) : 8
            report.output_bytes = tensors.reduce(fixed) { sum, tensor in
                let header = tensor.0.compressed ? tensor.1 : tensor.0.headerBytes
                return sum + tensor.0.bytes_after + header
            }
        }
        report.finish(
            seconds: (ContinuousClock.now - started).inSeconds, isONNX: isONNX)
        return report
    }

    static let recipeKey = "smartdeal.recipe"

    /// One finished tensor.
    struct Finished: Codable, Sendable {
        var report: CompressionReport.Tensor
        var metadata: [String: String]
    }

    private func add(
        _ item: CompressionPlan.Item, of model: ModelDocument, to writer: SafetensorsWriter,
        progress: TaskProgress
    ) throws -> Finished {
        var result = Self.kept(item)
        if case .compress(let options) = item.decision,
            let elementType = item.tensor.elementType
        {
            let compressor = try WeightCompressor(options: options, threads: threads, seed: seed)
            let length = item.tensor.elementCount / max(1, item.tensor.weightShape[0])
            let compressed = try compressor.compress(model.weightTensor(item.tensor)) {
                try progress.advance($0 * length, tensor: item.tensor.name)
            }
            if compressed.weight.byteCount < item.tensor.byteCount {
                let metadata = try PackedTensor.append(
                    compressed.weight, name: item.tensor.name,
                    elementType: elementType, to: writer)
                result.compressed = true
                result.reason = Self.description(of: options)
                result.bytes_after = compressed.weight.byteCount
                result.bits_per_weight = compressed.weight.bitsPerWeight
                result.describe(compressed)
                return Finished(report: result, metadata: metadata)
            }
            result.reason = "too small to gain"
        }
        // What an ONNX model keeps, it keeps where it is.
        if model.onnx == nil, let elementType = item.tensor.elementType {
            try model.withBytes(of: item.tensor) { bytes in
                try writer.append(
                    name: item.tensor.name, elementType: elementType, shape: item.tensor.shape,
                    bytes: bytes)
            }
        }
        return Finished(report: result, metadata: [:])
    }

    private func report(
        for plan: CompressionPlan, input: String, output: String?
    ) -> CompressionReport {
        let modes = Set(
            plan.items.compactMap { item -> String? in
                if case .compress(let options) = item.decision { return options.mode.rawValue }
                return nil
            })
        return CompressionReport(
            input: input, output: output, mode: modes.sorted().joined(separator: ", "),
            recipe: recipe.summary, input_bytes: plan.model.byteCount, output_bytes: 0,
            ratio: 0, weights_ratio: 1, relative_error: nil, bits_per_weight: nil, seconds: 0,
            threads: threads, instruction_set: InstructionSet.selected.rawValue, estimated: false,
            tensors: [])
    }

    private static func work(_ items: ArraySlice<CompressionPlan.Item>) -> Int {
        items.reduce(0) { sum, item in
            if case .compress = item.decision { return sum + item.tensor.elementCount }
            return sum
        }
    }

    /// The row of a tensor that is copied.
    private static func kept(_ item: CompressionPlan.Item) -> CompressionReport.Tensor {
        var reason = ""
        if case .keep(let why) = item.decision { reason = why }
        return CompressionReport.Tensor(
            name: item.tensor.name, kind: item.kind.rawValue, shape: item.tensor.shape,
            dtype: item.tensor.typeName, compressed: false, reason: reason,
            bits_per_weight: item.tensor.bitsPerElement,
            bytes_before: item.tensor.byteCount, bytes_after: item.tensor.byteCount)
    }

    private static func description(of options: LayerOptions) -> String {
        var words = [options.mode.rawValue]
        if let prune = options.prune {
            words.append("prune \(options.pruneKind.rawValue) \(prune)")
        }
        if options.rowSparsity { words.append("row sparsity") }
        if options.columnScaling { words.append("column scaling") }
        return words.joined(separator: ", ")
    }

    /// What unfinished work must have in common with this one.
    private func fingerprint(of model: ModelDocument) throws -> String {
        let folder = URL(fileURLWithPath: model.path).deletingLastPathComponent()
        let dates = try model.fileNames.map { name -> String in
            // The attributes of a link are not those of the file that it leads to.
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.appendingPathComponent(name).resolvingSymlinksInPath().path)
            let date = attributes[.modificationDate] as? Date
            return String(date?.timeIntervalSince1970 ?? 0)
        }
        let patterns = [include, exclude].map { $0.map(\.pattern).joined(separator: ",") }
        return
            ([
                PackedTensor.formatVersion, model.fingerprint, recipe.summary,
                String(seed),
            ] + patterns + dates).joined(separator: "|")
    }
}

extension Duration {
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

extension CompressionReport.Tensor {
    /// Fills in what is known of a compressed weight.
    mutating func describe(_ compressed: CompressedWeight) {
        let weight = compressed.weight
        let statistics = compressed.statistics
        relative_error = compressed.relativeError
        density = statistics.density
        row_density = statistics.rowDensity
        group_density = statistics.groupDensity
        alphabet = weight.alphabet.name
        nibbles_per_row = weight.geometry.nibbles
        basis_width = weight.geometry.width
        filters_per_basis = weight.geometry.filtersPerBasis
        authors_bits = compressed.authorsBits
        hardware_bits =
            4 * statistics.nonzeroRows * weight.rank + 8 * weight.basis.count + statistics.rows
        symbol_counts = statistics.symbolCounts
    }
}

extension CompressionReport.Tensor {
    /// Bytes that a tensor that is copied takes in the file's header, about: names, numbers, quotes.
    fileprivate var headerBytes: Int {
        60 + name.utf8.count + shape.reduce(0) { $0 + String($1).count + 1 }
    }
}

extension CompressionReport {
    /// Fills in the totals.
    ///
    /// - Parameter isONNX: whether all of the file but the weights is as it was before.
    mutating func finish(seconds: Double, isONNX: Bool = false) {
        self.seconds = seconds
        ratio = output_bytes > 0 ? Double(input_bytes) / Double(output_bytes) : 0
        let compressed = tensors.filter(\.compressed)
        let before = compressed.reduce(0) { $0 + $1.bytes_before }
        let after = compressed.reduce(0) { $0 + $1.bytes_after }
        weights_ratio = after > 0 ? Double(before) / Double(after) : 1
        let weights = compressed.reduce(0) { $0 + $1.weightCount }
        guard weights > 0 else { return }
        let kept = tensors.filter { !$0.compressed }
        let others =
            isONNX
            ? input_bytes - before : kept.reduce(0) { $0 + $1.bytes_after + $1.headerBytes }
        // The rest of the header is what the compressed weights need.
        bits_per_weight = Double(max(after, output_bytes - others) * 8) / Double(weights)
        let squares = compressed.compactMap { tensor in
            tensor.relative_error.map { $0 * $0 * Double(tensor.weightCount) }
        }
        if squares.count == compressed.count {
            relative_error = (squares.reduce(0, +) / Double(weights)).squareRoot()
        }
    }
}
