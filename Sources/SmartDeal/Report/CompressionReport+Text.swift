import Foundation

extension CompressionReport {
    /// The report as a table and a line of totals.
    public func text() -> String {
        var table = TextTable(
            [
                "tensor", "kind", "shape", "bits/w", "error", "rows kept", "before", "after",
                "ratio",
            ],
            leftAligned: [0, 1, 2])
        let compressed = tensors.filter(\.compressed)
        for tensor in compressed {
            table.add([
                tensor.name, tensor.kind,
                tensor.shape.map(String.init).joined(separator: "x"),
                String(format: "%.2f", tensor.bits_per_weight),
                HumanNumber.error(tensor.relative_error),
                HumanNumber.kept(tensor.row_density), HumanNumber.bytes(tensor.bytes_before),
                HumanNumber.bytes(tensor.bytes_after),
                HumanNumber.ratio(Double(tensor.bytes_before) / Double(max(1, tensor.bytes_after))),
            ])
        }
        var lines = compressed.isEmpty ? [] : [table.text, ""]
        let kept = tensors.filter { !$0.compressed }
        if !kept.isEmpty {
            var reasons: [(reason: String, count: Int, bytes: Int)] = []
            for tensor in kept {
                let reason = tensor.reason.isEmpty ? "dense" : tensor.reason
                if let index = reasons.firstIndex(where: { $0.reason == reason }) {
                    reasons[index].count += 1
                    reasons[index].bytes += tensor.bytes_after
                } else {
                    reasons.append((reason, 1, tensor.bytes_after))
                }
            }
            let list = reasons.map { reason in
                "\(reason.count) \(reason.reason) (\(HumanNumber.bytes(reason.bytes)))"
            }
            lines.append("kept as they were: " + list.joined(separator: ", "))
        }
        lines.append(summary)
        if let comparison { lines += ["", comparison.text()] }
        return lines.joined(separator: "\n")
    }

    /// One line: bytes, ratio, bits a weight, error, time.
    public var summary: String {
        var parts = [
            "\(HumanNumber.bytes(input_bytes)) -> \(HumanNumber.bytes(output_bytes))"
                + (estimated ? " (estimated)" : ""),
            "\(HumanNumber.ratio(ratio)) smaller file",
        ]
        if tensors.contains(where: \.compressed) {
            parts.append("\(HumanNumber.ratio(weights_ratio)) smaller weights")
        }
        if let bits_per_weight { parts.append("\(HumanNumber.bits(bits_per_weight)) a weight") }
        if let relative_error { parts.append("error \(HumanNumber.error(relative_error))") }
        if let worst { parts.append("worst \(HumanNumber.error(worst.error)) in \(worst.name)") }
        parts.append(HumanNumber.seconds(seconds))
        return parts.joined(separator: ", ")
    }
}

extension CheckpointVerifier.Report {
    /// The report as a table of the tensors that differ and a line of totals.
    public func text() -> String {
        var table = TextTable(
            ["tensor", "shape", "relative error", "largest difference"], leftAligned: [0, 1])
        let different = tensors.filter { $0.relative_error != 0 }
        for tensor in different {
            table.add([
                tensor.name, tensor.shape.map(String.init).joined(separator: "x"),
                HumanNumber.error(tensor.relative_error),
                tensor.max_abs_difference.map { HumanNumber.error($0) } ?? "?",
            ])
        }
        let same = tensors.count - different.count
        var lines = different.isEmpty ? [] : [table.text, ""]
        lines.append(
            "\(same) of \(tensors.count) tensors equal"
                + (worst_tensor.map { ", worst \(HumanNumber.error(worst)) in \($0)" } ?? ""))
        return lines.joined(separator: "\n")
    }
}
