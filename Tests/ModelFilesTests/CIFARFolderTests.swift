import DenseMath
import ModelFiles
import Networks
import Testing

@Suite("CIFAR data sets")
struct CIFARFolderTests {
    /// A record whose pixels count up from the label.
    private func record(_ labels: [UInt8]) -> [UInt8] {
        labels + (0..<3072).map { UInt8(truncatingIfNeeded: $0 + Int(labels.last ?? 0)) }
    }

    private func pixels(_ label: Int) -> [UInt8] {
        (0..<3072).map { UInt8(truncatingIfNeeded: $0 + label) }
    }

    @Test("CIFAR-10: batches are in the order of their names, with names and normalisation")
    func cifar10() throws {
        let folder = try TestFolder()
        let place = "cifar-10-batches-bin/"
        try folder.place(record([9]) + record([0]), at: place + "test_batch.bin")
        try folder.place(record([2]), at: place + "data_batch_2.bin")
        try folder.place(record([1]), at: place + "data_batch_1.bin")
        let names = (0..<10).map { "class \($0)" }
        try folder.place(
            Array((names.joined(separator: "\n") + "\n\n").utf8), at: place + "batches.meta.txt")
        let test = try Dataset.load("cifar10", split: .test, limit: nil, searching: [folder.path])
        #expect(test.labels == [9, 0])
        #expect(test.imageShape == [3, 32, 32])
        #expect(test.classNames == names)
        #expect(test.standardPreprocessing.mean == Preprocessing.cifar10.mean)
        #expect(try ModelFilesTests.pixels(of: test) == pixels(9) + pixels(0))
        let train = try Dataset.load(folder(place), split: .train)
        #expect(train.name == "cifar10")
        #expect(train.labels == [1, 2])
        let one = try Dataset.load("cifar10", split: .train, limit: 1, searching: [folder.path])
        #expect(one.labels == [1])
    }

    @Test("CIFAR-100: the fine label is the class")
    func cifar100() throws {
        let folder = try TestFolder()
        try folder.place(record([19, 99]) + record([0, 7]), at: "cifar100/test.bin")
        let test = try Dataset.load("cifar100", split: .test, limit: nil, searching: [folder.path])
        #expect(test.labels == [99, 7])
        #expect(test.classNames == (0..<100).map(String.init))
        #expect(test.standardPreprocessing.name == "cifar100")
        #expect(try ModelFilesTests.pixels(of: test) == pixels(99) + pixels(7))
        expectError(.missingSplit, saying: "train") {
            try Dataset.load(folder("cifar100"), split: .train)
        }
    }

    @Test("a data set that is not there: where it was looked for and how to get it")
    func absent() throws {
        let folder = try TestFolder()
        expectError(
            .unknownDataset, saying: "test images of 'cifar10'", "\(folder.path)/cifar10,",
            "cifar-10-binary.tar.gz"
        ) {
            try Dataset.load("cifar10", split: .test, limit: nil, searching: [folder.path])
        }
        // The folder of that name has no images of this split.
        try folder.place(record([1]), at: "cifar10/data_batch_1.bin")
        expectError(.unknownDataset) {
            try Dataset.load("cifar10", split: .test, limit: nil, searching: [folder.path])
        }
    }

    @Test("wrong sizes, labels and lists of names are refused")
    func refusals() throws {
        let folder = try TestFolder()
        let whole = record([9])
        for count in [1, 3072, 3074] {
            try folder.place(Array((whole + [0]).prefix(count)), at: "a/test_batch.bin")
            expectError(.wrongFileSize, saying: "\(count) bytes", "3073") {
                try Dataset.load(folder("a"))
            }
        }
        try folder.place([], at: "a/test_batch.bin")
        expectError(.emptyFile) { try Dataset.load(folder("a")) }
        try folder.place(whole + record([10]), at: "a/test_batch.bin")
        expectError(.invalidDataset, saying: "image 1 has label 10") {
            try Dataset.load(folder("a"))
        }
        try folder.place(whole, at: "a/test_batch.bin")
        try folder.place(Array("one\ntwo\n".utf8), at: "a/batches.meta.txt")
        expectError(.invalidDataset, saying: "2 names for 10 classes") {
            try Dataset.load(folder("a"))
        }
    }
}
