extension Zoo {
    /// Simonyan and Zisserman 2014 with batch normalisation, as torchvision's `vgg11_bn` and
    /// `vgg19_bn`, by the number of convolutions in each stage.
    ///
    /// For images below 64x64 the classifier is one linear layer, as is usual for CIFAR. For others
    /// height and width have to give a multiple of 7 after five halvings: 224, 448.
    @LayerBuilder
    static func vgg(_ convolutions: [Int], input: [Int], classes: Int) -> [any Layer] {
        Sequential("features") {
            for (stage, count) in convolutions.enumerated() {
                for _ in 0..<count {
                    Conv2d(min(64 << stage, 512), kernelSize: 3, padding: 1)
                    BatchNorm2d()
                    ReLU()
                }
                MaxPool2d(2)
            }
        }
        if input[1] < 64 && input[2] < 64 {
            Flatten()
            Sequential("classifier") { Linear(classes) }
        } else {
            AdaptiveAvgPool2d(7)
            Flatten()
            Sequential("classifier") {
                Linear(4096)
                ReLU()
                Dropout()
                Linear(4096)
                ReLU()
                Dropout()
                Linear(classes)
            }
        }
    }
}
