import DenseMath
import Inference
import Networks
import OperatorCases
import Testing

@Suite("Plans of single operators")
struct OperatorPlanTests {
    /// Which inputs are given when the plan runs.
    enum Given: CaseIterable {
        /// The first; the others are weights.
        case first
        /// All floats.
        case floats
    }

    @Test(
        "a plan gives ONNX Runtime's numbers", arguments: OperatorCase.all, Given.allCases)
    func values(expected: OperatorCase, given: Given) throws {
        let (operation, inputs) = try expected.decoded()
        var network = Network(name: "case")
        var names: [String] = []
        var values: [String: Tensor] = [:]
        for (index, input) in inputs.enumerated() {
            let name = input == nil ? "" : "i\(index)"
            names.append(name)
            guard let input else { continue }
            let isGiven = index == 0 || given == .floats && input.type == .float32
            // Shapes that a plan has to know cannot be given to it later.
            if isGiven, operation != .range, !operation.takesShape {
                let shape = input.shape.map { Network.Dimension.fixed($0) }
                network.inputs.append(.init(name, input.type, shape))
                values[name] = input.tensor
            } else {
                network.parameters[name] = .dense(input.tensor)
            }
        }
        network.outputs = expected.outputs.indices.map { "o\($0)" }
        network.nodes = [Node("node", operation, inputs: names, outputs: network.outputs)]
        let plan = try ExecutionPlan(network)
        for _ in 0..<2 {
            let found = try plan.run(values)
            for (name, wanted) in zip(network.outputs, expected.outputs.map(\.tensor)) {
                let tensor = try #require(found[name])
                #expect(tensor.shape == wanted.shape)
                guard wanted.kind == .float32, tensor.kind == .float32 else {
                    #expect(tensor == wanted)
                    continue
                }
                for (a, b) in zip(tensor.floats, wanted.floats) {
                    let isEqual = a == b || a.isNaN && b.isNaN
                    #expect(isEqual || abs(a - b) <= 1e-4 * max(abs(b), 0.1), "\(a) for \(b)")
                }
            }
        }
    }
}

extension Networks.Operation {
    /// Whether its first input is a shape.
    fileprivate var takesShape: Bool {
        if case .constantOfShape = self { true } else { false }
    }
}
