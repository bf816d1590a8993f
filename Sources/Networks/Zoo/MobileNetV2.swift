extension Zoo {
    /// Sandler et al. 2018, as torchvision.
    @LayerBuilder
    static func mobilenetV2(classes: Int) -> [any Layer] {
        Sequential("features") {
            normalised(32, kernelSize: 3, stride: 2)
            invertedResidual(from: 32, to: 16, expansion: 1, stride: 1)
            invertedResiduals(2, from: 16, to: 24, stride: 2)
            invertedResiduals(3, from: 24, to: 32, stride: 2)
            invertedResiduals(4, from: 32, to: 64, stride: 2)
            invertedResiduals(3, from: 64, to: 96, stride: 1)
            invertedResiduals(3, from: 96, to: 160, stride: 2)
            invertedResiduals(1, from: 160, to: 320, stride: 1)
            normalised(1280, kernelSize: 1)
        }
        GlobalAveragePool()
        Flatten()
        Sequential("classifier") {
            Dropout()
            Linear(classes)
        }
    }

    @LayerBuilder
    private static func invertedResiduals(
        _ count: Int, from input: Int, to output: Int, stride: Int
    ) -> [any Layer] {
        invertedResidual(from: input, to: output, expansion: 6, stride: stride)
        for _ in 1..<count {
            invertedResidual(from: output, to: output, expansion: 6, stride: 1)
        }
    }

    private static func invertedResidual(
        from input: Int, to output: Int, expansion: Int, stride: Int
    ) -> Sequential {
        let width = expansion * input
        let layers = Sequential("conv") {
            if expansion > 1 { normalised(width, kernelSize: 1) }
            normalised(width, kernelSize: 3, stride: stride, groups: width)
            Conv2d(output, kernelSize: 1, bias: false)
            BatchNorm2d()
        }
        return Sequential {
            if stride == 1 && input == output {
                Residual { layers }
            } else {
                layers
            }
        }
    }

    private static func normalised(
        _ outputs: Int, kernelSize: Int, stride: Int = 1, groups: Int = 1
    ) -> Sequential {
        Sequential {
            Conv2d(
                outputs, kernelSize: kernelSize, stride: stride, padding: kernelSize / 2,
                groups: groups, bias: false)
            BatchNorm2d()
            ReLU6()
        }
    }
}
