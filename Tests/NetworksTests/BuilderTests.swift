import DenseMath
import Networks
import Testing

@Suite("Networks written layer by layer")
struct BuilderTests {
    private static func floats(_ network: Network, _ name: String) -> [Float] {
        network.parameters[name]?.tensor.floats ?? []
    }

    @Test("ten lines make a network whose parameters are called as in PyTorch")
    func small() throws {
        let network = try Network("small", input: [3, 32, 32], seed: 1) {
            Conv2d(16, kernelSize: 3, padding: 1, bias: false)
            BatchNorm2d()
            ReLU()
            Residual {
                Conv2d(16, kernelSize: 3, padding: 1)
                BatchNorm2d()
                ReLU()
            }
            MaxPool2d(2)
            GlobalAveragePool()
            Flatten()
            Linear(10)
        }
        try network.check()
        #expect(network.inputs == [.init("input", .float32, [.named("batch"), 3, 32, 32])])
        #expect(network.outputs == ["output"])
        #expect(
            network.parameters.mapValues(\.shape) == [
                "0.weight": [16, 3, 3, 3],
                "1.weight": [16], "1.bias": [16], "1.running_mean": [16], "1.running_var": [16],
                "3.weight": [16, 16, 3, 3], "3.bias": [16],
                "4.weight": [16], "4.bias": [16], "4.running_mean": [16], "4.running_var": [16],
                "9.weight": [10, 16], "9.bias": [10],
            ])
        #expect(
            network.nodes.map(\.operation.name) == [
                "Conv", "BatchNormalization", "Relu", "Conv", "BatchNormalization", "Relu", "Add",
                "MaxPool", "GlobalAveragePool", "Flatten", "Gemm",
            ])
        #expect(network.nodes[6].inputs == ["5", "2"])
    }

    @Test("for, if, else and switch choose layers")
    func control() throws {
        func names(_ depth: Int, activation: String?, pools: Bool) throws -> [String] {
            let network = try Network("chosen", input: [4, 8, 8]) {
                for index in 0..<depth {
                    Conv2d(4 << index, kernelSize: 1)
                    if let activation {
                        switch activation {
                        case "tanh": Tanh()
                        default: ReLU()
                        }
                    }
                }
                if pools { MaxPool2d(2) } else { AvgPool2d(2) }
            }
            return network.nodes.map(\.operation.name)
        }
        #expect(
            try names(2, activation: "tanh", pools: true) == [
                "Conv", "Tanh", "Conv", "Tanh", "MaxPool",
            ])
        #expect(try names(1, activation: "", pools: false) == ["Conv", "Relu", "AveragePool"])
        #expect(try names(0, activation: nil, pools: false) == ["AveragePool"])
    }

    @Test("only Sequential makes names longer, and a shortcut's layers come after the branch's")
    func names() throws {
        let network = try Network("names", input: [4, 8, 8]) {
            Sequential("stage") {
                Sequential {
                    Residual {
                        Conv2d(8, kernelSize: 3, stride: 2, padding: 1, name: "conv1")
                        Conv2d(8, kernelSize: 1)
                    } shortcut: {
                        Sequential("downsample") { Conv2d(8, kernelSize: 1, stride: 2) }
                        Conv2d(8, kernelSize: 1)
                    }
                }
                Sequential { Conv2d(2, kernelSize: 1, bias: false) }
            }
            Dropout()
            Conv2d(2, kernelSize: 1, bias: false)
        }
        #expect(
            network.nodes.map(\.name) == [
                "stage.0.conv1", "stage.0.1", "stage.0.downsample.0", "stage.0.3", "stage.0.add",
                "stage.1.0", "2",
            ])
        #expect(network.nodes[4].inputs == ["stage.0.1", "stage.0.3"])
        #expect(network.nodes[2].inputs.first == "input")
    }

    @Test("every function and attribute arrives in its operation")
    func operations() throws {
        let network = try Network("all", input: [4, 32, 32]) {
            Conv2d(8, kernelSize: 5, stride: 2, padding: 3, dilation: 2, groups: 4, bias: false)
            ReLU6()
            LeakyReLU(0.2)
            SiLU()
            GELU()
            Sigmoid()
            Hardswish()
            MaxPool2d(3, stride: 2, padding: 1)
            AvgPool2d(2)
            AdaptiveAvgPool2d(1)
        }
        #expect(network.parameters["0.weight"]?.shape == [8, 1, 5, 5])
        #expect(
            network.nodes.map(\.operation) == [
                .conv(
                    .init(
                        kernel: [5, 5], strides: [2, 2], dilations: [2, 2], groups: 4,
                        padding: .explicit([3, 3], [3, 3]))),
                .unary(.clip(minimum: 0, maximum: 6)), .unary(.leakyRelu(alpha: 0.2)),
                .unary(.silu), .unary(.gelu(approximately: false)), .unary(.sigmoid),
                .unary(.hardSwish),
                .maxPool(
                    .init(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1], [1, 1]))),
                .averagePool(
                    .init(kernel: [2, 2], strides: [2, 2], padding: .explicit([0, 0], [0, 0])),
                    countsPadding: true),
                .globalAveragePool,
            ])
    }

    @Test("sizes follow convolutions and poolings", arguments: 7...16)
    func sizes(_ size: Int) throws {
        // As PyTorch: ((n + 2 - 3) / 2 + 1), then ((n + 4 - 5) / 3 + 1), then (n - 2) / 2 + 1.
        let first = (size - 1) / 2 + 1
        let second = (first - 1) / 3 + 1
        let third = (second + 1) / 2
        let network = try Network("sizes", input: [1, size, size + 1]) {
            Conv2d(1, kernelSize: 3, stride: 2, padding: 1)
            Conv2d(1, kernelSize: 3, stride: 3, padding: 2, dilation: 2)
            Conv2d(1, kernelSize: 3, stride: 2, padding: .sameUpper)
            Flatten()
            Linear(1)
        }
        let width = (((size / 2 + 1) - 1) / 3 + 2) / 2
        #expect(network.parameters["4.weight"]?.shape == [1, third * width])
    }

    @Test("the same seed gives the same bits, another seed or name others")
    func seeds() throws {
        func weights(_ seed: UInt64, _ name: String) throws -> Tensor? {
            let network = try Network("seeded", input: [200], seed: seed) {
                Linear(700, name: name)
                Linear(10)
            }
            return network.parameters["\(name).weight"]?.tensor
        }
        let first = try weights(7, "a")
        #expect(try weights(7, "a") == first)
        #expect(try weights(8, "a") != first)
        #expect(try weights(7, "b") != first)
    }

    @Test("weights are one stream whatever the number of threads that draw it")
    func stream() throws {
        let network = try Network("stream", input: [1000], seed: 5) { Linear(200) }
        var random = SplitMix64(seed: 5 ^ .seed("0.weight"))
        let bound = 1 / 1000.0.squareRoot()
        let expected = (0..<200_000).map { _ in Float((random.nextUnit() * 2 - 1) * bound) }
        #expect(Self.floats(network, "0.weight") == expected)
    }

    @Test("convolutions are normal with variance 2 / fan-out")
    func distribution() throws {
        let network = try Network("normal", input: [64, 4, 4], seed: 3) {
            Conv2d(128, kernelSize: 3, padding: 1, groups: 2)
        }
        let weights = Self.floats(network, "0.weight").map(Double.init)
        let count = Double(weights.count)
        let mean = weights.reduce(0, +) / count
        let variance = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let fourth = weights.reduce(0) {
            $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean)
        }
        let deviation = (2.0 / (64 * 9)).squareRoot()
        #expect(abs(mean) < 4 * deviation / count.squareRoot())
        #expect(abs(variance / (deviation * deviation) - 1) < 0.04)
        // A sum of twelve uniform numbers has 2.9, a normal one 3, one uniform number 1.8.
        #expect(abs(fourth / count / (variance * variance) - 2.9) < 0.15)
    }

    @Test("running variances are those of the values that arrive")
    func statistics() throws {
        let network = try Network("statistics", input: [3, 8, 8]) {
            Conv2d(16, kernelSize: 3, bias: false)
            BatchNorm2d()
            ReLU()
            Conv2d(16, kernelSize: 3, bias: false)
            BatchNorm2d()
            Residual { Conv2d(16, kernelSize: 1, bias: false) }
            BatchNorm2d()
        }
        func variance(_ name: String) -> Float {
            Self.floats(network, "\(name).running_var").first ?? 0
        }
        #expect(abs(variance("1") - 27 * 2 / 144) < 1e-6)
        #expect(abs(variance("4") - 144 * 2 / 144 * 0.5) < 1e-3)
        #expect(abs(variance("6") - 3) < 1e-3)
        #expect(Self.floats(network, "1.weight").allSatisfy { $0 == 1 })
        #expect(Self.floats(network, "1.bias").allSatisfy { $0 == 0 })
    }

    /// The error of a network for an image of 3x8x8.
    private static func error(@LayerBuilder _ layers: () -> [any Layer]) -> NetworkError? {
        do {
            _ = try Network("wrong", input: [3, 8, 8], layers)
            return nil
        } catch {
            return error as? NetworkError
        }
    }

    @Test("a layer that does not fit is named")
    func misfits() {
        #expect(Self.error { Linear(10, name: "fc") }?.node == "fc")
        let window = Self.error { Sequential("a") { Conv2d(4, kernelSize: 9) } }
        #expect(window?.code == .shapeMismatch && window?.node == "a.0")
        #expect(Self.error { Conv2d(4, kernelSize: 3, groups: 2) }?.code == .shapeMismatch)
        #expect(Self.error { Residual { Conv2d(4, kernelSize: 1) } }?.node == "add")
        #expect(Self.error { AdaptiveAvgPool2d(3) }?.code == .shapeMismatch)
        #expect(
            Self.error {
                Flatten(); BatchNorm2d()
            }?.code == .shapeMismatch)
    }

    @Test("numbers out of range, two layers of one name and no layers are errors")
    func invalid() {
        #expect(Self.error { Conv2d(0, kernelSize: 1) }?.code == .invalidNode)
        #expect(Self.error { Conv2d(1, kernelSize: 1, stride: 0) }?.code == .invalidNode)
        #expect(Self.error { Conv2d(1, kernelSize: 1, padding: -1) }?.code == .invalidNode)
        #expect(Self.error { Conv2d(1, kernelSize: .max, dilation: .max) }?.code == .invalidNode)
        #expect(Self.error { MaxPool2d(2, padding: 2) }?.code == .invalidNode)
        #expect(
            Self.error {
                Flatten(); Linear(0)
            }?.code == .invalidNode)
        #expect(
            Self.error {
                Flatten(); Linear(.max)
            }?.code == .tooLarge)
        #expect(
            Self.error {
                Flatten(); Linear(1 << 28)
            }?.code == .tooLarge)
        #expect(
            Self.error {
                Conv2d(3, kernelSize: 1, name: "a"); Conv2d(3, kernelSize: 1, name: "a")
            }?.code == .duplicateValue)
        #expect(
            Self.error {
                ReLU(name: "1"); ReLU(); ReLU()
            }?.code == .duplicateValue)
        #expect(Self.error { Dropout() }?.code == .invalidNode)
        for shape in [[], [0], [-1, 8, 8], [1, 1, 1, 1], [1 << 40]] {
            #expect(throws: NetworkError.self) { try Network("wrong", input: shape) { ReLU() } }
        }
    }
}
