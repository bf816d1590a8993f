import DenseMath
import Inference
import Networks
import Testing

@Suite("Padding in plans")
struct PaddingTests {
    /// Pad, then a 3 x 3 convolution with padding of its own; the padded value is also an output
    /// when it `isRead`.
    private func network(
        pads: [Int64], value: Float = 0, isRead: Bool = false
    ) -> Network {
        let convolution = Networks.Operation.Convolution(
            kernel: [3, 3], strides: [2, 1], padding: .explicit([1, 0], [0, 1]))
        return Network(
            name: "padded", inputs: [.init("x", .float32, [2, 3, 7, 6])],
            outputs: isRead ? ["y", "p"] : ["y"],
            nodes: [
                Node("pad", .pad(.constant), inputs: ["x", "pads", "value"], outputs: ["p"]),
                Node("conv", .conv(convolution), inputs: ["p", "w"], outputs: ["y"]),
            ],
            parameters: [
                "pads": .dense(Tensor(shape: [8], integers: pads)),
                "value": .dense(Tensor(shape: [], [value])),
                "w": .dense(Tensor(random: [5, 3, 3, 3], seed: 9)),
            ])
    }

    private func operations(_ network: Network) throws -> [String] {
        let inputs = try network.randomInputs(seed: 4)
        let plan = try ExecutionPlan(network)
        let expected = try network.evaluated(inputs)
        let found = try plan.run(inputs)
        for (name, tensor) in expected {
            #expect(try #require(found[name]).relativeDistance(to: tensor) < 1e-5)
        }
        return plan.steps.map(\.operation)
    }

    @Test("zeros around an image become the convolution's padding")
    func merged() throws {
        #expect(try !operations(network(pads: [0, 0, 1, 0, 0, 0, 2, 1])).contains("Pad"))
    }

    @Test("other numbers, padded channels, wide borders and values read twice stay steps")
    func kept() throws {
        let networks = [
            network(pads: [0, 0, 1, 0, 0, 0, 2, 1], value: 0.5),
            network(pads: [0, 0, 3, 0, 0, 0, 2, 1]),
            network(pads: [1, 0, 1, 0, 0, 0, 1, 1]),
            network(pads: [0, 0, 1, 0, 0, 0, 2, 1], isRead: true),
        ]
        for network in networks { #expect(try operations(network).contains("Pad")) }
    }
}
