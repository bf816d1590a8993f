/// A strict reader of the JSON in headers and indexes, working on bytes.
///
/// Foundation's readers do not do: of two equal keys one silently keeps the first and the other
/// the last, and `1.0` passes for an integer. Here equal keys are an error, numbers are integers
/// where integers are asked for, and nesting is limited, so that no file can exhaust the stack.
///
/// The bytes must be UTF-8 already (`invalidUTF8Offset(in:)`) and outlive the scanner.
struct JSONScanner {
    /// The deepest nesting accepted; that of the reference reader's JSON library.
    static let maximumDepth = 128

    /// The tensor that errors are about, while an entry is being read.
    var tensor: String?

    private let bytes: UnsafeRawBufferPointer
    private let document: String
    private let code: ModelFileError.Code
    private let path: String
    private var position = 0
    private var depth = 0

    /// A scanner at the start of `bytes`; `document` is what messages call the text.
    init(_ bytes: UnsafeRawBufferPointer, document: String, code: ModelFileError.Code, path: String)
    {
        self.bytes = bytes
        self.document = document
        self.code = code
        self.path = path
    }

    /// Reads an object; `member` is called after each key and must read or skip its value.
    mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
        try open("{")
        var seen = SeenKeys()
        if !accept("}") {
            repeat {
                skipWhitespace()
                let key = try string()
                guard seen.insert(key) else {
                    throw error("key '\(printable(key))' occurs twice", code: .duplicateName)
                }
                try expect(":")
                try member(&self, key)
            } while accept(",")
            try expect("}")
        }
        depth -= 1
    }

    /// Reads an array; `element` is called for each element and must read or skip it.
    mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
        try open("[")
        if !accept("]") {
            repeat {
                try element(&self)
            } while accept(",")
            try expect("]")
        }
        depth -= 1
    }

    /// Reads a string.
    mutating func string() throws -> String {
        let (start, hasEscapes) = try skipString()
        let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position - 1])
        return try hasEscapes ? unescaped(text) : String(decoding: text, as: UTF8.self)
    }

    /// Reads an integer written as digits alone: no sign, fraction, exponent or leading zero.
    mutating func unsignedInteger() throws -> Int {
        skipWhitespace()
        let start = position
        var value = 0
        while let byte = peek(), isDigit(byte) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else {
                throw error("the number at byte \(start) of the \(document) is over \(Int.max)")
            }
            value = sum
            position += 1
        }
        guard position > start else { throw expected("an unsigned integer") }
        guard position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
            throw error("the number at byte \(start) of the \(document) has a leading zero")
        }
        if let byte = peek(), [".", "e", "E"].contains(Unicode.Scalar(byte)) {
            throw expected("an unsigned integer, which has no fraction and no exponent")
        }
        return value
    }

    /// Reads a value of any kind and forgets it.
    mutating func skipValue() throws {
        skipWhitespace()
        switch peek().map({ Unicode.Scalar($0) }) {
        case "{": try object { scanner, _ in try scanner.skipValue() }
        case "[": try array { scanner in try scanner.skipValue() }
        case "\"": _ = try skipString()
        case "t": try skipLiteral("true")
        case "f": try skipLiteral("false")
        case "n": try skipLiteral("null")
        default: try skipNumber()
        }
    }

    /// Checks that nothing but whitespace is left.
    mutating func end() throws {
        skipWhitespace()
        guard position == bytes.count else { throw expected("nothing more") }
    }

    /// An error about the text, naming the tensor being read.
    func error(_ message: String, code: ModelFileError.Code? = nil) -> ModelFileError {
        ModelFileError(code: code ?? self.code, message: message, path: path, tensor: tensor)
    }

    // MARK: Tokens

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipWhitespace() {
        while let byte = peek(), isJSONWhitespace(byte) { position += 1 }
    }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        skipWhitespace()
        guard let byte = peek(), Unicode.Scalar(byte) == scalar else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ scalar: Unicode.Scalar) throws {
        guard accept(scalar) else { throw expected("'\(scalar)'") }
    }

    private mutating func open(_ bracket: Unicode.Scalar) throws {
        try expect(bracket)
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw error(
                "nested deeper than \(Self.maximumDepth) at byte \(position - 1) of the \(document)"
            )
        }
    }

    private func expected(_ what: String) -> ModelFileError {
        let found =
            switch peek() {
            case nil: "its end"
            case let byte? where 0x21...0x7E ~= byte: "'\(Unicode.Scalar(byte))'"
            case let byte?: "byte 0x" + String(byte, radix: 16)
            }
        return error("expected \(what) at byte \(position) of the \(document), found \(found)")
    }

    /// Moves past a string without decoding it; the text starts at `start` and ends before the
    /// closing quote, which is at `position - 1`.
    private mutating func skipString() throws -> (start: Int, hasEscapes: Bool) {
        try expect("\"")
        let start = position
        var hasEscapes = false
        while let byte = peek(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
                try skipEscape()
            } else {
                guard byte >= 0x20 else { throw expected("no bare control character in a string") }
                position += 1
            }
        }
        try expect("\"")
        return (start, hasEscapes)
    }

    private mutating func skipEscape() throws {
        switch peek().map({ Unicode.Scalar($0) }) {
        case "\"", "\\", "/", "b", "f", "n", "r", "t":
            position += 1
        case "u":
            position += 1
            for _ in 0..<4 {
                guard let byte = peek(), hexValue(byte) != nil else {
                    throw expected("four hexadecimal digits after \\u")
                }
                position += 1
            }
        default:
            throw expected("an escape")
        }
    }

    private mutating func skipLiteral(_ literal: StaticString) throws {
        for offset in 0..<literal.utf8CodeUnitCount {
            guard peek() == literal.utf8Start[offset] else { throw expected("'\(literal)'") }
            position += 1
        }
    }

    private mutating func skipNumber() throws {
        if peek() == UInt8(ascii: "-") { position += 1 }
        let start = position
        try skipDigits("a value")
        guard position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
            throw error("the number at byte \(start) of the \(document) has a leading zero")
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            try skipDigits("digits after the point")
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            try skipDigits("digits of the exponent")
        }
    }

    private mutating func skipDigits(_ what: String) throws {
        guard let first = peek(), isDigit(first) else { throw expected(what) }
        while let byte = peek(), isDigit(byte) { position += 1 }
    }

    // MARK: Escapes

    /// The text of a string whose escapes `skipEscape` has found to be well formed.
    private func unescaped(_ text: UnsafeRawBufferPointer) throws -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\") else {
                result.append(text[index])
                index += 1
                continue
            }
            let letter = Unicode.Scalar(text[index + 1])
            index += 2
            switch letter {
            case "b": result.append(0x08)
            case "f": result.append(0x0C)
            case "n": result.append(0x0A)
            case "r": result.append(0x0D)
            case "t": result.append(0x09)
            case "u": result.append(contentsOf: try unicodeEscape(in: text, at: &index).utf8)
            default: result.append(UInt8(ascii: letter))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The scalar of `\uXXXX`, or of a surrogate pair of two; `index` is at the digits.
    private func unicodeEscape(
        in text: UnsafeRawBufferPointer, at index: inout Int
    ) throws -> String {
        let unit = codeUnit(in: text, at: index)
        index += 4
        if let scalar = Unicode.Scalar(unit) { return String(scalar) }
        if 0xD800..<0xDC00 ~= unit, index + 6 <= text.count,
            text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u")
        {
            let low = codeUnit(in: text, at: index + 2)
            if 0xDC00..<0xE000 ~= low,
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            {
                index += 6
                return String(scalar)
            }
        }
        throw error("a string before byte \(position) of the \(document) has half a surrogate pair")
    }

    private func codeUnit(in text: UnsafeRawBufferPointer, at index: Int) -> UInt32 {
        text[index..<index + 4].reduce(0) { $0 << 4 | UInt32(hexValue($1) ?? 0) }
    }
}

/// The offset of the first byte that is not part of valid UTF-8, or nil if all are.
func invalidUTF8Offset(in bytes: UnsafeRawBufferPointer) -> Int? {
    var index = 0
    while index < bytes.count {
        if index + 8 <= bytes.count,
            bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            index += 8
            continue
        }
        let lead = bytes[index]
        if lead < 0x80 {
            index += 1
            continue
        }
        // The second byte's range excludes overlong forms, surrogates and what is past U+10FFFF.
        let (length, second): (Int, ClosedRange<UInt8>)
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return index
        }
        guard index + length <= bytes.count, second ~= bytes[index + 1],
            bytes[index + 2..<index + length].allSatisfy({ 0x80...0xBF ~= $0 })
        else { return index }
        index += length
    }
    return nil
}

/// Whether JSON takes the byte as whitespace between tokens.
func isJSONWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
}

private func isDigit(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}

/// The keys of one object so far: a list while there are few, as in every tensor's entry.
private struct SeenKeys {
    private var few: [String] = []
    private var many: Set<String> = []

    /// Remembers the key; false if it was there already.
    mutating func insert(_ key: String) -> Bool {
        if few.count < 8 {
            guard !few.contains(key) else { return false }
            few.append(key)
            if few.count == 8 { many = Set(few) }
            return true
        }
        return many.insert(key).inserted
    }
}
