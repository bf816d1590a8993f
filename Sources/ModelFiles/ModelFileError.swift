#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is wrong with a model file, or why it could not be read or written.
public struct ModelFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of error: a stable name that scripts may compare.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name as it is printed, such as `invalid-header`.
        public let rawValue: String

        /// Makes a code from its printed name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The file is missing, or the system refuses to open, map or read it.
        public static let unreadableFile = Code(rawValue: "unreadable-file")
        /// The path names a folder or a device where a regular file is needed.
        public static let notAFile = Code(rawValue: "not-a-file")
        /// The file has no bytes.
        public static let emptyFile = Code(rawValue: "empty-file")
        /// The content is neither safetensors nor an index of safetensors files.
        public static let unknownFormat = Code(rawValue: "unknown-format")
        /// The file is shorter than the eight bytes of the header's length.
        public static let headerTooSmall = Code(rawValue: "header-too-small")
        /// The header, or what it lists, is over the limit of the format or of this reader.
        public static let headerTooLarge = Code(rawValue: "header-too-large")
        /// The header's length points past the end of the file.
        public static let invalidHeaderLength = Code(rawValue: "invalid-header-length")
        /// The header is not UTF-8.
        public static let invalidUTF8 = Code(rawValue: "invalid-utf8")
        /// The header is not the JSON that the format asks for.
        public static let invalidHeader = Code(rawValue: "invalid-header")
        /// A name occurs twice: a JSON key, or a tensor in two files or two appends.
        public static let duplicateName = Code(rawValue: "duplicate-name")
        /// A `dtype` this reader does not know.
        public static let unknownElementType = Code(rawValue: "unknown-element-type")
        /// Tensors overlap, leave a hole, end before they begin, or do not begin at 0.
        public static let invalidOffset = Code(rawValue: "invalid-offset")
        /// The size of a tensor overflows 64 bits, or it has too many dimensions.
        public static let shapeOverflow = Code(rawValue: "shape-overflow")
        /// A tensor of elements below one byte does not fill whole bytes.
        public static let misalignedTensor = Code(rawValue: "misaligned-tensor")
        /// The bytes of a tensor are not those of its shape and element type.
        public static let wrongTensorSize = Code(rawValue: "wrong-tensor-size")
        /// The file is shorter or longer than its header promises.
        public static let wrongFileSize = Code(rawValue: "wrong-file-size")
        /// The index of a sharded checkpoint is not the JSON it should be.
        public static let invalidIndex = Code(rawValue: "invalid-index")
        /// The index names a shard outside its own folder.
        public static let unsafeShardPath = Code(rawValue: "unsafe-shard-path")
        /// The index lists a tensor that its shard does not hold.
        public static let missingTensor = Code(rawValue: "missing-tensor")
        /// A shard holds a tensor that the index does not list.
        public static let unlistedTensor = Code(rawValue: "unlisted-tensor")
        /// The target cannot be written, or writing failed.
        public static let cannotWrite = Code(rawValue: "cannot-write")
        /// The spool file does not hold the tensors that writing should resume after.
        public static let spoolMismatch = Code(rawValue: "spool-mismatch")
    }

    /// The kind of error.
    public let code: Code
    /// The values found and the rule they break.
    public let message: String
    /// The file, as the caller named it.
    public let path: String?
    /// The tensor, if the error is about one.
    public let tensor: String?

    /// Makes an error about a file, or about one tensor of it.
    public init(code: Code, message: String, path: String? = nil, tensor: String? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.tensor = tensor
    }

    /// The whole error on one line: `code in 'file', tensor 'name': message`.
    public var description: String {
        let places = [
            path.map { "'\(printable($0))'" },
            tensor.map { "tensor '\(printable($0))'" },
        ].compactMap(\.self)
        let place = places.isEmpty ? "" : " in " + places.joined(separator: ", ")
        return "\(code.rawValue)\(place): \(message)"
    }

    /// The error of a system call that has just failed: `doing` and the system's reason.
    static func system(
        _ code: Code, _ doing: String, path: String, number: CInt = errno
    ) -> ModelFileError {
        ModelFileError(
            code: code, message: "\(doing): \(String(cString: strerror(number)))", path: path)
    }
}

/// Text from a file, made safe to print: control characters escaped, at most 200 characters.
///
/// A name inside a hostile file must not be able to drive the terminal or fill a log.
func printable(_ text: String) -> String {
    var result = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == 200 { return result + "..." }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            result += "\\u{" + String(scalar.value, radix: 16) + "}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
