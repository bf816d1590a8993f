import Decomposition
import DenseMath
import Foundation
import ModelFiles
import PowerOfTwo

/// Compares two checkpoints tensor by tensor, dense and compressed ones alike.
public struct CheckpointVerifier: Sendable {
    public var threads = ParallelLoop.availableThreads

    public init() {}

    /// How far two checkpoints are apart.
    public struct Report: Sendable, Codable, Equatable {
        public struct Tensor: Sendable, Codable, Equatable {
            public var name: String
            public var shape: [Int]
            public var dtype: String
            /// Whether either file has it in SmartDeal form.
            public var compressed: Bool
            /// ||A - B||_F / ||A||_F; 0 when both are zero. Not a number does not occur: nil means
            /// that A is zero and B is not, or that values are not finite and differ.
            public var relative_error: Double?
            public var max_abs_difference: Double?

            /// Writes every key, `null` where nothing is known, so that scripts find them all.
            public func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(name, forKey: .name)
                try container.encode(shape, forKey: .shape)
                try container.encode(dtype, forKey: .dtype)
                try container.encode(compressed, forKey: .compressed)
                try container.encode(relative_error, forKey: .relative_error)
                try container.encode(max_abs_difference, forKey: .max_abs_difference)
            }
        }

        public var original: String
        public var other: String
        public var tensors: [Tensor]
        /// The largest relative error; nil when one is not known.
        public var worst: Double?
        public var worst_tensor: String?
        public var seconds: Double

        /// Writes every key, as ``Tensor`` does.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(original, forKey: .original)
            try container.encode(other, forKey: .other)
            try container.encode(tensors, forKey: .tensors)
            try container.encode(worst, forKey: .worst)
            try container.encode(worst_tensor, forKey: .worst_tensor)
            try container.encode(seconds, forKey: .seconds)
        }
    }

    /// Compares `other` with `original`.
    ///
    /// - Throws: ``ModelFileError``; ``SmartDealError`` `.tensorsDiffer` when names, shapes or types
    ///   of tensors differ, naming them.
    public func compare(
        _ original: String, _ other: String, progress: TaskProgress = TaskProgress()
    ) throws -> Report {
        let started = ContinuousClock.now
        let first = try ModelCheckpoint(path: original)
        let second = try ModelCheckpoint(path: other)
        let pairs = try pairs(first, second, other)
        progress.begin(
            "comparing", total: first.contents.reduce(0) { $0 + $1.shape.reduce(1, *) })
        var report = Report(
            original: original, other: other, tensors: [], worst: 0, worst_tensor: nil,
            seconds: 0)
        for (a, b) in pairs {
            let result = try compare(a, first.checkpoint, b, second.checkpoint)
            report.tensors.append(result)
            if let worst = report.worst {
                guard let error = result.relative_error else {
                    report.worst = nil
                    report.worst_tensor = result.name
                    continue
                }
                if error > worst || report.worst_tensor == nil {
                    report.worst = error
                    report.worst_tensor = result.name
                }
            }
            try progress.advance(a.shape.reduce(1, *), tensor: a.name)
        }
        report.seconds = (ContinuousClock.now - started).inSeconds
        return report
    }

    private typealias Content = ModelCheckpoint.Content

    private func pairs(
        _ first: ModelCheckpoint, _ second: ModelCheckpoint, _ path: String
    ) throws -> [(Content, Content)] {
        let others = Dictionary(
            second.contents.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var problems: [String] = []
        var pairs: [(Content, Content)] = []
        for content in first.contents {
            guard let other = others[content.name] else {
                problems.append("'\(content.name)' is missing")
                continue
            }
            if other.shape != content.shape {
                problems.append("'\(content.name)' is \(other.shape), not \(content.shape)")
            } else if other.elementType != content.elementType {
                problems.append(
                    "'\(content.name)' is \(other.elementType.rawValue), "
                        + "not \(content.elementType.rawValue)")
            }
            pairs.append((content, other))
        }
        let names = Set(first.contents.map(\.name))
        for content in second.contents where !names.contains(content.name) {
            problems.append("'\(content.name)' is not in the original")
        }
        guard problems.isEmpty else {
            let more = problems.count > 5 ? " and \(problems.count - 5) more" : ""
            throw SmartDealError(
                .tensorsDiffer, problems.prefix(5).joined(separator: "; ") + more, path: path)
        }
        return pairs
    }

    private func compare(
        _ a: Content, _ checkpointA: Checkpoint, _ b: Content, _ checkpointB: Checkpoint
    ) throws -> Report.Tensor {
        var result = Report.Tensor(
            name: a.name, shape: a.shape, dtype: a.elementType.rawValue, compressed: false,
            relative_error: 0, max_abs_difference: 0)
        if case .dense(let x) = a, case .dense(let y) = b {
            let isSame = checkpointA.withBytes(of: x) { p in
                checkpointB.withBytes(of: y) { q in
                    guard let p = p.baseAddress, let q = q.baseAddress else { return true }
                    return memcmp(p, q, x.byteCount) == 0
                }
            }
            guard !isSame else { return result }
            guard a.elementType.isWeightType else {
                result.relative_error = nil
                result.max_abs_difference = nil
                return result
            }
        } else {
            result.compressed = true
        }
        let readA = try reader(a, checkpointA)
        let readB = try reader(b, checkpointB)
        let rows = a.shape.first ?? 1
        let length = max(1, a.shape.dropFirst().reduce(1, *))
        let block = max(1, min(rows, (1 << 18) / length))
        let sums = try ParallelLoop.map((rows + block - 1) / block, threads: threads) { index in
            let range = (index * block)..<min(rows, (index + 1) * block)
            return readA(range).withUnsafeBufferPointer { p in
                readB(range).withUnsafeBufferPointer { q in
                    (SquaredDistance(p, q), SquaredDistance.largest(p, q))
                }
            }
        }
        let difference = sums.reduce(0) { $0 + $1.0.difference }
        let norm = sums.reduce(0) { $0 + $1.0.norm }
        let largest = sums.map(\.1).max() ?? 0
        guard difference.isFinite, norm > 0 || difference == 0 else {
            result.relative_error = nil
            result.max_abs_difference = nil
            return result
        }
        result.relative_error = norm > 0 ? (difference / norm).squareRoot() : 0
        result.max_abs_difference = Double(largest)
        return result
    }

    /// Reads some of the outermost rows of a tensor as floats.
    private func reader(
        _ content: Content, _ checkpoint: Checkpoint
    ) throws -> @Sendable (Range<Int>) -> [Float] {
        switch content {
        case .packed(let tensor):
            let weight = try tensor.weight(in: checkpoint)
            return { weight.rebuilt(filters: $0) }
        case .dense(let tensor):
            let length = tensor.shape.dropFirst().reduce(1, *) * tensor.elementType.bitCount / 8
            return { rows in
                checkpoint.withBytes(of: tensor) { bytes in
                    let range = (rows.lowerBound * length)..<(rows.upperBound * length)
                    return WeightConversion.floats(
                        from: UnsafeRawBufferPointer(rebasing: bytes[range]),
                        as: tensor.elementType)
                }
            }
        }
    }
}
