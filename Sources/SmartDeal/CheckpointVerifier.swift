import Decomposition
import DenseMath
import Foundation
import ModelFiles
import PowerOfTwo

/// Compares two model files tensor by tensor, dense and compressed ones alike.
public struct CheckpointVerifier: Sendable {
    public var threads = ParallelLoop.availableThreads

    public init() {}

    /// How far two models are apart.
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
        let first = try ModelDocument(path: original, readsOperators: false)
        let second = try ModelDocument(path: other, readsOperators: false)
        let pairs = try pairs(first, second, other)
        progress.begin("comparing", total: first.tensors.reduce(0) { $0 + $1.elementCount })
        var report = Report(
            original: original, other: other, tensors: [], worst: 0, worst_tensor: nil,
            seconds: 0)
        for (a, b) in pairs {
            let result = try compare(a, first, b, second)
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
            try progress.advance(a.elementCount, tensor: a.name)
        }
        report.seconds = (ContinuousClock.now - started).inSeconds
        return report
    }

    private typealias Tensor = ModelDocument.Tensor

    private func pairs(
        _ first: ModelDocument, _ second: ModelDocument, _ path: String
    ) throws -> [(Tensor, Tensor)] {
        let others = Dictionary(
            second.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var problems: [String] = []
        var pairs: [(Tensor, Tensor)] = []
        for content in first.tensors {
            guard let other = others[content.name] else {
                problems.append("'\(content.name)' is missing")
                continue
            }
            if other.shape != content.shape {
                problems.append("'\(content.name)' is \(other.shape), not \(content.shape)")
            } else if other.typeName != content.typeName {
                problems.append(
                    "'\(content.name)' is \(other.typeName), not \(content.typeName)")
            }
            pairs.append((content, other))
        }
        let names = Set(first.tensors.map(\.name))
        for content in second.tensors where !names.contains(content.name) {
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
        _ a: Tensor, _ first: ModelDocument, _ b: Tensor, _ second: ModelDocument
    ) throws -> Report.Tensor {
        var result = Report.Tensor(
            name: a.name, shape: a.shape, dtype: a.typeName, compressed: false,
            relative_error: 0, max_abs_difference: 0)
        if !a.isPacked, !b.isPacked {
            let isSame = first.withBytes(of: a) { p in
                second.withBytes(of: b) { q in
                    guard p.count == q.count else { return false }
                    guard let start = p.baseAddress, let other = q.baseAddress else { return true }
                    return memcmp(start, other, p.count) == 0
                }
            }
            guard !isSame else { return result }
            guard a.elementType?.isWeightType == true else {
                result.relative_error = nil
                result.max_abs_difference = nil
                return result
            }
        } else {
            result.compressed = true
        }
        let readA = try first.rowReader(of: a)
        let readB = try second.rowReader(of: b)
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
}
