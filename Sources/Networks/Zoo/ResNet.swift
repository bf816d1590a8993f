extension Zoo {
    /// He et al. 2015, as torchvision.
    static func resnet18(classes: Int) -> [any Layer] {
        resnet(blocks: [2, 2, 2, 2], expansion: 1, classes: classes, block: basicBlock)
    }

    /// He et al. 2015, as torchvision.
    static func resnet34(classes: Int) -> [any Layer] {
        resnet(blocks: [3, 4, 6, 3], expansion: 1, classes: classes, block: basicBlock)
    }

    /// He et al. 2015, as torchvision: with the stride in the 3x3 convolutions.
    static func resnet50(classes: Int) -> [any Layer] {
        resnet(blocks: [3, 4, 6, 3], expansion: 4, classes: classes, block: bottleneck)
    }

    @LayerBuilder
    private static func resnet(
        blocks: [Int], expansion: Int, classes: Int,
        block: (_ width: Int, _ stride: Int, _ projects: Bool) -> Sequential
    ) -> [any Layer] {
        Conv2d(64, kernelSize: 7, stride: 2, padding: 3, bias: false, name: "conv1")
        BatchNorm2d(name: "bn1")
        ReLU()
        MaxPool2d(3, stride: 2, padding: 1)
        for (stage, count) in blocks.enumerated() {
            Sequential("layer\(stage + 1)") {
                for index in 0..<count {
                    block(
                        64 << stage, stage > 0 && index == 0 ? 2 : 1,
                        index == 0 && (stage > 0 || expansion > 1))
                }
            }
        }
        GlobalAveragePool()
        Flatten()
        Linear(classes, name: "fc")
    }

    private static func basicBlock(width: Int, stride: Int, projects: Bool) -> Sequential {
        Sequential {
            Residual {
                Conv2d(
                    width, kernelSize: 3, stride: stride, padding: 1, bias: false, name: "conv1")
                BatchNorm2d(name: "bn1")
                ReLU()
                Conv2d(width, kernelSize: 3, padding: 1, bias: false, name: "conv2")
                BatchNorm2d(name: "bn2")
            } shortcut: {
                if projects { projection("downsample", to: width, stride: stride) }
            }
            ReLU()
        }
    }

    private static func bottleneck(width: Int, stride: Int, projects: Bool) -> Sequential {
        Sequential {
            Residual {
                Conv2d(width, kernelSize: 1, bias: false, name: "conv1")
                BatchNorm2d(name: "bn1")
                ReLU()
                Conv2d(
                    width, kernelSize: 3, stride: stride, padding: 1, bias: false, name: "conv2")
                BatchNorm2d(name: "bn2")
                ReLU()
                Conv2d(4 * width, kernelSize: 1, bias: false, name: "conv3")
                BatchNorm2d(name: "bn3")
            } shortcut: {
                if projects { projection("downsample", to: 4 * width, stride: stride) }
            }
            ReLU()
        }
    }

    /// A shortcut that changes the number of channels or the size.
    static func projection(_ name: String, to width: Int, stride: Int) -> Sequential {
        Sequential(name) {
            Conv2d(width, kernelSize: 1, stride: stride, bias: false)
            BatchNorm2d()
        }
    }
}
