import DenseMath
import Foundation
import Networks
import Testing

@Suite("Built-in networks")
struct ZooTests {
    private static func shapes(_ specification: String) throws -> [String: [Int]] {
        let draft = try Zoo.draft(specification)
        return Dictionary(uniqueKeysWithValues: draft.parameters.map { ($0.name, $0.shape) })
    }

    // torchvision 0.2x's documentation for resnet, vgg and mobilenet; efficientnet_lite_pytorch
    // 0.1.0 for efficientnet-lite0; LeCun et al. 1998 for lenet5; sums by hand for the others.
    @Test(
        "as many parameters are trained as published",
        arguments: [
            ("lenet5", 61_706), ("mlp", 266_610), ("resnet20", 272_474), ("resnet164", 1_703_258),
            ("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032),
            ("vgg11", 132_868_840), ("vgg19", 143_678_248), ("mobilenetv2", 3_504_872),
            ("efficientnet-lite0", 4_652_008), ("resnet20@1x28x28", 272_186),
            ("resnet50/100", 25_557_032 - 900 * 2049),
        ])
    func parameterCounts(_ name: String, _ expected: Int) throws {
        let trained = try Self.shapes(name).filter { !$0.key.contains(".running_") }
        #expect(trained.values.reduce(0) { $0 + $1.reduce(1, *) } == expected)
    }

    // torchvision's documentation (GFLOPS there are multiply-accumulates), two or three digits.
    // efficientnet-lite0: counted with PyTorch hooks on efficientnet_lite_pytorch.
    @Test(
        "convolutions and linear layers multiply as often as published",
        arguments: [
            ("resnet18", 1.814), ("resnet34", 3.664), ("resnet50", 4.089), ("vgg11", 7.609),
            ("vgg19", 19.632), ("mobilenetv2", 0.301), ("efficientnet-lite0", 0.385),
        ])
    func multiplyAccumulates(_ name: String, _ expected: Double) throws {
        let draft = try Zoo.draft(name)
        let count = Double(MultiplyAccumulates(draft, input: [3, 224, 224]).count)
        #expect(abs(count / 1e9 - expected) < 0.001, "\(count)")
    }

    @Test("names are those of PyTorch's state dicts")
    func names() throws {
        let resnet18 = try Self.shapes("resnet18")
        #expect(resnet18["conv1.weight"] == [64, 3, 7, 7])
        #expect(resnet18["layer1.0.conv1.weight"] == [64, 64, 3, 3])
        #expect(resnet18["layer1.0.downsample.0.weight"] == nil)
        #expect(resnet18["layer2.0.downsample.0.weight"] == [128, 64, 1, 1])
        #expect(resnet18["layer2.0.downsample.1.running_var"] == [128])
        #expect(resnet18["layer4.1.bn2.running_mean"] == [512])
        #expect(resnet18["fc.bias"] == [1000])
        // 122 entries of torchvision's, of which 20 are num_batches_tracked.
        #expect(resnet18.count == 102)

        let resnet50 = try Self.shapes("resnet50")
        #expect(resnet50["layer1.0.downsample.0.weight"] == [256, 64, 1, 1])
        #expect(resnet50["layer4.2.conv3.weight"] == [2048, 512, 1, 1])
        // 320, of which 53.
        #expect(resnet50.count == 267)

        let mobilenet = try Self.shapes("mobilenetv2")
        #expect(mobilenet["features.0.0.weight"] == [32, 3, 3, 3])
        #expect(mobilenet["features.1.conv.0.0.weight"] == [32, 1, 3, 3])
        #expect(mobilenet["features.1.conv.1.weight"] == [16, 32, 1, 1])
        #expect(mobilenet["features.1.conv.2.running_mean"] == [16])
        #expect(mobilenet["features.3.conv.1.0.weight"] == [144, 1, 3, 3])
        #expect(mobilenet["features.17.conv.3.bias"] == [320])
        #expect(mobilenet["features.18.0.weight"] == [1280, 320, 1, 1])
        #expect(mobilenet["classifier.1.weight"] == [1000, 1280])
        // 314, of which 52.
        #expect(mobilenet.count == 262)

        let vgg = try Self.shapes("vgg11")
        #expect(vgg["features.25.weight"] == [512, 512, 3, 3])
        #expect(vgg["classifier.6.bias"] == [1000])
        let lite = try Self.shapes("efficientnet-lite0")
        #expect(lite["_blocks.15._project_conv.weight"] == [320, 1152, 1, 1])
        #expect(lite["_blocks.0._bn0.weight"] == nil)
    }

    @Test("resnet20 takes the tensors of a network trained with PyTorch")
    func trainedNames() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/fashion_resnet20/fashion_resnet20.safetensors")
        let data = try Data(contentsOf: file)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length))
        var trained: [String: [Int]] = [:]
        for (name, entry) in header as? [String: Any] ?? [:] where name != "__metadata__" {
            trained[name] = (entry as? [String: Any])?["shape"] as? [Int]
        }
        #expect(try Self.shapes("resnet20@1x28x28/10") == trained)
    }

    @Test(
        "a network is complete, has finite weights, and the same bits for the same seed",
        arguments: [
            "lenet5", "mlp@3x5x7/4", "resnet20@1x28x28", "resnet18@3x33x47/10", "resnet34@3x1x1/2",
            "resnet50@1x64x64/2", "resnet164@3x30x17/100", "vgg11@3x32x32/10", "vgg19@3x63x32/10",
            "mobilenetv2@3x32x32/10", "efficientnet-lite0@3x97x65/10",
        ])
    func builds(_ specification: String) throws {
        let network = try Zoo.network(specification, seed: 3)
        try network.check()
        #expect(specification.hasPrefix(network.name))
        for (name, parameter) in network.parameters {
            let isFinite = parameter.tensor.withFloats { elements in
                elements.withMemoryRebound(to: UInt32.self) { bits in
                    bits.allSatisfy { $0 & 0x7F80_0000 != 0x7F80_0000 }
                }
            }
            #expect(isFinite, "\(name)")
        }
        let first = network.weightSites[0].name
        let again = try Zoo.network(specification, seed: 3)
        #expect(again.parameters[first]?.tensor == network.parameters[first]?.tensor)
        #expect(network.weightSites.count > 2)
    }

    @Test("variances grow with the depth of a residual network, not exponentially")
    func tame() throws {
        let network = try Zoo.network("resnet164")
        let variances = network.parameters.filter { $0.key.hasSuffix(".running_var") }
            .map { $0.value.tensor.floats[0] }
        #expect(variances.allSatisfy { 0.1...100 ~= $0 })
    }

    @Test("an unknown name lists those that are near")
    func unknown() {
        #expect {
            try Zoo.network("resnet51")
        } throws: { error in
            guard let error = error as? NetworkError else { return false }
            return error.code == .unknownNetwork && error.message.contains("did you mean")
                && error.message.contains("'resnet50'")
        }
    }

    @Test(
        "a wrong specification, an input too small and absurd sizes are errors",
        arguments: [
            "", "@3x32x32", "ResNet20", "resnet20 ", "resnet20@", "resnet20@3x32", "resnet20/",
            "resnet20@3x32x32x1", "resnet20@3x-1x32", "resnet20@0x32x32", "resnet20@+3x32x32",
            "resnet20@3x32x1000000000", "resnet20/0", "resnet20/1000000000", "resnet20/10/10",
            "resnet20/10@3x32x32", "resnet20/99999999999999999999", "vgg11@3x16x16",
            "vgg19@3x100x100", "lenet5@1x8x8", "mlp@4096x8192x8192",
        ])
    func wrong(_ specification: String) {
        #expect(throws: NetworkError.self) { try Zoo.network(specification) }
    }
}

/// Multiply-accumulates of one image, from sizes found anew.
private struct MultiplyAccumulates {
    private(set) var count = 0
    private var sizes: [String: [Int]]

    init(_ draft: NetworkDraft, input: [Int]) {
        let parameters = Dictionary(
            uniqueKeysWithValues: draft.parameters.map { ($0.name, $0.shape) })
        sizes = ["input": Array(input[1...])]
        for node in draft.nodes {
            var size = sizes[node.inputs[0]] ?? []
            let weight = parameters[node.inputs.count > 1 ? node.inputs[1] : ""] ?? []
            switch node.operation {
            case .conv(let convolution):
                size = Self.moved(
                    size, convolution.kernel, convolution.strides, convolution.padding)
                count += weight.reduce(1, *) * size.reduce(1, *)
            case .maxPool(let pooling), .averagePool(let pooling, _):
                size = Self.moved(size, pooling.kernel, pooling.strides, pooling.padding)
            case .globalAveragePool: size = [1, 1]
            case .gemm: count += weight.reduce(1, *)
            default: break
            }
            sizes[node.outputs[0]] = size
        }
    }

    private static func moved(
        _ size: [Int], _ kernel: [Int], _ strides: [Int],
        _ padding: Networks.Operation.SpatialPadding
    ) -> [Int] {
        size.indices.map { axis in
            guard case .explicit(let begin, let end) = padding else {
                return Int((Double(size[axis]) / Double(strides[axis])).rounded(.up))
            }
            let padded = size[axis] + (begin.isEmpty ? 0 : begin[axis] + end[axis])
            return (padded - kernel[axis]) / strides[axis] + 1
        }
    }
}
