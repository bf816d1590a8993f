extension Zoo {
    /// LeNet-300-100 of LeCun et al. 1998, with ReLU: hidden layers of 300 and 100.
    @LayerBuilder
    static func mlp(classes: Int) -> [any Layer] {
        Flatten()
        Linear(300, name: "fc1")
        ReLU()
        Linear(100, name: "fc2")
        ReLU()
        Linear(classes, name: "fc3")
    }
}
