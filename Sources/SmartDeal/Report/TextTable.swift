import Foundation

/// Columns of text, aligned: the first to the left, the others to the right unless told otherwise.
public struct TextTable: Sendable {
    private var rows: [[String]]
    private let leftAligned: Set<Int>

    /// - Parameter leftAligned: columns that are aligned to the left.
    public init(_ header: [String], leftAligned: Set<Int> = [0]) {
        rows = [header]
        self.leftAligned = leftAligned
    }

    /// Adds a row below.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, a rule below the header.
    public var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        var lines = rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "")
                line += leftAligned.contains(column) ? cell + padding : padding + cell
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        lines.insert(
            widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
        return lines.joined(separator: "\n")
    }
}

/// Numbers as people read them.
public enum HumanText {
    /// Bytes with a decimal prefix: `942 B`, `12.3 kB`, `1.07 MB`.
    public static func bytes(_ count: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
        return String(format: "%.\(decimals)f %@", value, units[unit])
    }

    /// A relative error: `0.0931`, `0` for none.
    public static func error(_ value: Double?) -> String {
        guard let value else { return "?" }
        return value == 0
            ? "0"
            : value < 0.001
                ? String(format: "%.1e", value)
                : String(format: "%.4f", value)
    }

    /// A ratio: `7.84x`.
    public static func ratio(_ value: Double) -> String { String(format: "%.2fx", value) }

    /// Bits a weight: `4.06`.
    public static func bits(_ value: Double) -> String { String(format: "%.2f", value) }

    /// A share in per cent, `-` for all.
    public static func share(_ value: Double?) -> String {
        guard let value, value < 0.9995 else { return "-" }
        return String(format: "%.0f %%", value * 100)
    }

    /// Seconds: `0.43 s`, `2 min 5 s`.
    public static func seconds(_ value: Double) -> String {
        value < 100
            ? String(format: value < 10 ? "%.2f s" : "%.1f s", value)
            : "\(Int(value) / 60) min \(Int(value) % 60) s"
    }
}
