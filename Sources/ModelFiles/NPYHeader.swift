/// The header of an NPY file: a Python dictionary that says what the bytes after it are.
///
/// Source: the format's definition in numpy/lib/format.py, versions 1.0 to 3.0.
struct NPYHeader {
    /// The element types that are read, under NumPy's names without the byte order.
    enum Element: String, CaseIterable {
        case f2, f4, f8, i1, i2, i4, i8, u1, u2, u4
        case bool = "b1"

        /// Bytes of one element.
        var byteCount: Int {
            switch self {
            case .i1, .u1, .bool: 1
            case .f2, .i2, .u2: 2
            case .f4, .i4, .u4: 4
            case .f8, .i8: 8
            }
        }
    }

    /// The first bytes of every NPY file.
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// NumPy allows no more dimensions.
    static let maximumRank = 64

    let element: Element
    let isBigEndian: Bool
    /// Whether the first index runs fastest.
    let isFortranOrder: Bool
    let shape: [Int]
    /// Where the elements begin.
    let dataOffset: Int
    /// The product of the shape; it times 8 does not overflow.
    let count: Int

    /// Reads the header at the start of a file and checks the file's size against it.
    init(parsing file: UnsafeRawBufferPointer, path: String) throws {
        func refusal(_ code: ModelFileError.Code, _ message: String) -> ModelFileError {
            ModelFileError(code: code, message: message, path: path)
        }
        guard file.count >= 10, file.prefix(6).elementsEqual(Self.magic) else {
            throw refusal(.unknownFormat, "it does not begin like an NPY file")
        }
        guard 1...3 ~= file[6] else {
            throw refusal(
                .unknownFormat, "NPY version \(file[6]).\(file[7]); versions 1 to 3 are read")
        }
        let textOffset = file[6] == 1 ? 10 : 12
        guard file.count >= textOffset else {
            throw refusal(.headerTooSmall, "the file ends in the length of its header")
        }
        let length = file[8..<textOffset].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= file.count - textOffset else {
            throw refusal(
                .invalidHeaderLength,
                "the header has \(length) bytes, the file only \(file.count - textOffset) for it")
        }
        dataOffset = textOffset + length
        var literal = PythonLiteral(
            UnsafeRawBufferPointer(rebasing: file[textOffset..<dataOffset]), path: path)
        let fields = try literal.header()
        shape = fields.shape
        isFortranOrder = fields.isFortranOrder

        let order = fields.type.first
        guard let order, "<>|".contains(order),
            let element = Element(rawValue: String(fields.type.dropFirst())),
            order != "|" || element.byteCount == 1
        else {
            let known = Element.allCases.map(\.rawValue).joined(separator: ", ")
            throw refusal(
                .unknownElementType,
                "elements are '\(printable(fields.type))'; those read are \(known)")
        }
        self.element = element
        isBigEndian = order == ">"

        guard shape.count <= Self.maximumRank else {
            throw refusal(
                .shapeOverflow, "\(shape.count) dimensions, at most \(Self.maximumRank) are read")
        }
        // Zeros are left out here so that no partial product of the shape overflows either.
        guard Self.product(of: shape.map { max($0, 1) } + [8]) != nil else {
            throw refusal(.shapeOverflow, "shape \(shape) is too large")
        }
        count = shape.reduce(1, *)
        let (expected, found) = (count * element.byteCount, file.count - dataOffset)
        guard found == expected else {
            throw refusal(
                .wrongFileSize,
                "shape \(shape) of \(element.rawValue) needs \(expected) bytes after the header, "
                    + "found \(found)")
        }
    }

    private static func product(of factors: [Int]) -> Int? {
        var product = 1
        for factor in factors {
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            product = next
        }
        return product
    }
}

/// The Python that is found in an NPY header, and no other.
private struct PythonLiteral {
    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer, path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, keys in any order.
    mutating func header() throws -> (type: String, isFortranOrder: Bool, shape: [Int]) {
        var type: String?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !accept("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where type == nil:
                guard peek() != UInt8(ascii: "[") else {
                    throw error("records of several fields are not read", .unknownElementType)
                }
                type = try string()
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try truth()
            case "shape" where shape == nil: shape = try tuple()
            default: throw error("key '\(printable(key))' is unknown or occurs twice")
            }
            if !accept(",") {
                try expect("}")
                break
            }
        }
        guard peek() == nil else { throw expected("nothing more") }
        guard let type, let isFortranOrder, let shape else {
            throw error("the header lacks one of the keys descr, fortran_order and shape")
        }
        return (type, isFortranOrder, shape)
    }

    private mutating func tuple() throws -> [Int] {
        var values: [Int] = []
        try expect("(")
        while !accept(")") {
            values.append(try unsignedInteger())
            if !accept(",") {
                try expect(")")
                break
            }
        }
        return values
    }

    private mutating func unsignedInteger() throws -> Int {
        guard let first = peek(), 0x30...0x39 ~= first else { throw expected("a number") }
        var value = 0
        while position < bytes.count, 0x30...0x39 ~= bytes[position] {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
            guard !overflow, !carry else {
                throw error("a dimension is over \(Int.max)", .shapeOverflow)
            }
            value = sum
            position += 1
        }
        return value
    }

    private mutating func string() throws -> String {
        guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw expected("a string")
        }
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != quote { position += 1 }
        guard position < bytes.count else { throw expected("a closing quote") }
        position += 1
        return String(decoding: bytes[start..<position - 1], as: UTF8.self)
    }

    private mutating func truth() throws -> Bool {
        _ = peek()
        for (word, value) in [("True", true), ("False", false)]
        where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw expected("True or False")
    }

    /// The next byte that is no white space.
    private mutating func peek() -> UInt8? {
        while position < bytes.count, isJSONWhitespace(bytes[position]) { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ scalar: Unicode.Scalar) throws {
        guard accept(scalar) else { throw expected("'\(scalar)'") }
    }

    private func expected(_ what: String) -> ModelFileError {
        error("expected \(what) at byte \(position) of the header")
    }

    private func error(
        _ message: String, _ code: ModelFileError.Code = .invalidHeader
    ) -> ModelFileError {
        ModelFileError(code: code, message: message, path: path)
    }
}
