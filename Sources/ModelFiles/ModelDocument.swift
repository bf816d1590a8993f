public import Networks

/// A model file as its user sees it: the tensors of the model, some of them in SmartDeal form.
///
/// The one view of safetensors checkpoints and ONNX models; which it is, the content decides.
public struct ModelDocument: Sendable {
    /// One tensor of the model.
    public struct Tensor: Sendable {
        /// The name, unique in the model.
        public let name: String
        /// The element type; nil for one that safetensors do not have, such as text.
        public let elementType: ElementType?
        /// The element type as people know it.
        public let typeName: String
        /// The dimensions of the dense tensor, as the model has it.
        public let shape: [Int]
        /// Whether it is in SmartDeal form.
        public let isPacked: Bool
        /// Bytes in the file.
        public let byteCount: Int
        /// Bytes of the dense tensor.
        public let denseByteCount: Int
        /// What the model's operators use it for; nil when the file does not tell.
        public var use: Use?
        /// Why it cannot be compressed; nil when nothing speaks against it.
        public var obstacle: String?
        let index: Int

        /// The number of elements.
        public var elementCount: Int { shape.reduce(1, &*) }
        /// The shape as compression sees it, `[filters, ...]`.
        public var weightShape: [Int] { use?.isTransposed == true ? shape.reversed() : shape }

        init(
            name: String, elementType: ElementType?, typeName: String, shape: [Int],
            isPacked: Bool, byteCount: Int, denseByteCount: Int, index: Int
        ) {
            self.name = name
            self.elementType = elementType
            self.typeName = typeName
            self.shape = shape
            self.isPacked = isPacked
            self.byteCount = byteCount
            self.denseByteCount = denseByteCount
            self.index = index
        }
    }

    /// What a tensor is to the operators that use it.
    public struct Use: Sendable, Equatable {
        /// Whether the model has the transpose of the weight, `[inputs, outputs]`.
        public let isTransposed: Bool
        /// Whether its rows are looked up and not multiplied.
        public let isTable: Bool
        /// Whether it is a convolution's with one input channel in each of several groups.
        public let isDepthwise: Bool
    }

    enum Storage: Sendable {
        case safetensors(ModelCheckpoint)
        case onnx(ONNXDocument)
    }

    /// The file, as the caller named it.
    public let path: String
    /// The tensors of the model, in the order of the file.
    public let tensors: [Tensor]
    let storage: Storage

    /// Opens a `.safetensors` file, an index of several, or an `.onnx` file; dense or compressed.
    ///
    /// - Parameter readsOperators: whether to find out what operators use tensors for.
    /// - Throws: ``ModelFileError``.
    public init(path: String, readsOperators: Bool = true) throws {
        self.path = path
        if try MappedFile(path: path).withBytes({ ModelFormat(of: $0) }) == .onnx {
            let document = try ONNXDocument(path: path, readsOperators: readsOperators)
            storage = .onnx(document)
            tensors = document.tensors
        } else {
            let checkpoint = try ModelCheckpoint(path: path)
            storage = .safetensors(checkpoint)
            tensors = checkpoint.contents.enumerated().map { index, content in
                Tensor(
                    name: content.name, elementType: content.elementType,
                    typeName: content.elementType.rawValue, shape: content.shape,
                    isPacked: content.isPacked, byteCount: content.byteCount,
                    denseByteCount: content.denseByteCount, index: index)
            }
        }
    }

    /// Whether any tensor is in SmartDeal form.
    public var isCompressed: Bool { tensors.contains(where: \.isPacked) }

    /// The ONNX model, when it is one.
    public var onnx: ONNXDocument? {
        if case .onnx(let document) = storage { document } else { nil }
    }

    /// The size of the file or files, in bytes; an index is not counted.
    public var byteCount: Int {
        switch storage {
        case .safetensors(let model): model.checkpoint.byteCount
        case .onnx(let document): document.byteCount
        }
    }

    /// The names of the files with tensors, relative to the folder of ``path``.
    public var fileNames: [String] {
        switch storage {
        case .safetensors(let model): model.checkpoint.fileNames
        case .onnx(let document): document.fileNames
        }
    }

    /// Text that changes when names, types, shapes or sizes of tensors do.
    public var fingerprint: String {
        switch storage {
        case .safetensors(let model): model.checkpoint.fingerprint
        case .onnx: "onnx \(byteCount) \(tensors.map { "\($0.name) \($0.shape)" })"
        }
    }

    /// The metadata of the file.
    public var metadata: [String: String] {
        switch storage {
        case .safetensors(let model): model.checkpoint.metadata
        case .onnx(let document): document.metadata
        }
    }

    /// The metadata that a compressed safetensors file keeps: the model's own.
    public var modelMetadata: [String: String] {
        if case .safetensors(let model) = storage { model.modelMetadata } else { [:] }
    }

    /// Calls `body` with the bytes of a dense tensor, little-endian; the pointer must not leave it.
    public func withBytes<R>(
        of tensor: Tensor, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        switch storage {
        case .onnx(let document): return try document.withBytes(of: tensor.index, body)
        case .safetensors(let model):
            guard case .dense(let dense) = model.contents[tensor.index] else {
                preconditionFailure("'\(tensor.name)' has no bytes of its own")
            }
            return try model.checkpoint.withBytes(of: dense, body)
        }
    }

    /// A packed tensor.
    ///
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight`.
    public func parameter(of tensor: Tensor) throws -> CompressedParameter {
        switch storage {
        case .onnx(let document): return document.parameter(of: tensor.name)
        case .safetensors(let model):
            guard case .packed(let packed) = model.contents[tensor.index] else {
                preconditionFailure("'\(tensor.name)' is not packed")
            }
            return CompressedParameter(try packed.weight(in: model.checkpoint))
        }
    }

    /// Gives the memory of a dense tensor's bytes back to the system; they can be read again.
    public func releasePages(of tensor: Tensor) {
        if case .safetensors(let model) = storage,
            case .dense(let dense) = model.contents[tensor.index]
        {
            model.checkpoint.releasePages(of: dense)
        }
    }
}

extension ModelCheckpoint.Content {
    fileprivate var isPacked: Bool { if case .packed = self { true } else { false } }
}
