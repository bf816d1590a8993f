import Decomposition
import DenseMath
import Networks
import Testing

@Suite("Compression of networks")
struct NetworkCompressionTests {
    private func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
        Tensor(shape: shape, TestWeights.gaussian(shape, seed: seed))
    }

    /// A table, a weight `[outputs, inputs]` used by two nodes, and one of the other orientation.
    private func network() -> Network {
        var network = Network(name: "test")
        network.inputs = [.init("indices", .int64, [4])]
        network.parameters = [
            "table": .dense(tensor([40, 32], seed: 1)),
            "shared": .dense(tensor([32, 32], seed: 2)),
            "turned": .dense(tensor([32, 48], seed: 3)),
            "bias": .dense(tensor([48], seed: 4)),
            "small": .dense(tensor([48, 1], seed: 5)),
        ]
        let linear = Networks.Operation.gemm(.init(transposesB: true))
        network.nodes = [
            Node("rows", .gather(axis: 0), inputs: ["table", "indices"], outputs: ["a"]),
            Node("first", linear, inputs: ["a", "shared"], outputs: ["b"]),
            Node("again", linear, inputs: ["b", "shared"], outputs: ["c"]),
            Node("last", .gemm(.init()), inputs: ["c", "turned", "bias"], outputs: ["d"]),
            Node("score", .matMul, inputs: ["d", "small"], outputs: ["e"]),
        ]
        network.outputs = ["e"]
        return network
    }

    private func packed(_ network: Network) -> [String] {
        network.parameters.filter { if case .smartDeal = $0.value { true } else { false } }
            .keys.sorted()
    }

    @Test("every weight is compressed once, however many nodes use it")
    func once() throws {
        var seen: [String] = []
        var counts: [Int] = []
        let result = try network().compressed { count, name in
            counts.append(count)
            seen.append(name)
        }
        #expect(seen == ["table", "shared", "turned", "small"])
        #expect(counts == [40 * 32, 32 * 32, 32 * 48, 48])
        #expect(packed(result).filter { $0 != "small" } == ["shared", "table", "turned"])
    }

    @Test("what is no weight, and all nodes, stay as they are")
    func others() throws {
        let network = network()
        let result = try network.compressed()
        #expect(result.nodes == network.nodes && result.outputs == network.outputs)
        #expect(result.parameters.keys.sorted() == network.parameters.keys.sorted())
        #expect(result.parameters["bias"]?.tensor == network.parameters["bias"]?.tensor)
        #expect(result.parameterByteCount < network.parameterByteCount / 2)
    }

    @Test("a weight that would not become smaller stays dense")
    func notSmaller() throws {
        for (name, parameter) in try network().compressed().parameters {
            guard case .smartDeal(let packed) = parameter else { continue }
            #expect(parameter.byteCount < packed.shape.reduce(4, *), "\(name)")
        }
    }

    @Test("a recipe's rules say by name and by kind what is left alone")
    func skipped() throws {
        var recipe = Recipe()
        recipe.rules = [.init(Glob("sha*"), [.init("skip", .flag(true))])]
        recipe.kinds[.embedding] = [.init("skip", .flag(true))]
        let network = network()
        let result = try network.compressed(recipe: recipe)
        #expect(packed(result).filter { $0 != "small" } == ["turned"])
        #expect(result.parameters["shared"]?.tensor == network.parameters["shared"]?.tensor)
    }

    @Test("a rule for no weight is refused, with near names")
    func unmatched() throws {
        var recipe = Recipe()
        recipe.rules = [.init(Glob("tuned"), [.init("skip", .flag(true))])]
        let error = try #require(
            #expect(throws: DecompositionError.self) {
                _ = try network().compressed(recipe: recipe)
            })
        #expect(error.code == .unmatchedPattern && error.message.contains("turned"))
    }

    @Test("weights come back in the network's own orientation, near what they were")
    func orientation() throws {
        let network = network()
        let result = try network.compressed()
        for name in ["shared", "turned", "table"] {
            guard case .smartDeal(let parameter)? = result.parameters[name],
                let original = network.parameters[name]?.tensor
            else {
                Issue.record("\(name) is not packed")
                continue
            }
            #expect(parameter.isTransposed == (name == "turned"))
            #expect(parameter.shape == original.shape)
            let rebuilt = parameter.rebuilt()
            #expect(rebuilt.shape == original.shape)
            #expect(TestWeights.relativeError(rebuilt.floats, original.floats) < 0.2, "\(name)")
        }
    }

    @Test("a weight and its transpose are packed alike")
    func transposes() throws {
        let weight = tensor([32, 48], seed: 9)
        let turned = Tensor(
            shape: [48, 32],
            (0..<48).flatMap { row in (0..<32).map { weight.floats[$0 * 48 + row] } })
        func packed(_ weight: Tensor, transposesB: Bool) throws -> CompressedParameter {
            var network = Network(name: "one")
            network.inputs = [.init("x", .float32, [2, 48])]
            network.parameters = ["weight": .dense(weight)]
            network.nodes = [
                Node(
                    "node", .gemm(.init(transposesB: transposesB)), inputs: ["x", "weight"],
                    outputs: ["y"])
            ]
            network.outputs = ["y"]
            let parameter = try #require(network.compressed().parameters["weight"])
            guard case .smartDeal(let packed) = parameter else {
                throw NetworkError(.invalidNode, "not packed")
            }
            return packed
        }
        let a = try packed(weight, transposesB: true)
        let b = try packed(turned, transposesB: false)
        #expect(a.weight == b.weight)
        #expect(!a.isTransposed && b.isTransposed)
    }

    @Test("compression of a network already compressed changes nothing")
    func twice() throws {
        let once = try network().compressed()
        var seen: [String] = []
        let again = try once.compressed { _, name in seen.append(name) }
        #expect(packed(again) == packed(once))
        #expect(seen.allSatisfy { !packed(once).contains($0) })
    }
}
