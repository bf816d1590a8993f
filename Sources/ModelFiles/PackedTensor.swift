import PowerOfTwo

/// A weight tensor in SmartDeal form inside a compressed safetensors file, format version 1.
///
/// For a tensor `name` the file has `name.symbols` (U8), `name.mask` (U8, only when rows are
/// dropped), `name.group_mask` (U8 `[groups, bytes]`, only when positions are), `name.basis` (I8 or
/// F32 `[bases, rank, width]`) and `name.basis_scale` (F16 `[filters, slices]`). How they belong
/// together, a `PackedDescription` in the file's metadata says.
public struct PackedTensor: Sendable {
    /// The version of the format that this code writes, and the only one that it reads.
    public static let formatVersion = PackedDescription.formatVersion
    /// What the names of its parts end in.
    public static let suffixes = [".symbols", ".mask", ".group_mask", ".basis", ".basis_scale"]

    /// The name of the dense tensor.
    public let name: String
    private let description: PackedDescription
    /// The tensors of the file that hold it.
    public let parts: [Checkpoint.Tensor]

    /// The element type that it had, and is restored to.
    public var elementType: ElementType { description.elementType }
    public var geometry: WeightGeometry { description.geometry }
    public var alphabet: Alphabet { description.alphabet }

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
                    }, exponent: description.scaleExponent)
            }
            return try SmartDealWeight(
                geometry: geometry, alphabet: alphabet, symbols: bytes(".symbols") ?? [],
                rowMask: bytes(".mask"), groupMask: bytes(".group_mask"), basis: basis,
                scales: scales)
        } catch let error as PowerOfTwoError {
            throw ModelFileError.invalidPackedWeight(
                error.message, path: checkpoint.path, tensor: name)
        }
    }
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
        return PackedDescription(weight, elementType: elementType).metadata(for: name)
    }

    /// The compressed weights of a file by name, none for a file that is not compressed.
    ///
    /// - Throws: ``ModelFileError`` `.unknownFormatVersion`, or `.invalidPackedWeight` for metadata
    ///   or parts that are missing or contradict each other.
    static func all(in checkpoint: Checkpoint) throws -> [String: PackedTensor] {
        let tensors = Dictionary(
            checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var result: [String: PackedTensor] = [:]
        let lines = try PackedDescription.lines(in: checkpoint.metadata, path: checkpoint.path)
        for (name, line) in lines {
            result[name] = try PackedTensor(
                name: name, line: line, tensors: tensors, checkpoint: checkpoint)
        }
        return result
    }

    private init(
        name: String, line: String, tensors: [String: Checkpoint.Tensor], checkpoint: Checkpoint
    ) throws {
        func invalid(_ message: String) -> ModelFileError {
            .invalidPackedWeight(message, path: checkpoint.path, tensor: name)
        }
        self.name = name
        description = try PackedDescription(
            of: name, line: line, metadata: checkpoint.metadata, path: checkpoint.path)

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
}
