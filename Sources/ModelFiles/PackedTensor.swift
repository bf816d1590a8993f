import PowerOfTwo

/// A weight tensor in SmartDeal form inside a compressed safetensors file, format version 1.
///
/// For a tensor `name` the file has `name.symbols` (U8), `name.mask` (U8, only when rows are
/// dropped), `name.group_mask` (U8 `[groups, bytes]`, only when positions are), `name.basis` (I8 or
/// F32 `[bases, rank, width]`) and `name.basis_scale` (F16 `[filters, slices]`). How they belong
/// together is one line of the file's metadata under `smartdeal.weight.name`:
///
///     dtype=F32 shape=64,64,3,3 unit=3 width=3 nibbles=3 slice=192 share=32 layout=kept
///     alphabet=4x4 exponent=-19
///
/// and the alphabet is spelt out under `smartdeal.alphabet.4x4`, a symbol a word.
public struct PackedTensor: Sendable {
    /// The version of the format that this code writes, and the only one that it reads.
    public static let formatVersion = "1"
    /// What the names of its parts end in.
    public static let suffixes = [".symbols", ".mask", ".group_mask", ".basis", ".basis_scale"]
    static let versionKey = "smartdeal.version"
    static let weightPrefix = "smartdeal.weight."
    static let alphabetPrefix = "smartdeal.alphabet."

    /// The name of the dense tensor.
    public let name: String
    /// The element type that it had, and is restored to.
    public let elementType: ElementType
    public let geometry: WeightGeometry
    public let alphabet: Alphabet
    /// The tensors of the file that hold it.
    public let parts: [Checkpoint.Tensor]
    private let scaleExponent: Int

    /// Bytes of its parts.
    public var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }

    /// Reads its parts.
    ///
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight`, naming the tensor and what is wrong.
    public func weight(in checkpoint: Checkpoint) throws -> SmartDealWeight {
        func bytes(_ suffix: String) -> [UInt8]? {
            parts.first { $0.name == name + suffix }.map { part in
                checkpoint.withBytes(of: part) { Array($0) }
            }
        }
        do {
            let basisType = parts.first { $0.name == name + ".basis" }?.elementType
            let basisBytes = bytes(".basis") ?? []
            let basis: Basis =
                basisType == .f32
                ? .float32(
                    basisBytes.withUnsafeBytes { WeightConversion.floats(from: $0, as: .f32) })
                : .int8(basisBytes.map { Int8(bitPattern: $0) })
            let scales = try bytes(".basis_scale").map { bytes in
                try FilterScales(
                    halves: stride(from: 0, to: bytes.count, by: 2).map {
                        UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
                    }, exponent: scaleExponent)
            }
            return try SmartDealWeight(
                geometry: geometry, alphabet: alphabet, symbols: bytes(".symbols") ?? [],
                rowMask: bytes(".mask"), groupMask: bytes(".group_mask"), basis: basis,
                scales: scales)
        } catch let error as PowerOfTwoError {
            throw ModelFileError(
                code: .invalidPackedWeight, message: error.message, path: checkpoint.path,
                tensor: name)
        }
    }
}

extension ModelFileError.Code {
    /// A file of a SmartDeal format version that this code does not read.
    public static let unknownFormatVersion = Self(rawValue: "unknown-format-version")
    /// A compressed weight that contradicts itself.
    public static let invalidPackedWeight = Self(rawValue: "invalid-packed-weight")
}

extension PackedTensor {
    /// Appends the parts of `weight` to a file.
    ///
    /// - Returns: the metadata that the file needs for it.
    public static func append(
        _ weight: SmartDealWeight, name: String, elementType: ElementType,
        to writer: SafetensorsWriter
    ) throws -> [String: String] {
        let geometry = weight.geometry
        try writer.append(
            name: name + ".symbols", elementType: .u8, shape: [weight.symbols.count],
            bytes: weight.symbols)
        if let mask = weight.rowMask {
            try writer.append(
                name: name + ".mask", elementType: .u8, shape: [mask.count], bytes: mask)
        }
        if let mask = weight.groupMask {
            try writer.append(
                name: name + ".group_mask", elementType: .u8,
                shape: [geometry.groupCount, mask.count / geometry.groupCount], bytes: mask)
        }
        let basisShape = [geometry.basisCount, weight.rank, geometry.width]
        switch weight.basis {
        case .int8(let elements):
            try writer.append(
                name: name + ".basis", elementType: .i8, shape: basisShape,
                bytes: elements.map { UInt8(bitPattern: $0) })
        case .float32(let elements):
            try writer.append(
                name: name + ".basis", elementType: .f32, shape: basisShape,
                bytes: WeightConversion.bytes(from: elements, as: .f32))
        }
        if let scales = weight.scales {
            try writer.append(
                name: name + ".basis_scale", elementType: .f16,
                shape: [geometry.filterCount, geometry.sliceCount],
                bytes: scales.halves.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        }
        let words = [
            "dtype=\(elementType.rawValue)",
            "shape=\(geometry.shape.map(String.init).joined(separator: ","))",
            "unit=\(geometry.unit)", "width=\(geometry.width)", "nibbles=\(geometry.nibbles)",
            "slice=\(geometry.rowsPerSlice)", "share=\(geometry.filtersPerBasis)",
            "layout=\(geometry.layout.rawValue)", "alphabet=\(weight.alphabet.name)",
            "exponent=\(weight.scales?.exponent ?? 0)",
        ]
        return [
            versionKey: formatVersion,
            weightPrefix + name: words.joined(separator: " "),
            alphabetPrefix + weight.alphabet.name: text(of: weight.alphabet),
        ]
    }

    private static func text(of alphabet: Alphabet) -> String {
        (0..<alphabet.symbolCount).map { symbol in
            alphabet[symbol].map { $0 == $0.rounded() ? String(Int($0)) : String($0) }
                .joined(separator: ",")
        }.joined(separator: " ")
    }

    /// The compressed weights of a file by name, none for a file that is not compressed.
    ///
    /// - Throws: ``ModelFileError`` `.unknownFormatVersion`, or `.invalidPackedWeight` for metadata
    ///   or parts that are missing or contradict each other.
    static func all(in checkpoint: Checkpoint) throws -> [String: PackedTensor] {
        guard let version = checkpoint.metadata[versionKey] else { return [:] }
        guard version == formatVersion else {
            throw ModelFileError(
                code: .unknownFormatVersion,
                message: "the file has SmartDeal format \(version); "
                    + "this program reads format \(formatVersion)",
                path: checkpoint.path)
        }
        let tensors = Dictionary(
            checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var result: [String: PackedTensor] = [:]
        // In a fixed order, so that of several errors the same one is reported.
        for (key, line) in checkpoint.metadata.sorted(by: { $0.key < $1.key })
        where key.hasPrefix(weightPrefix) {
            let name = String(key.dropFirst(weightPrefix.count))
            result[name] = try PackedTensor(
                name: name, line: line, tensors: tensors, checkpoint: checkpoint)
        }
        return result
    }

    private init(
        name: String, line: String, tensors: [String: Checkpoint.Tensor], checkpoint: Checkpoint
    ) throws {
        func invalid(_ message: String) -> ModelFileError {
            ModelFileError(
                code: .invalidPackedWeight, message: message, path: checkpoint.path, tensor: name)
        }
        var values: [Substring: Substring] = [:]
        for word in line.split(separator: " ") {
            let sides = word.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else { throw invalid("'\(word)' is not key=value") }
            values[sides[0]] = sides[1]
        }
        func value(_ key: Substring) throws -> Substring {
            guard let value = values[key] else { throw invalid("its description has no '\(key)'") }
            return value
        }
        func number(_ key: Substring) throws -> Int {
            let text = try value(key)
            guard let number = Int(text) else { throw invalid("\(key)='\(text)' is no integer") }
            return number
        }
        let typeName = try value("dtype")
        guard let elementType = ElementType(rawValue: String(typeName)), elementType.isWeightType
        else { throw invalid("dtype \(typeName) is not F32, F16 or BF16") }
        let shape = try value("shape").split(separator: ",").map { text in
            guard let number = Int(text) else { throw invalid("shape has '\(text)'") }
            return number
        }
        guard let layout = WeightGeometry.Layout(rawValue: String(try value("layout"))) else {
            throw invalid("layout is neither full nor kept")
        }
        do {
            geometry = try WeightGeometry(
                shape: shape, unit: number("unit"), width: number("width"),
                nibbles: number("nibbles"), rowsPerSlice: number("slice"),
                filtersPerBasis: number("share"), layout: layout)
            alphabet = try Self.alphabet(named: String(value("alphabet")), in: checkpoint)
        } catch let error as PowerOfTwoError {
            throw invalid(error.message)
        }
        self.name = name
        self.elementType = elementType
        scaleExponent = try number("exponent")

        var parts: [Checkpoint.Tensor] = []
        func part(_ suffix: String, _ types: [ElementType], isOptional: Bool = false) throws {
            guard let tensor = tensors[name + suffix] else {
                if isOptional { return }
                throw invalid("the file has no '\(name)\(suffix)'")
            }
            guard types.contains(tensor.elementType) else {
                throw invalid(
                    "'\(tensor.name)' is \(tensor.elementType.rawValue), expected "
                        + types.map(\.rawValue).joined(separator: " or "))
            }
            parts.append(tensor)
        }
        try part(".symbols", [.u8])
        try part(".mask", [.u8], isOptional: true)
        try part(".group_mask", [.u8], isOptional: true)
        try part(".basis", [.i8, .f32])
        try part(".basis_scale", [.f16], isOptional: true)
        self.parts = parts
    }

    private static func alphabet(
        named name: String, in checkpoint: Checkpoint
    ) throws -> Alphabet {
        guard let text = checkpoint.metadata[alphabetPrefix + name] else {
            throw PowerOfTwoError(
                .invalidAlphabet, "the file does not spell out alphabet '\(name)'")
        }
        return try Alphabet(
            name: name,
            symbols: text.split(separator: " ").map { word in
                try word.split(separator: ",").map { number in
                    guard let value = Double(number) else {
                        throw PowerOfTwoError(.invalidAlphabet, "alphabet has '\(number)'")
                    }
                    return value
                }
            })
    }
}
