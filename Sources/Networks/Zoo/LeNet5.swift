extension Zoo {
    /// LeCun et al. 1998, with ReLU and largest values; an image of 28x28 is padded to 32x32.
    @LayerBuilder
    static func lenet5(classes: Int) -> [any Layer] {
        Conv2d(6, kernelSize: 5, padding: 2, name: "conv1")
        ReLU()
        MaxPool2d(2)
        Conv2d(16, kernelSize: 5, name: "conv2")
        ReLU()
        MaxPool2d(2)
        Flatten()
        Linear(120, name: "fc1")
        ReLU()
        Linear(84, name: "fc2")
        ReLU()
        Linear(classes, name: "fc3")
    }
}
