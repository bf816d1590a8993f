import DenseMath
import Networks
import Testing

@Suite("Weights of a network")
struct WeightSiteTests {
    private func network(_ nodes: [Node], _ shapes: [String: [Int]]) -> Network {
        Network(
            name: "test", inputs: [.init("x", .float32, [1, 4])], outputs: [],
            nodes: nodes,
            parameters: shapes.mapValues { .dense(Tensor(zeros: $0)) })
    }

    @Test("a Gemm's weight is compressed as [outputs, inputs] whichever way it lies")
    func gemm() {
        let nodes = [
            Node("a", .gemm(.init(transposesB: true)), inputs: ["x", "w"], outputs: ["y"]),
            Node("b", .gemm(.init()), inputs: ["y", "v"], outputs: ["z"]),
        ]
        let sites = network(nodes, ["w": [8, 4], "v": [8, 3]]).weightSites
        #expect(sites.map(\.shape) == [[8, 4], [3, 8]])
        #expect(sites.map(\.isTransposed) == [false, true])
    }

    @Test("a shared weight is found once, also through Transpose and Identity")
    func shared() {
        let nodes = [
            Node("table", .gather(axis: 0), inputs: ["e", "x"], outputs: ["y"]),
            Node("t", .transpose(permutation: [1, 0]), inputs: ["e"], outputs: ["et"]),
            Node("i", .unary(.identity), inputs: ["et"], outputs: ["eti"]),
            Node("head", .matMul, inputs: ["y", "eti"], outputs: ["z"]),
        ]
        let sites = network(nodes, ["e": [100, 4]]).weightSites
        #expect(sites.count == 1)
        #expect(sites.first?.nodes == ["table", "head"])
        #expect(sites.first?.isTable == true)
        #expect(sites.first?.isTransposed == false)
    }
}
