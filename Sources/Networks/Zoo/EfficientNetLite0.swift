extension Zoo {
    /// EfficientNet-lite0 of TensorFlow's TPU models: EfficientNet-B0 (Tan and Le 2019) with ReLU6
    /// and without squeeze and excitation. Padding is TensorFlow's SAME; the names are those of
    /// the PyTorch package efficientnet_lite_pytorch.
    @LayerBuilder
    static func efficientnetLite0(classes: Int) -> [any Layer] {
        convolution(32, kernelSize: 3, stride: 2, "_conv_stem", "_bn0")
        ReLU6()
        Sequential("_blocks") {
            mobileBlock(from: 32, to: 16, kernelSize: 3, expansion: 1, stride: 1)
            mobileBlocks(2, from: 16, to: 24, kernelSize: 3, stride: 2)
            mobileBlocks(2, from: 24, to: 40, kernelSize: 5, stride: 2)
            mobileBlocks(3, from: 40, to: 80, kernelSize: 3, stride: 2)
            mobileBlocks(3, from: 80, to: 112, kernelSize: 5, stride: 1)
            mobileBlocks(4, from: 112, to: 192, kernelSize: 5, stride: 2)
            mobileBlocks(1, from: 192, to: 320, kernelSize: 3, stride: 1)
        }
        convolution(1280, kernelSize: 1, "_conv_head", "_bn1")
        ReLU6()
        GlobalAveragePool()
        Flatten()
        Dropout()
        Linear(classes, name: "_fc")
    }

    @LayerBuilder
    private static func mobileBlocks(
        _ count: Int, from input: Int, to output: Int, kernelSize: Int, stride: Int
    ) -> [any Layer] {
        mobileBlock(from: input, to: output, kernelSize: kernelSize, expansion: 6, stride: stride)
        for _ in 1..<count {
            mobileBlock(from: output, to: output, kernelSize: kernelSize, expansion: 6, stride: 1)
        }
    }

    private static func mobileBlock(
        from input: Int, to output: Int, kernelSize: Int, expansion: Int, stride: Int
    ) -> Sequential {
        let width = expansion * input
        @LayerBuilder var layers: [any Layer] {
            if expansion > 1 {
                convolution(width, kernelSize: 1, "_expand_conv", "_bn0")
                ReLU6()
            }
            convolution(
                width, kernelSize: kernelSize, stride: stride, groups: width, "_depthwise_conv",
                "_bn1")
            ReLU6()
            convolution(output, kernelSize: 1, "_project_conv", "_bn2")
        }
        return Sequential {
            if stride == 1 && input == output {
                Residual { layers }
            } else {
                layers
            }
        }
    }

    @LayerBuilder
    private static func convolution(
        _ outputs: Int, kernelSize: Int, stride: Int = 1, groups: Int = 1, _ name: String,
        _ normalisation: String
    ) -> [any Layer] {
        Conv2d(
            outputs, kernelSize: kernelSize, stride: stride, padding: .sameUpper, groups: groups,
            bias: false, name: name)
        BatchNorm2d(eps: 1e-3, name: normalisation)
    }
}
