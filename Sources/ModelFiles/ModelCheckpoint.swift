public import PowerOfTwo

/// A checkpoint as its user sees it: the tensors of the model, some in SmartDeal form, whatever
/// tensors the file keeps them in.
public struct ModelCheckpoint: Sendable {
    /// A tensor of the model.
    public enum Content: Sendable {
        /// As the framework wrote it.
        case dense(Checkpoint.Tensor)
        /// Symbols, masks, basis and scales.
        case packed(PackedTensor)
    }

    /// The file or files.
    public let checkpoint: Checkpoint
    /// The tensors of the model, in the order of the file.
    public let contents: [Content]

    /// Whether any tensor is in SmartDeal form.
    public var isCompressed: Bool {
        contents.contains { if case .packed = $0 { true } else { false } }
    }

    /// Opens a `.safetensors` file, dense or compressed, or an index of several.
    ///
    /// - Throws: ``ModelFileError``.
    public init(path: String) throws {
        checkpoint = try Checkpoint(path: path)
        let packed = try PackedTensor.all(in: checkpoint)
        var owner: [String: String] = [:]
        for (name, tensor) in packed {
            for part in tensor.parts { owner[part.name] = name }
        }
        var seen = Set<String>()
        var contents: [Content] = []
        for tensor in checkpoint.tensors {
            guard let name = owner[tensor.name], let whole = packed[name] else {
                if packed[tensor.name] != nil {
                    throw ModelFileError(
                        code: .invalidPackedWeight,
                        message: "the file has the tensor both dense and compressed",
                        path: path, tensor: tensor.name)
                }
                contents.append(.dense(tensor))
                continue
            }
            if seen.insert(name).inserted { contents.append(.packed(whole)) }
        }
        self.contents = contents
    }

    /// The weights in SmartDeal form and the types they are restored to, by name.
    ///
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight`.
    public func packedWeights() throws -> [String: (weight: SmartDealWeight, type: ElementType)] {
        var weights: [String: (SmartDealWeight, ElementType)] = [:]
        for case .packed(let tensor) in contents {
            weights[tensor.name] = (try tensor.weight(in: checkpoint), tensor.elementType)
        }
        return weights
    }

    /// The metadata that is the model's own, without what SmartDeal added.
    public var modelMetadata: [String: String] {
        checkpoint.metadata.filter { !$0.key.hasPrefix("smartdeal.") }
    }
}

extension ModelCheckpoint.Content {
    /// The tensor's name in the model.
    public var name: String {
        switch self {
        case .dense(let tensor): tensor.name
        case .packed(let tensor): tensor.name
        }
    }
    /// Its shape.
    public var shape: [Int] {
        switch self {
        case .dense(let tensor): tensor.shape
        case .packed(let tensor): tensor.geometry.shape
        }
    }
    /// Its element type, which for a packed one is the type that it is restored to.
    public var elementType: ElementType {
        switch self {
        case .dense(let tensor): tensor.elementType
        case .packed(let tensor): tensor.elementType
        }
    }
    /// Bytes in the file.
    public var byteCount: Int {
        switch self {
        case .dense(let tensor): tensor.byteCount
        case .packed(let tensor): tensor.byteCount
        }
    }
    /// Bytes of the dense tensor.
    public var denseByteCount: Int {
        switch self {
        case .dense(let tensor): tensor.byteCount
        case .packed(let tensor): tensor.geometry.weightCount * tensor.elementType.bitCount / 8
        }
    }
}
