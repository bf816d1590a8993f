import Networks
package import ONNXSchema

/// The packed weights of an ONNX model.
///
/// A packed weight is an initializer's place taken by the tensors of a `PackedForm`, and operators
/// that give a value of the initializer's name from them, so that every other node stays as it is.
/// `metadata_props` describe it for readers that keep it packed: a `PackedDescription` for each,
/// and under `smartdeal.prefix` what the names of all its values begin with.
package struct PackedSubgraphs {
    /// One packed weight.
    package struct Entry: Sendable {
        package let name: String
        package let parameter: CompressedParameter
        /// The type of the initializer that it replaces.
        package let elementType: ElementType
        /// The initializers that hold it, rising.
        package let initializers: [Int]
        /// Their bytes.
        package let byteCount: Int
    }

    /// The packed weights by name; none in a model that is not compressed.
    package private(set) var entries: [String: Entry] = [:]
    /// The nodes that rebuild them.
    package private(set) var hiddenNodes = Set<Int>()
    /// The initializers that hold them, and the constants of their nodes.
    package private(set) var hiddenInitializers = Set<Int>()

    static let prefixKey = "smartdeal.prefix"

    /// Finds the packed weights of a model.
    ///
    /// - Throws: ``ModelFileError`` `.unknownFormatVersion`, or `.invalidPackedWeight` for
    ///   tensors or nodes that are missing or are not what the description asks for.
    package init(reading model: Onnx_ModelProto, path: String) throws {
        let metadata = Dictionary(
            model.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        let lines = try PackedDescription.lines(in: metadata, path: path)
        guard !lines.isEmpty else { return }
        let graph = model.graph
        let initializers = Dictionary(
            graph.initializer.indices.map { (graph.initializer[$0].name, $0) },
            uniquingKeysWith: { first, _ in first })
        let nodes = Dictionary(
            graph.node.indices.compactMap { index in
                graph.node[index].output.first.map { ($0, index) }
            }, uniquingKeysWith: { first, _ in first })
        let prefix = metadata[Self.prefixKey] ?? ""
        var expected = PackedGraph(prefix: prefix)
        var owners: [Int: String] = [:]
        for (name, line) in lines {
            func invalid(_ message: String) -> ModelFileError {
                .invalidPackedWeight(message, path: path, tensor: name)
            }
            let description = try PackedDescription(
                of: name, line: line, metadata: metadata, path: path)
            guard let id = description.id else {
                throw invalid("its description has no 'id'")
            }
            if let other = owners.updateValue(name, forKey: id) {
                throw invalid("it has the id \(id) of '\(other)'")
            }
            guard initializers[name] == nil else {
                throw invalid("the file has the tensor both dense and compressed")
            }
            let parts = try PackedParts(
                finding: PackedForm(
                    name: name, prefix: "\(prefix)/\(id)", description: description), path: path
            ) { initializers[$0].map { graph.initializer[$0] } }
            let count = expected.nodes.count
            expected.append(parts.form)
            for node in expected.nodes[count...] {
                guard let index = nodes[node.output[0]], graph.node[index].computes(node) else {
                    throw invalid(
                        "no \(node.opType) gives '\(node.output[0])' as its description asks for")
                }
                hiddenNodes.insert(index)
            }
            let indexes = parts.tensors.compactMap { initializers[$0.name] }.sorted()
            hiddenInitializers.formUnion(indexes)
            entries[name] = Entry(
                name: name,
                parameter: CompressedParameter(
                    try parts.weight(path: path), isTransposed: description.isTransposed),
                elementType: description.elementType, initializers: indexes,
                byteCount: parts.tensors.reduce(0) { $0 + $1.rawData.count })
        }
        for constant in expected.constants {
            guard let index = initializers[constant.name],
                graph.initializer[index].holdsSame(as: constant)
            else {
                throw ModelFileError(
                    code: .invalidPackedWeight,
                    message: "it is missing or not what packed weights need", path: path,
                    tensor: constant.name)
            }
            hiddenInitializers.insert(index)
        }
    }
}

extension Onnx_NodeProto {
    /// Whether it is the same computation, whatever its name and documentation.
    fileprivate func computes(_ other: Onnx_NodeProto) -> Bool {
        opType == other.opType && ["", "ai.onnx"].contains(domain) && input == other.input
            && output == other.output && attribute == other.attribute
    }
}

extension Onnx_TensorProto {
    fileprivate func holdsSame(as other: Onnx_TensorProto) -> Bool {
        dims == other.dims && dataType == other.dataType && dataLocation == .default
            && rawData == other.rawData
    }
}

// MARK: - Writing

extension PackedSubgraphs {
    /// A weight to be packed.
    package struct Weight: Sendable {
        package let name: String
        package let parameter: CompressedParameter
        /// The type that the value has in the model: F32, F16 or BF16.
        package let elementType: ElementType

        package init(name: String, parameter: CompressedParameter, elementType: ElementType) {
            self.name = name
            self.parameter = parameter
            self.elementType = elementType
        }
    }

    /// The lowest version of ONNX's operator set that has all operators that packed weights need.
    package static let smallestOperatorSet = 11

    /// Whether an entry of a model's metadata is there for packed weights only.
    static func isOwn(metadataKey key: String) -> Bool {
        [prefixKey, PackedDescription.versionKey].contains(key)
            || key.hasPrefix(PackedDescription.weightPrefix)
            || key.hasPrefix(PackedDescription.alphabetPrefix)
    }

    /// Puts packed weights into a model: in the places of the initializers of their names, or
    /// after all others.
    ///
    /// - Precondition: the model has none yet, and the weights have different names.
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight` for a weight that is too large for an
    ///   ONNX file, or two alphabets of one name.
    package static func add(
        _ weights: [Weight], to model: inout Onnx_ModelProto, path: String
    ) throws {
        guard !weights.isEmpty else { return }
        let prefix = unusedPrefix(in: model.graph)
        var graph = PackedGraph(prefix: prefix)
        var parts: [String: [Onnx_TensorProto]] = [:]
        var metadata = [prefixKey: prefix]
        for (index, weight) in weights.enumerated() {
            var description = PackedDescription(
                weight.parameter.weight, elementType: weight.elementType)
            description.id = index
            description.isTransposed = weight.parameter.isTransposed
            guard PackedForm.fits(description.geometry) else {
                throw ModelFileError.invalidPackedWeight(
                    "\(description.geometry.weightCount) weights are too many for an ONNX file",
                    path: path, tensor: weight.name)
            }
            let form = PackedForm(
                name: weight.name, prefix: "\(prefix)/\(index)", description: description)
            let own = PackedParts(weight.parameter.weight, form)
            graph.append(own.form)
            parts[weight.name] = own.tensors
            try metadata.merge(description.metadata(for: weight.name)) { old, new in
                guard old == new else {
                    throw ModelFileError.invalidPackedWeight(
                        "alphabet '\(description.alphabet.name)' is another one than that of "
                            + "the same name before", path: path, tensor: weight.name)
                }
                return new
            }
        }
        var initializers: [Onnx_TensorProto] = []
        for tensor in model.graph.initializer {
            guard var own = parts.removeValue(forKey: tensor.name) else {
                initializers.append(tensor)
                continue
            }
            if tensor.hasDocString { own[0].docString = tensor.docString }
            initializers += own
        }
        for weight in weights { initializers += parts[weight.name] ?? [] }
        model.graph.initializer = initializers + graph.constants
        model.graph.node = graph.nodes + model.graph.node
        model.metadataProps += metadata.sorted { $0.key < $1.key }.map {
            Onnx_StringStringEntryProto(key: $0.key, value: $0.value)
        }
    }

    /// The first of `sd`, `sd_`, `sd__`, ... that no name of a value begins with.
    private static func unusedPrefix(in graph: Onnx_GraphProto) -> String {
        let names =
            graph.initializer.map(\.name) + graph.node.flatMap { $0.input + $0.output }
            + graph.input.map(\.name)
        var prefix = "sd"
        while names.contains(where: { $0.hasPrefix(prefix + "/") }) { prefix += "_" }
        return prefix
    }
}
