/// What the first bytes of a file say it is.
enum ModelFormat: Equatable {
    case safetensors
    case json
    case onnx
    case other(guess: String?)

    init(of bytes: UnsafeRawBufferPointer) {
        // Lengths that the format allows have zeros here, and JSON has no zero byte anywhere.
        let isLength = bytes.count >= 8 && bytes[4..<8].allSatisfy { $0 == 0 }
        if isLength {
            self = .safetensors
        } else if Self.opensObject(bytes[...]) {
            self = .json
        } else if bytes.count >= 8 && Self.opensObject(bytes[8...]) {
            self = .safetensors  // A length over the limit, which reading the header will report.
        } else if ONNXModel.looksLikeONNX(bytes) {
            self = .onnx
        } else if let guess = Self.guess(bytes) {
            self = .other(guess: guess)
        } else {
            self = bytes.count < 8 ? .safetensors : .other(guess: nil)
        }
    }

    /// What it looks like, when it is no safetensors file.
    var guess: String? {
        switch self {
        case .safetensors, .json: nil
        case .onnx: "an ONNX model (protobuf)"
        case .other(let guess): guess
        }
    }

    private static func opensObject(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.first { !isJSONWhitespace($0) } == UInt8(ascii: "{")
    }

    private static func guess(_ bytes: UnsafeRawBufferPointer) -> String? {
        let signatures: [([UInt8], String)] = [
            (Array("PK\u{3}\u{4}".utf8), "a zip archive, such as PyTorch or NumPy save"),
            (Array("GGUF".utf8), "a GGUF file"),
            ([0x89] + Array("HDF".utf8), "an HDF5 file"),
            ([0x93] + Array("NUMPY".utf8), "a NumPy array"),
            ([0x1F, 0x8B], "a gzip file"),
            ([0x80, 0x02], "a Python pickle, such as old PyTorch saves"),
            ([0x80, 0x04], "a Python pickle"),
        ]
        return signatures.first { bytes.starts(with: $0.0) }?.1
    }
}
