extension String {
    /// The text as it can stand in an element or in an attribute in double quotes.
    ///
    /// Characters that XML forbids or that no one can see (controls, changes of direction, breaks
    /// of lines) are written out, as `\u{202E}`.
    var htmlEscaped: String {
        var escaped = ""
        escaped.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case _ where scalar.isInvisible:
                escaped += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The text with at most 90 characters: its first 50 and its last 39.
    var shortened: String {
        guard unicodeScalars.count > 90 else { return self }
        return String(unicodeScalars.prefix(50)) + "\u{2026}" + String(unicodeScalars.suffix(39))
    }
}

extension Unicode.Scalar {
    fileprivate var isInvisible: Bool {
        guard !isASCII else { return value < 0x20 || value == 0x7F }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return properties.isNoncharacterCodePoint
        }
    }
}
