import DenseMath
import Foundation
import ModelFiles
import Networks
import Testing

@Suite("Data sets")
struct DatasetTests {
    private static let bundled = fixtures + "/fashion_mnist_2000"
    private static let installed = "/usr/share/datasets/fashion-mnist"

    @Test("the bundled folder is Fashion-MNIST: names, normalisation, the first 2,000 test images")
    func bundled() throws {
        let dataset = try Dataset.load(Self.bundled)
        #expect(dataset.name == "fashion-mnist")
        #expect(dataset.count == 2000)
        #expect(dataset.imageShape == [1, 28, 28])
        #expect(dataset.classNames[9] == "Ankle boot")
        #expect(dataset.labels.prefix(8) == [9, 2, 1, 1, 6, 1, 4, 6])
        var expected = Preprocessing.fashionMNIST
        expected.classNames = dataset.classNames
        #expect(dataset.standardPreprocessing == expected)
        // numpy.frombuffer(gzip.open(...).read()[16:], "u1").sum()
        #expect(try pixels(of: dataset).reduce(0) { $0 + Int($1) } == 114_763_281)
    }

    @Test(
        "Debian's Fashion-MNIST has 1,000 test and 6,000 training images of each class",
        .enabled(if: FileManager.default.fileExists(atPath: installed), "not installed"))
    func debian() throws {
        let nowhere = try TestFolder()
        let test = try Dataset.load(
            "fashion-mnist", split: .test, limit: nil, searching: [nowhere.path])
        let train = try Dataset.load(
            "fashion-mnist", split: .train, limit: nil, searching: [nowhere.path])
        for (dataset, count) in [(test, 1000), (train, 6000)] {
            let histogram = Dictionary(grouping: dataset.labels) { $0 }.mapValues(\.count)
            #expect(histogram == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, count) }))
        }
        let bundled = try Dataset.load(Self.bundled)
        #expect(bundled.labels == Array(test.labels.prefix(2000)))
        #expect(try bundled.batch(0..<2000) == test.batch(0..<2000))
        #expect(
            try Dataset.load(Self.installed, limit: 5).standardPreprocessing.mean
                == [0.2860])
    }

    @Test("normalisation has PyTorch's bits: divide by 255, subtract, divide")
    func normalisation() throws {
        // torch.tensor([...], dtype=torch.uint8).float().div(255).sub_(mean).div_(std), as bits.
        let values: [UInt8] = [0, 1, 2, 77, 128, 254, 255]
        let gray: [UInt32] = [
            0xBF4F_6929, 0xBF4C_911B, 0xBF49_B90C, 0x3D39_3308, 0x3F1C_9E13, 0x4000_BD4C,
            0x4001_734F,
        ]
        let color: [[UInt32]] = [
            [
                0xBFFE_A713, 0xBFFC_9ED3, 0xBFFA_9693, 0xBF44_5784, 0x3D2F_2140, 0x4002_C452,
                0x4003_C873,
            ],
            [
                0xBFFD_7A10, 0xBFFB_6A55, 0xBFF9_5A9A, 0xBF3D_7DE2, 0x3DA6_33AE, 0x4007_1088,
                0x4008_1864,
            ],
            [
                0xBFDA_7891, 0xBFD8_8D5A, 0xBFD6_A223, 0xBF0D_71F2, 0x3E59_1825, 0x4006_7415,
                0x4007_69B1,
            ],
        ]
        let folder = try TestFolder()
        try folder.place(png(width: 7, height: 1, channels: 1, values), at: "gray/a/1.png")
        let grayImages = try Dataset.load(folder("gray"))
        let grayBatch = try grayImages.batch([0], preprocessing: .fashionMNIST)
        #expect(grayBatch.shape == [1, 1, 1, 7])
        #expect(grayBatch.floats.map(\.bitPattern) == gray)
        try folder.place(
            png(width: 7, height: 1, channels: 3, values.flatMap { [$0, $0, $0] }),
            at: "color/a/1.png")
        let colorBatch = try Dataset.load(folder("color")).batch([0], preprocessing: .cifar10)
        #expect(colorBatch.shape == [1, 3, 1, 7])
        #expect(colorBatch.floats.map(\.bitPattern) == color.flatMap(\.self))
        // Floats take the same steps, after the division by 255.
        try NPYFile.write(
            Tensor(shape: [1, 7], values.map { Float($0) / 255 }), to: folder("gray/a/1.npy"))
        try FileManager.default.removeItem(atPath: folder("gray/a/1.png"))
        let floats = try Dataset.load(folder("gray")).batch([0], preprocessing: .fashionMNIST)
        #expect(floats.floats.map(\.bitPattern) == gray)
    }

    @Test("parts of a data set have the images, labels and names of the whole")
    func subsets() throws {
        let whole = try Dataset.load(Self.bundled)
        let part = whole.subset([7, 3, 3]).subset([2, 0])
        #expect(part.labels == [whole.labels[3], whole.labels[7]])
        #expect(part.classNames == whole.classNames)
        #expect(try part.batch(0..<2) == whole.batch([3, 7]))
        #expect(whole.prefix(5).count == 5)
        #expect(whole.prefix(5000).count == 2000)
        #expect(try Dataset.load(Self.bundled, limit: 3).labels == Array(whole.labels.prefix(3)))
        #expect(try whole.batch(5..<5).shape == [0, 1, 28, 28])
    }

    @Test("a normalisation that does not fit the images is refused")
    func misfit() throws {
        let dataset = try Dataset.load(Self.bundled, limit: 1)
        expectError(.invalidPreprocessing, saying: "'cifar10'", "3 means", "1 channels") {
            try dataset.batch([0], preprocessing: .cifar10)
        }
        for deviation in [0, -1, Float.nan, .infinity] {
            let preprocessing = Preprocessing(
                name: "x", mean: [0], standardDeviation: [deviation])
            expectError(.invalidPreprocessing) {
                try dataset.batch([0], preprocessing: preprocessing)
            }
        }
        let empty = Preprocessing(name: "x", mean: [], standardDeviation: [])
        expectError(.invalidPreprocessing) { try dataset.batch([0], preprocessing: empty) }
    }

    @Test("an image that is not there is the caller's bug")
    func outOfRange() async {
        await #expect(processExitsWith: .failure) {
            let dataset = try Dataset.load(fixtures + "/fashion_mnist_2000", limit: 1)
            _ = try dataset.batch([1])
        }
    }
}
