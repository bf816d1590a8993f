extension Zoo {
    /// He et al. 2015, section 4.2, for small images: three stages of three blocks. Shortcuts that
    /// change the shape are projections (option B).
    @LayerBuilder
    static func resnet20(classes: Int) -> [any Layer] {
        Conv2d(16, kernelSize: 3, padding: 1, bias: false, name: "conv1")
        BatchNorm2d(name: "bn1")
        ReLU()
        Sequential("layers") {
            for index in 0..<9 {
                let width = 16 << (index / 3)
                let narrows = index == 3 || index == 6
                Sequential {
                    Residual {
                        Conv2d(
                            width, kernelSize: 3, stride: narrows ? 2 : 1, padding: 1, bias: false,
                            name: "conv1")
                        BatchNorm2d(name: "bn1")
                        ReLU()
                        Conv2d(width, kernelSize: 3, padding: 1, bias: false, name: "conv2")
                        BatchNorm2d(name: "bn2")
                    } shortcut: {
                        if narrows { projection("shortcut", to: width, stride: 2) }
                    }
                    ReLU()
                }
            }
        }
        GlobalAveragePool()
        Flatten()
        Linear(classes, name: "linear")
    }
}
