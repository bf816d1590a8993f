import DenseMath
import Networks
import Testing

@Suite("Shape inference")
struct ShapeInferenceTests {
    private func list(_ values: Int64...) -> Parameter {
        .dense(Tensor(shape: [values.count], integers: values))
    }

    private func scalar(_ value: Int64) -> Parameter {
        .dense(Tensor(shape: [], integers: [value]))
    }

    /// A network of one operation on `x`, with parameters `p0`, `p1`, ... as further inputs.
    private func network(
        _ operation: Operation, x: [Int]?, _ parameters: [Parameter] = []
    ) -> Network {
        let names = parameters.indices.map { "p\($0)" }
        return Network(
            name: "test",
            inputs: x.map { [.init("x", .float32, $0.map { .fixed($0) })] } ?? [],
            outputs: ["y"],
            nodes: [
                Node("node", operation, inputs: (x == nil ? [] : ["x"]) + names, outputs: ["y"])
            ],
            parameters: Dictionary(uniqueKeysWithValues: zip(names, parameters)))
    }

    private func code(_ network: Network) -> NetworkError.Code? {
        do {
            _ = try network.inferred()
            return nil
        } catch {
            return (error as? NetworkError)?.code
        }
    }

    /// As torch.onnx exports `x.view(x.shape[0], -1)` of a batch whose size is not fixed.
    private var flattening: Network {
        Network(
            name: "view", inputs: [.init("x", .float32, [.named("batch"), 3, 4])], outputs: ["y"],
            nodes: [
                Node("shape", .shape(start: 0, end: nil), inputs: ["x"], outputs: ["s"]),
                Node("gather", .gather(axis: 0), inputs: ["s", "zero"], outputs: ["n"]),
                Node("unsqueeze", .unsqueeze(axes: [0]), inputs: ["n"], outputs: ["n1"]),
                Node("concat", .concat(axis: 0), inputs: ["n1", "rest"], outputs: ["t"]),
                Node("view", .reshape(allowsZero: false), inputs: ["x", "t"], outputs: ["y"]),
            ],
            parameters: ["zero": scalar(0), "rest": list(-1)])
    }

    @Test("the arithmetic of x.view(x.shape[0], -1) is computed", arguments: [1, 5])
    func view(batch: Int) throws {
        let values = try flattening.inferred(inputShapes: ["x": [batch, 3, 4]])
        #expect(values["y"]?.shape == [batch, 12])
        #expect(values["y"]?.constant == nil)
        #expect(values["t"]?.constant?.integers == [Int64(batch), -1])
        #expect(try flattening.inferred()["y"]?.shape == [1, 12])
        let x = Tensor(shape: [batch, 3, 4], (0..<(12 * batch)).map { Float($0) })
        #expect(try flattening.evaluated(["x": x])["y"] == x.reshaped([batch, 12]))
    }

    @Test("the arithmetic of expanding a mask to a shape is computed")
    func expandedMask() throws {
        // Where(Equal(target, -1), ones, target), the way x.expand(-1, n) comes out of torch.
        let network = Network(
            name: "mask", inputs: [.init("x", .float32, [.named("batch"), 1])], outputs: ["y"],
            nodes: [
                Node(
                    "ones", .constantOfShape(value: .integer(1, .int64)), inputs: ["two"],
                    outputs: ["o"]),
                Node("equal", .binary(.equal), inputs: ["target", "minusOne"], outputs: ["e"]),
                Node("where", .where, inputs: ["e", "o", "target"], outputs: ["t"]),
                Node("expand", .expand, inputs: ["x", "t"], outputs: ["y"]),
                Node(
                    "product", .reduce(.product, axes: nil, keepsDimensions: false), inputs: ["t"],
                    outputs: ["count"]),
                Node("float", .cast(.float32), inputs: ["count"], outputs: ["f"]),
                Node("root", .unary(.sqrt), inputs: ["f"], outputs: ["r"]),
            ],
            parameters: ["two": list(2), "target": list(-1, 9), "minusOne": scalar(-1)])
        let values = try network.inferred(inputShapes: ["x": [4, 1]])
        #expect(values["e"]?.elementType == .bool)
        #expect(values["y"]?.shape == [4, 9])
        #expect(values["r"]?.constant?.floats == [3])
    }

    @Test("large constants are not computed before the network runs")
    func largeConstants() throws {
        let nodes = [Node("t", .transpose(permutation: nil), inputs: ["w"], outputs: ["y"])]
        for (rows, isKnown) in [(256, true), (257, false)] {
            let network = Network(
                name: "test", nodes: nodes,
                parameters: ["w": .dense(Tensor(zeros: [rows, 256]))])
            let values = try network.inferred()
            #expect((values["y"]?.constant != nil) == isKnown)
            #expect(values["y"]?.shape == [256, rows])
        }
    }

    @Test("a small file of large constants does not ask for much memory")
    func manyConstants() throws {
        let nodes = (0..<2000).map { index in
            Node(
                "n\(index)", .constantOfShape(value: .float(1)), inputs: ["p"],
                outputs: ["y\(index)"])
        }
        let network = Network(name: "test", nodes: nodes, parameters: ["p": list(256, 256)])
        let known = try network.inferred().values.reduce(0) { sum, value in
            sum + (value.constant?.count ?? 0)
        }
        #expect(known > 1 << 20)
        #expect(known <= 1 << 25)
    }

    @Test("an input of another shape than the network takes is refused")
    func inputShapes() {
        for shapes: [String: [Int]] in [
            ["x": [2, 3]], ["x": [2, 4, 4]], ["x": [-1, 3, 4]], ["z": [1]],
        ] {
            #expect {
                try flattening.inferred(inputShapes: shapes)
            } throws: {
                ($0 as? NetworkError)?.code == .invalidInput
            }
        }
        for inputs: [String: Tensor] in [
            [:], ["x": Tensor(zeros: [2, 2, 4])], ["x": Tensor(.int64, zeros: [1, 3, 4])],
            ["x": Tensor(zeros: [1, 3, 4]), "z": Tensor(zeros: [1])],
        ] {
            #expect {
                try flattening.evaluated(inputs)
            } throws: {
                ($0 as? NetworkError)?.code == .invalidInput
            }
        }
    }

    @Test("a foreign operator is refused by name")
    func foreign() {
        let network = network(.foreign(.init(domain: "com.x", type: "Magic")), x: [1])
        #expect {
            try network.inferred()
        } throws: { error in
            let error = error as? NetworkError
            return error?.code == .unsupportedOperator && error?.node == "node"
                && error?.message.contains("com.x.Magic") == true
        }
    }

    @Test("an output that is not computed is refused only where it is used")
    func furtherOutputs() throws {
        var network = network(.maxPool(.init(kernel: [2])), x: [1, 1, 4])
        network.nodes[0].outputs = ["y", ""]
        #expect(try network.inferred()["y"]?.shape == [1, 1, 3])
        network.nodes[0].outputs = ["y", "indexes"]
        #expect(code(network) == .unsupportedOperator)
    }

    @Test("a shape that depends on the elements of an input is refused")
    func dynamicShape() {
        var network = network(.reshape(allowsZero: false), x: [4], [list(2, 2)])
        network.inputs.append(.init("s", .int64, [2]))
        network.nodes[0].inputs = ["x", "s"]
        #expect(code(network) == .unsupportedOperator)
    }

    @Test("what does not fit is refused")
    func mismatches() {
        let w = Parameter.dense(Tensor(zeros: [4, 3, 3, 3]))
        let matrix = Parameter.dense(Tensor(zeros: [3, 4]))
        let cases: [(Operation, [Int], [Parameter])] = [
            (.conv(.init(kernel: [3, 3])), [1, 4, 8, 8], [w]),
            (.conv(.init(kernel: [3, 3])), [1, 3, 2, 8], [w]),
            (.conv(.init(kernel: [3, 3])), [1, 3, 8], [w]),
            (
                .conv(.init(kernel: [3, 3], groups: 2)), [1, 6, 8, 8],
                [.dense(Tensor(zeros: [3, 3, 3, 3]))]
            ),
            (.conv(.init(kernel: [3, 3])), [1, 3, 8, 8], [w, .dense(Tensor(zeros: [3]))]),
            (.gemm(.init()), [2, 4], [matrix]),
            (.gemm(.init()), [2, 3], [matrix, .dense(Tensor(zeros: [3]))]),
            (.matMul, [2, 4], [matrix]),
            (.matMul, [], [matrix]),
            (.matMul, [3, 1, 3], [.dense(Tensor(zeros: [2, 3, 4]))]),
            (.softmax(axis: 2), [2, 2], []),
            (.softmax(axis: .min), [2, 2], []),
            (.binary(.add), [2, 2], [.dense(Tensor(zeros: [3]))]),
            (.globalAveragePool, [2, 2], []),
            (.reduce(.sum, axes: [0, -2], keepsDimensions: true), [2, 2], []),
            (.reshape(allowsZero: false), [4], [list(3)]),
            (.reshape(allowsZero: false), [4], [list(-1, -1)]),
            (.reshape(allowsZero: false), [4], [list(4, 0)]),
            (.reshape(allowsZero: true), [0], [list(0, -1)]),
            (.reshape(allowsZero: false), [4], [list(-2, -2)]),
            (.flatten(axis: 3), [2, 2], []),
            (.squeeze(axes: [0]), [2, 1], []),
            (.unsqueeze(axes: [0, 0]), [2], []),
            (.transpose(permutation: [0, 0]), [2, 2], []),
            (.transpose(permutation: [0]), [2, 2], []),
            (.concat(axis: 0), [2, 2], [.dense(Tensor(zeros: [2, 3]))]),
            (.split(axis: 0, sizes: [1, 1]), [2], []),
            (.split(axis: 0, sizes: [3]), [2], []),
            (.split(axis: 0, sizes: [.max]), [2], []),
            (.slice, [4], [list(0), list(2), list(0), list(0)]),
            (.slice, [4], [list(0, 0), list(2)]),
            (.slice, [4], [list(0), list(2), list(1)]),
            (.gather(axis: 1), [4], [list(0)]),
            (.pad(.reflect), [3], [list(3, 0)]),
            (.pad(.edge), [0], [list(1, 0)]),
            (.pad(.constant), [3], [list(-4, 2)]),
            (.pad(.constant), [3], [list(1)]),
            (.pad(.constant), [3], [list(1, 1), .dense(Tensor(zeros: [2]))]),
            (.expand, [3], [list(2)]),
            (.expand, [3], [list(-3, 3)]),
        ]
        for (operation, x, parameters) in cases {
            #expect(
                code(network(operation, x: x, parameters)) == .shapeMismatch,
                "\(operation) \(x) \(parameters.map(\.shape))")
        }
    }

    @Test("impossible attributes are refused")
    func attributes() {
        let huge = Int.max
        for padding: Operation.SpatialPadding in [.explicit([-1], [0]), .explicit([huge], [huge])] {
            #expect(
                code(network(.maxPool(.init(kernel: [2], padding: padding)), x: [1, 1, 4]))
                    == .invalidNode)
        }
        for pooling: Operation.Pooling in [
            .init(kernel: [0]), .init(kernel: [huge]), .init(kernel: [2], strides: [0]),
            .init(kernel: [2], strides: [huge], dilations: [huge]), .init(kernel: [2], strides: []),
            .init(kernel: [2], padding: .explicit([1, 1], [1, 1])),
            .init(kernel: [2], padding: .explicit([2], [0])),
        ] {
            #expect(code(network(.maxPool(pooling), x: [1, 1, 4])) == .invalidNode, "\(pooling)")
        }
        #expect(
            code(
                network(
                    .conv(.init(kernel: [1], groups: 0)), x: [1, 1, 4],
                    [.dense(Tensor(zeros: [1, 1, 1]))])) == .invalidNode)
        #expect(code(network(.unary(.sqrt), x: nil, [list(4)])) == .invalidNode)
        #expect(code(network(.binary(.divide), x: nil, [list(4), list(0)])) == .invalidNode)
        #expect(code(network(.binary(.add), x: [1], [list(4)])) == .invalidNode)
    }

    @Test("absurd sizes are refused without asking for memory")
    func hostile() {
        let big: Int64 = 1 << 62
        let cases: [(Operation, [Int]?, [Parameter])] = [
            (.unary(.relu), [1 << 62, 4], []),
            (.unary(.relu), [1 << 62, 0, 1 << 62], []),
            (.unary(.relu), [1 << 17, 1 << 17], []),
            (.constantOfShape(value: .float(0)), nil, [list(big, big)]),
            (.constantOfShape(value: .integer(0, .int64)), nil, [list(1 << 34)]),
            (.range, nil, [scalar(0), scalar(1_000_000_000_000), scalar(1)]),
            (.range, nil, [scalar(.min), scalar(.max), scalar(1)]),
            (
                .range, nil,
                [Float(0), 1e30, 1].map { .dense(Tensor(shape: [], [$0])) }
            ),
            (.expand, [1], [list(big, big)]),
            (.expand, [1 << 17, 1], [list(1 << 17)]),
            (.pad(.constant), [1], [list(big, big)]),
            (.pad(.constant), [1], [list(.max, .min)]),
            (.pad(.constant), [1], [list(1 << 33, 1)]),
            (.reshape(allowsZero: false), [1], [list(big, big)]),
            (
                .reshape(allowsZero: false), [1],
                [.dense(Tensor(shape: [40], integers: Array(repeating: 1, count: 40)))]
            ),
            (.unsqueeze(axes: Array(0..<40)), [1], []),
            (.binary(.add), [1 << 20, 1], [.dense(Tensor(zeros: [1, 1 << 14]))]),
            (.matMul, [1 << 20, 1], [.dense(Tensor(zeros: [1, 1 << 14]))]),
            (
                .conv(.init(kernel: [1, 1], padding: .explicit([1 << 30, 1 << 30], [0, 0]))),
                [1, 1, 4, 4], [.dense(Tensor(zeros: [1, 1, 1, 1]))]
            ),
        ]
        for (operation, x, parameters) in cases {
            #expect(
                code(network(operation, x: x, parameters)) == .tooLarge,
                "\(operation) \(x ?? [])")
        }
    }

    @Test("extreme numbers that mean something small are no error")
    func extremes() throws {
        func constant(_ operation: Operation, _ parameters: [Parameter]) throws -> [Int64]? {
            try network(operation, x: nil, parameters).inferred()["y"]?.constant?.integers
        }
        #expect(
            try constant(.range, [scalar(.min), scalar(.max), scalar(.max)]) == [
                .min, -1, .max - 1,
            ])
        #expect(try constant(.range, [scalar(.max), scalar(.min), scalar(.min)]) == [.max, -1])
        #expect(
            try constant(.slice, [list(1, 2, 3), list(.max), list(.min), list(0), list(.min)]) == [
                3
            ])
        #expect(
            try constant(.slice, [list(1, 2, 3), list(.min), list(.max), list(0), list(2)]) == [
                1, 3,
            ])
        #expect(try constant(.binary(.divide), [list(.min), list(-1)]) == [.min])
        #expect(try constant(.binary(.add), [list(.max), list(1)]) == [.min])
        #expect(
            try constant(.binary(.power), [list(3, -1, 2, 0), list(.max, .min, -1, 0)])?[1...] == [
                1, 0, 1,
            ])
        #expect(try constant(.unary(.absolute), [list(.min, -3)]) == [.min, 3])
        let floats = Tensor(shape: [4], [1e30, -1e30, .nan, .infinity])
        #expect(try constant(.cast(.int64), [.dense(floats)]) == [.max, .min, 0, .max])
        let clip = Operation.Unary.clip(minimum: -.infinity, maximum: 2)
        #expect(try constant(.unary(clip), [list(.min, 3)]) == [.min, 2])
    }

    @Test("an empty constant is not walked along its long dimension")
    func emptyConstant() throws {
        let values = try Network(
            name: "empty",
            nodes: [
                Node("c", .constantOfShape(value: .float(1)), inputs: ["p"], outputs: ["x"]),
                Node("t", .transpose(permutation: nil), inputs: ["x"], outputs: ["y"]),
                Node("d", .concat(axis: 1), inputs: ["y", "y"], outputs: ["z"]),
            ],
            parameters: ["p": list(0, 1 << 33)]
        ).inferred()
        #expect(values["z"]?.shape == [1 << 33, 0])
        #expect(values["z"]?.constant == nil)
    }

    @Test("an index that does not exist is refused")
    func indexes() {
        #expect(code(network(.gather(axis: 0), x: nil, [list(1, 2), list(2)])) == .shapeMismatch)
        #expect(
            code(network(.gather(axis: 0), x: nil, [list(1, 2), list(.min)])) == .shapeMismatch)
    }

    @Test("silu is x times its sigmoid and known only when the network runs")
    func silu() throws {
        let network = network(.unary(.silu), x: [2])
        let x = Tensor(shape: [2], [0, 2])
        let y = try #require(network.evaluated(["x": x])["y"]?.floats)
        #expect(y[0] == 0)
        #expect(abs(y[1] - 1.761594) < 1e-6)
        #expect(try network.inferred()["y"] == ValueInfo(.float32, [2]))
    }
}
