internal import Networks
internal import ONNXSchema

/// What an ONNX file says about the outputs of a network: element types and shapes, in which a
/// dimension of an input that has a name keeps it.
struct OutputTypes {
    private let names: [String]
    private var first: [String: ValueInfo] = [:]
    private var second: [String: ValueInfo] = [:]

    /// A network whose shapes cannot be inferred has outputs of unknown shapes.
    init(_ network: Network) {
        var names: [String] = []
        for dimension in network.inputs.lazy.flatMap(\.shape) {
            if case .named(let name) = dimension, !names.contains(name) { names.append(name) }
        }
        self.names = names
        // Inferred twice: what differs depends on a name. More names than that have no shapes.
        guard names.count <= 16 else { return }
        func shapes(_ size: (Int) -> Int) -> [String: [Int]] {
            [String: [Int]](
                network.inputs.map { input in
                    (
                        input.name,
                        input.shape.map { dimension in
                            switch dimension {
                            case .fixed(let size): size
                            case .named(let name): size(names.firstIndex(of: name) ?? 0)
                            }
                        }
                    )
                }, uniquingKeysWith: { first, _ in first })
        }
        guard let first = try? network.inferred(inputShapes: shapes { _ in Self.size }),
            let second = try? network.inferred(inputShapes: shapes { Self.size * ($0 + 2) })
        else { return }
        self.first = first
        self.second = second
    }

    /// Large enough for the windows of small images, small enough for every table of positions.
    private static let size = 32

    /// The element type of an output: floats where it is not known, because ONNX demands one.
    func elementType(_ name: String) -> ScalarType { first[name]?.elementType ?? .float32 }

    /// The dimensions of an output, nil where they are not known.
    func shape(_ name: String) -> [Onnx_TensorShapeProto.Dimension]? {
        guard let one = first[name]?.shape, let other = second[name]?.shape,
            one.count == other.count
        else { return nil }
        return zip(one, other).map { one, other in
            .with {
                if one == other {
                    $0.dimValue = Int64(one)
                } else if one == Self.size, other % Self.size == 0,
                    names.indices.contains(other / Self.size - 2)
                {
                    $0.dimParam = names[other / Self.size - 2]
                }
            }
        }
    }
}
