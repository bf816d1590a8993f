import Foundation

/// Numbers as people read them.
package enum HumanNumber {
    /// What stands for a number that is not known.
    static let unknown = "\u{2013}"

    /// `1.07 MB`, of 1000 kB.
    package static func bytes(_ count: Double) -> String {
        scaled(count, units: [" B", " kB", " MB", " GB", " TB"])
    }

    /// The same of a whole number.
    package static func bytes(_ count: Int) -> String { bytes(Double(count)) }

    /// A relative error with four digits, as tables have it: `0.0931`, `0` for none.
    package static func error(_ value: Double?) -> String {
        guard let value else { return "?" }
        if value == 0 { return "0" }
        return String(format: value < 0.001 ? "%.1e" : "%.4f", value)
    }

    /// A share in whole per cent, `-` for all.
    package static func kept(_ share: Double?) -> String {
        guard let share, share < 0.9995 else { return "-" }
        return String(format: "%.0f %%", share * 100)
    }

    /// `11.2 M`.
    static func count(_ count: Double) -> String {
        scaled(count, units: ["", " k", " M", " G", " T"])
    }

    /// `1.07 mJ`, of pJ.
    static func energy(_ picojoules: Double) -> String {
        scaled(picojoules, units: [" pJ", " nJ", " \u{B5}J", " mJ", " J", " kJ"])
    }

    /// `1.07 ms`, of seconds.
    static func duration(_ seconds: Double) -> String {
        scaled(seconds * 1e12, units: [" ps", " ns", " \u{B5}s", " ms", " s"])
    }

    /// `12.3x`.
    package static func ratio(_ ratio: Double) -> String {
        guard ratio.isFinite, ratio > 0 else { return unknown }
        return fixed(ratio, decimals: ratio < 10 ? 2 : ratio < 100 ? 1 : 0) + "x"
    }

    /// `4.06 bits`.
    static func bits(_ bits: Double?) -> String {
        guard let bits, bits.isFinite else { return unknown }
        return fixed(bits, decimals: 2) + " bits"
    }

    /// A share or an error: `9.3 %` of 0.093.
    static func percent(_ share: Double?) -> String {
        guard let share else { return unknown }
        guard share.isFinite else { return "not a number" }
        let percent = share * 100
        if percent == 0 { return "0 %" }
        if percent < 0.01 { return "< 0.01 %" }
        // Only what is whole is shown as whole.
        if percent > 99.9, percent < 100 { return "> 99.9 %" }
        if percent >= 1e6 { return scientific(percent) + " %" }
        return fixed(percent, decimals: percent < 1 ? 2 : percent < 100 ? 1 : 0) + " %"
    }

    /// `0.42 s`, `3 min 20 s`, `2 h 5 min`.
    package static func seconds(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return unknown }
        if seconds < 10 { return fixed(seconds, decimals: seconds < 1 ? 2 : 1) + " s" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// A coefficient of an alphabet: `-1/4`.
    static func powerOfTwo(_ value: Double) -> String {
        guard value != 0, abs(value) < 1 else { return fixed(value, decimals: 0) }
        return (value < 0 ? "-1/" : "1/") + fixed(1 / abs(value), decimals: 0)
    }

    /// `1e-07`.
    static func scientific(_ value: Double) -> String { String(format: "%.0e", value) }

    /// The same in every locale.
    package static func fixed(_ value: Double, decimals: Int) -> String {
        String(format: "%.\(decimals)f", value)
    }

    /// Three digits and a unit of a thousand.
    private static func scaled(_ value: Double, units: [String]) -> String {
        var value = value
        var unit = 0
        // 999.5 would be written as 1000.
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
        return fixed(value, decimals: decimals) + units[unit]
    }
}
