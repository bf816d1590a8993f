internal import Networks

/// What this project knows of a data set by its name.
struct KnownDataset: Sendable {
    let name: String
    /// `[channels, height, width]`.
    let imageShape: [Int]
    let classCount: Int
    /// The names of the classes, where the data set's files do not hold them.
    let classNames: [String]?
    let preprocessing: Preprocessing
    /// The folders it may be in, below a folder of data sets.
    let folderNames: [String]
    /// Where system packages put it.
    let systemFolders: [String]
    /// How to get it.
    let source: String

    static let fashionMNIST = KnownDataset(
        name: "fashion-mnist", imageShape: [1, 28, 28], classCount: 10,
        classNames: [
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
            "Bag", "Ankle boot",
        ],
        preprocessing: .fashionMNIST,
        folderNames: ["fashion-mnist", "FashionMNIST/raw"],
        systemFolders: ["/usr/share/datasets/fashion-mnist"],
        source: "install the Debian package dataset-fashion-mnist, or put the four .gz files of "
            + "https://github.com/zalandoresearch/fashion-mnist in data/fashion-mnist")

    static let cifar10 = KnownDataset(
        name: "cifar10", imageShape: [3, 32, 32], classCount: 10, classNames: nil,
        preprocessing: .cifar10,
        folderNames: ["cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"],
        systemFolders: [],
        source: "unpack the binary version, cifar-10-binary.tar.gz of "
            + "https://www.cs.toronto.edu/~kriz/cifar.html, in the folder data")

    static let cifar100 = KnownDataset(
        name: "cifar100", imageShape: [3, 32, 32], classCount: 100, classNames: nil,
        preprocessing: .cifar100,
        folderNames: ["cifar100", "cifar100/cifar-100-binary", "cifar-100-binary"],
        systemFolders: [],
        source: "unpack the binary version, cifar-100-binary.tar.gz of "
            + "https://www.cs.toronto.edu/~kriz/cifar.html, in the folder data")

    static let all = [fashionMNIST, cifar10, cifar100]

    /// The data set of a name, if it is one of ``all``.
    static func named(_ name: String) -> KnownDataset? {
        all.first { $0.name == name }
    }
}
