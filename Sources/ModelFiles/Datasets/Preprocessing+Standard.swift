public import Networks

/// The normalisations that networks for well-known data sets are trained with: mean and standard
/// deviation of each channel over the training images, in units of pixel / 255.
extension Preprocessing {
    /// For Fashion-MNIST, gray.
    public static let fashionMNIST = Preprocessing(
        name: "fashion-mnist", mean: [0.2860], standardDeviation: [0.3530])
    /// For CIFAR-10, RGB.
    public static let cifar10 = Preprocessing(
        name: "cifar10", mean: [0.4914, 0.4822, 0.4465],
        standardDeviation: [0.2470, 0.2435, 0.2616]
    )
    /// For CIFAR-100, RGB.
    public static let cifar100 = Preprocessing(
        name: "cifar100", mean: [0.5071, 0.4865, 0.4409],
        standardDeviation: [0.2673, 0.2564, 0.2762])
    /// For ImageNet, RGB; torchvision's values.
    public static let imageNet = Preprocessing(
        name: "imagenet", mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
    /// None: pixel / 255.
    public static let unit = Preprocessing(name: "unit", mean: [0], standardDeviation: [1])
}
