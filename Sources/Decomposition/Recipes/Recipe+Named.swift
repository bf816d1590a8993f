extension Recipe {
    /// The recipes that can be asked for by name.
    public static let names = ["resnet18", "resnet18-mild", "mobilenetv2"]

    /// A recipe by its name, or nil.
    ///
    /// They are the authors' published fractions of positions to prune, layer by layer, for the
    /// CIFAR versions of the networks, in reference mode; the layers are named as in the usual
    /// PyTorch sources (`shortcut` or `downsample`, `linear` or `fc` or `classifier`).
    /// - Source: SmartDeal (arXiv 2101.01163), the published settings.
    public static func named(_ name: String) -> Recipe? {
        switch name {
        case "resnet18": pruning(resNet18Layers, resNet18)
        case "resnet18-mild": pruning(resNet18Layers, resNet18Mild)
        case "mobilenetv2": pruning(mobileNetV2Layers, mobileNetV2)
        default: nil
        }
    }

    private static func pruning(_ layers: [String], _ fractions: [Double]) -> Recipe {
        var recipe = Recipe()
        recipe.defaults = [Setting("mode", .text("reference"))]
        recipe.rules = zip(layers, fractions).map { layer, fraction in
            Rule(
                Glob("{,module.}" + layer + ".weight"),
                fraction > 0 ? [Setting("prune", .number(fraction))] : [])
        }
        return recipe
    }

    private static let resNet18 = [
        0.4, 0.6, 0.4, 0.4, 0.4, 0.2, 0.3, 0.1, 0.4, 0.4, 0.3, 0.3, 0.2, 0.4, 0.6, 0.8, 0.9, 0.6,
        0.9, 0.9, 0.1,
    ]

    private static let resNet18Mild = [
        0.3, 0.5, 0.3, 0.3, 0.3, 0.2, 0.3, 0.1, 0.3, 0.3, 0.3, 0.3, 0.2, 0.3, 0.5, 0.7, 0.7, 0.5,
        0.7, 0.7, 0.1,
    ]

    private static let mobileNetV2 = [
        0.1, 0.4, 0, 0.8, 0.2, 0.2, 0, 0.5, 0.05, 0.2, 0, 0.4, 0.1, 0, 0.1, 0.2, 0, 0.4, 0.2, 0,
        0.4, 0.2, 0, 0.4, 0.2, 0, 0.4, 0.3, 0, 0.5, 0.5, 0, 0.6, 0.6, 0, 0.6, 0.1, 0.5, 0, 0.6,
        0.6, 0, 0.6, 0.4, 0, 0.6, 0.6, 0, 0.8, 0.8, 0, 0.8, 0.6, 0, 0.8, 0.6, 0.8, 0,
    ]

    /// The weights of ResNet-18 in order: the first block of a stage after the first has a
    /// shortcut convolution.
    private static let resNet18Layers: [String] = {
        var layers = ["conv1"]
        for stage in 1...4 {
            for block in 0...1 {
                let path = "layer\(stage).\(block)"
                layers += [path + ".conv1", path + ".conv2"]
                if stage > 1, block == 0 { layers.append(path + ".{shortcut,downsample}.0") }
            }
        }
        return layers + ["{linear,fc}"]
    }()

    /// The weights of MobileNetV2 in order: blocks of three convolutions, with a shortcut
    /// convolution where the stride is 1 and the number of channels changes.
    private static let mobileNetV2Layers: [String] = {
        let stages: [(channels: Int, blocks: Int, stride: Int)] = [
            (16, 1, 1), (24, 2, 1), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1),
        ]
        var layers = ["conv1"]
        var block = 0
        var channels = 32
        for stage in stages {
            for index in 0..<stage.blocks {
                let path = "layers.\(block)"
                layers += [path + ".conv1", path + ".conv2", path + ".conv3"]
                if index > 0 || stage.stride == 1, channels != stage.channels {
                    layers.append(path + ".shortcut.0")
                }
                channels = stage.channels
                block += 1
            }
        }
        return layers + ["conv2", "{linear,fc,classifier}"]
    }()
}
