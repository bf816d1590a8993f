/// What one run of a candidate computes, and moves at the least: every byte once.
struct Workload {
    /// What the operations are done in.
    enum Arithmetic {
        case floats, bytes
    }

    let arithmetic: Arithmetic
    /// Operations that are really done, two for a product that is added to a sum.
    let operations: Double
    /// Bytes read and written.
    let bytes: Int
    /// Whether the bytes come from memory every time, not from the cache that holds them.
    var isFromMemory = false
    var threads = 1
    /// The kind that the chart groups it by.
    let kind: Kind
    /// What stands beside its mark in the chart; nil for a mark alone.
    var label: String?

    /// Kinds of kernels that are told apart in charts.
    enum Kind: String, CaseIterable {
        case convolution = "convolution int8, 3x3"
        case pointwise = "convolution int8, 1x1"
        case convolutionOfFloats = "convolution f32"
        case matvec = "matrix times vector"
        case rebuild = "rebuild"
        case training = "training, f32"

        /// The class that gives it its colour.
        var style: String {
            switch self {
            case .convolution: "conv"
            case .pointwise: "conv1x1"
            case .convolutionOfFloats: "other"
            case .matvec: "linear"
            case .rebuild: "depthwise"
            case .training: "embedding"
            }
        }
    }

    /// Operations for each byte moved.
    var intensity: Double { operations / Double(max(bytes, 1)) }
}
