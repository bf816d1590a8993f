extension Zoo {
    /// He et al. 2016, "Identity mappings in deep residual networks", for small images: three
    /// stages of 18 bottlenecks with normalisation and ReLU before each convolution.
    @LayerBuilder
    static func resnet164(classes: Int) -> [any Layer] {
        Conv2d(16, kernelSize: 3, padding: 1, bias: false, name: "conv1")
        for stage in 0..<3 {
            Sequential("layer\(stage + 1)") {
                for index in 0..<18 {
                    preactivated(
                        width: 16 << stage, stride: stage > 0 && index == 0 ? 2 : 1,
                        projects: index == 0)
                }
            }
        }
        BatchNorm2d(name: "bn")
        ReLU()
        GlobalAveragePool()
        Flatten()
        Linear(classes, name: "fc")
    }

    /// Where the shortcut is a projection, it too takes the activated input.
    private static func preactivated(width: Int, stride: Int, projects: Bool) -> Sequential {
        Sequential {
            if projects { activation }
            Residual {
                if !projects { activation }
                Conv2d(width, kernelSize: 1, bias: false, name: "conv1")
                BatchNorm2d(name: "bn2")
                ReLU()
                Conv2d(
                    width, kernelSize: 3, stride: stride, padding: 1, bias: false, name: "conv2")
                BatchNorm2d(name: "bn3")
                ReLU()
                Conv2d(4 * width, kernelSize: 1, bias: false, name: "conv3")
            } shortcut: {
                if projects {
                    Conv2d(
                        4 * width, kernelSize: 1, stride: stride, bias: false, name: "shortcut")
                }
            }
        }
    }

    @LayerBuilder
    private static var activation: [any Layer] {
        BatchNorm2d(name: "bn1")
        ReLU()
    }
}
