internal import DenseMath
internal import Networks

/// When a plan rebuilds weights in SmartDeal form. Results have the same bits.
public enum Rebuilding: String, Sendable, CaseIterable {
    /// When the plan is made, which keeps them as its steps take them.
    case once
    /// Before every use, in memory that all steps share; the plan keeps weights packed.
    case streaming
}

/// How a constant is made from a packed parameter, again and again.
struct PackedSource {
    /// The name of the parameter in the network.
    let name: String
    let parameter: CompressedParameter
    /// What is multiplied with slices along the first dimension, or the last, in order.
    private(set) var factors: [(values: [Float], alongLast: Bool)] = []

    init(_ name: String, _ parameter: CompressedParameter) {
        self.name = name
        self.parameter = parameter
    }

    /// The source of the constant times factors.
    func scaled(by values: [Float], alongLast: Bool) -> PackedSource {
        var result = self
        result.factors.append((values, alongLast))
        return result
    }

    /// The constant.
    func dense(threads: Int) -> Tensor {
        factors.reduce(parameter.rebuilt(threads: threads)) {
            $0.scaled(by: $1.values, alongLast: $1.alongLast)
        }
    }

    /// Bytes that are kept beside the parameter.
    var factorBytes: Int {
        factors.reduce(0) { $0 + $1.values.count * MemoryLayout<Float>.stride }
    }

    /// Bytes of the constant.
    var denseBytes: Int { parameter.shape.reduce(MemoryLayout<Float>.stride, *) }
}
