import PowerOfTwo

/// What a file says about a weight in SmartDeal form beside its bytes: one line of metadata under
/// `smartdeal.weight.NAME`, of `key=value` words.
///
///     dtype=F32 shape=64,64,3,3 unit=3 width=3 nibbles=3 slice=192 share=32 layout=kept
///     alphabet=4x4 exponent=-19
///
/// The alphabet is spelt out under `smartdeal.alphabet.4x4`, a symbol a word. ONNX files add
/// `id=3`, which names of values begin with, and `transposed=1` where the model has the transpose.
struct PackedDescription: Sendable {
    /// The version of the format that this code writes, and the only one that it reads.
    static let formatVersion = "1"
    static let versionKey = "smartdeal.version"
    static let weightPrefix = "smartdeal.weight."
    static let alphabetPrefix = "smartdeal.alphabet."

    /// The element type that the dense tensor had, and is restored to.
    let elementType: ElementType
    let geometry: WeightGeometry
    let alphabet: Alphabet
    let scaleExponent: Int
    var isTransposed = false
    var id: Int?

    init(_ weight: SmartDealWeight, elementType: ElementType) {
        self.elementType = elementType
        geometry = weight.geometry
        alphabet = weight.alphabet
        scaleExponent = weight.scales?.exponent ?? 0
    }

    /// Reads a description from the metadata of a file.
    ///
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight`, naming the tensor and what is wrong.
    init(of name: String, line: String, metadata: [String: String], path: String) throws {
        func invalid(_ message: String) -> ModelFileError {
            .invalidPackedWeight(message, path: path, tensor: name)
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
            alphabet = try Alphabet(named: String(value("alphabet")), in: metadata)
        } catch let error as PowerOfTwoError {
            throw invalid(error.message)
        }
        self.elementType = elementType
        scaleExponent = try number("exponent")
        isTransposed = values["transposed"] == "1"
        guard !isTransposed || shape.count == 2 else {
            throw invalid("it is transposed, but its shape is \(shape)")
        }
        id = values["id"] == nil ? nil : try number("id")
    }

    /// The line.
    var line: String {
        var words = [
            "dtype=\(elementType.rawValue)",
            "shape=\(geometry.shape.map(String.init).joined(separator: ","))",
            "unit=\(geometry.unit)", "width=\(geometry.width)", "nibbles=\(geometry.nibbles)",
            "slice=\(geometry.rowsPerSlice)", "share=\(geometry.filtersPerBasis)",
            "layout=\(geometry.layout.rawValue)", "alphabet=\(alphabet.name)",
            "exponent=\(scaleExponent)",
        ]
        if let id { words.append("id=\(id)") }
        if isTransposed { words.append("transposed=1") }
        return words.joined(separator: " ")
    }

    /// The metadata that a file needs for the weight `name`.
    func metadata(for name: String) -> [String: String] {
        [
            Self.versionKey: Self.formatVersion,
            Self.weightPrefix + name: line,
            Self.alphabetPrefix + alphabet.name: alphabet.text,
        ]
    }

    /// The names and lines of the weights that a file's metadata describes, in a fixed order so
    /// that of several errors the same one is reported; none for a file that is not compressed.
    ///
    /// - Throws: ``ModelFileError`` `.unknownFormatVersion`.
    static func lines(
        in metadata: [String: String], path: String
    ) throws -> [(name: String, line: String)] {
        guard let version = metadata[versionKey] else { return [] }
        guard version == formatVersion else {
            throw ModelFileError(
                code: .unknownFormatVersion,
                message: "the file has SmartDeal format \(version); "
                    + "this program reads format \(formatVersion)",
                path: path)
        }
        return metadata.sorted { $0.key < $1.key }.compactMap { key, value in
            guard key.hasPrefix(weightPrefix) else { return nil }
            return (name: String(key.dropFirst(weightPrefix.count)), line: value)
        }
    }
}

extension ModelFileError {
    /// A compressed weight that contradicts itself.
    static func invalidPackedWeight(_ message: String, path: String, tensor: String) -> Self {
        ModelFileError(code: .invalidPackedWeight, message: message, path: path, tensor: tensor)
    }
}

extension ModelFileError.Code {
    /// A file of a SmartDeal format version that this code does not read.
    public static let unknownFormatVersion = Self(rawValue: "unknown-format-version")
    /// A compressed weight that contradicts itself.
    public static let invalidPackedWeight = Self(rawValue: "invalid-packed-weight")
}

extension Alphabet {
    /// Its symbols as a file spells them out.
    fileprivate var text: String {
        (0..<symbolCount).map { symbol in
            self[symbol].map(Self.text).joined(separator: ",")
        }.joined(separator: " ")
    }

    private static func text(_ value: Double) -> String {
        let isInteger = abs(value) < 0x1p53 && value == value.rounded()
        return isInteger ? String(Int(value)) : String(value)
    }

    fileprivate init(named name: String, in metadata: [String: String]) throws {
        guard let text = metadata[PackedDescription.alphabetPrefix + name] else {
            throw PowerOfTwoError(
                .invalidAlphabet, "the file does not spell out alphabet '\(name)'")
        }
        try self.init(
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
