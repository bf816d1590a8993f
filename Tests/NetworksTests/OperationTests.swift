import DenseMath
import Networks
import OperatorCases
import Testing

@Suite("Operations against ONNX Runtime")
struct OperationTests {
    @Test("every operation but those without a standard operator has cases")
    func coverage() {
        let names = Set(OperatorCase.all.map(\.operator))
        #expect(OperatorCase.all.count == 235)
        #expect(names.count == 65)
    }

    @Test(
        "an operation gives ONNX Runtime's types, shapes and numbers", arguments: OperatorCase.all)
    func values(expected: OperatorCase) throws {
        let (operation, inputs) = try expected.decoded()
        let infos = inputs.map { $0?.info }
        let results = try operation.results(of: infos, count: expected.outputs.count)
        #expect(results.map(\.shape) == expected.outputs.map(\.shape))
        #expect(results.map(\.elementType) == expected.outputs.map(\.type))
        let tensors = try operation.evaluated(infos, as: results)
        #expect(tensors.count == expected.outputs.count)
        for (found, wanted) in zip(tensors, expected.outputs.map(\.tensor)) {
            #expect(found.shape == wanted.shape)
            if wanted.kind == .int64 {
                #expect(found.integers == wanted.integers)
            } else {
                for (a, b) in zip(found.floats, wanted.floats) {
                    #expect(a == b || abs(a - b) <= 1e-5 * max(abs(b), 1e-2), "\(a) for \(b)")
                }
            }
        }
    }

    @Test("shapes are inferred without the floats", arguments: OperatorCase.all)
    func shapes(expected: OperatorCase) throws {
        let (operation, inputs) = try expected.decoded()
        var network = Network(name: "case")
        var names: [String] = []
        for (index, input) in inputs.enumerated() {
            let name = input == nil ? "" : "i\(index)"
            names.append(name)
            guard let input else { continue }
            if input.type == .float32, operation != .range {
                let shape = input.shape.map { Network.Dimension.fixed($0) }
                network.inputs.append(.init(name, .float32, shape))
            } else {
                network.parameters[name] = .dense(input.tensor)
            }
        }
        let outputs = expected.outputs.indices.map { "o\($0)" }
        network.nodes = [Node("node", operation, inputs: names, outputs: outputs)]
        let values = try network.inferred()
        for (name, wanted) in zip(outputs, expected.outputs) {
            let found = try #require(values[name])
            #expect(found.shape == wanted.shape)
            #expect(found.elementType.kind == wanted.type.kind)
            // The folded value too, where types that parameters do not have play no part.
            if let constant = found.constant, inputs.allSatisfy({ $0?.type == .int64 }) {
                #expect(constant == wanted.tensor)
            }
        }
    }
}
