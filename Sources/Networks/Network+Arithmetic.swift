internal import DenseMath

extension Network {
    /// Multiply-accumulates of each convolution and matrix product for inputs of the given shapes,
    /// by the node's index; zeros count as any other weight.
    ///
    /// - Throws: ``NetworkError`` as ``inferred(inputShapes:)``.
    public func multiplyAccumulates(inputShapes: [String: [Int]] = [:]) throws -> [Int: Int] {
        let info = try inferred(inputShapes: inputShapes)
        var counts: [Int: Int] = [:]
        for (index, node) in nodes.enumerated() {
            guard let output = node.outputs.first.flatMap({ info[$0]?.shape }) else { continue }
            let perOutput: Int?
            switch node.operation {
            case .conv:
                perOutput = node.input(1).flatMap { info[$0]?.shape.dropFirst().reduce(1, *) }
            case .gemm(let gemm):
                let shape = node.input(0).flatMap { info[$0]?.shape } ?? []
                perOutput = gemm.transposesA ? shape.first : shape.last
            case .matMul: perOutput = node.input(0).flatMap { info[$0]?.shape.last }
            default: perOutput = nil
            }
            if let perOutput { counts[index] = output.reduce(perOutput, *) }
        }
        return counts
    }
}
