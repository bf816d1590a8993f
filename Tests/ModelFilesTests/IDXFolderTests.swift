import DenseMath
import Foundation
import ModelFiles
import Networks
import Testing

@Suite("IDX data sets")
struct IDXFolderTests {
    private static let images = "t10k-images-idx3-ubyte"
    private static let labels = "t10k-labels-idx1-ubyte"
    private static let pixels = (0..<12).map { UInt8($0 * 20) }

    /// A folder of two images of 2 x 3 pixels.
    private func folder(
        images: [UInt8] = idx([2, 2, 3], Self.pixels), labels: [UInt8] = idx([2], [4, 1]),
        ending: String = ""
    ) throws -> TestFolder {
        let folder = try TestFolder()
        try folder.place(images, at: Self.images + ending)
        try folder.place(labels, at: Self.labels + ending)
        return folder
    }

    @Test("plain and gzip files are read alike, gzip in several members too")
    func forms() throws {
        let plain = try folder()
        let whole = idx([2, 2, 3], Self.pixels)
        let zipped = try folder(
            images: gzip(Array(whole[..<9])) + gzip([]) + gzip(Array(whole[9...])),
            labels: gzip(idx([2], [4, 1])), ending: ".gz")
        for folder in [plain, zipped] {
            let dataset = try Dataset.load(folder.path)
            #expect(dataset.imageShape == [1, 2, 3])
            #expect(dataset.labels == [4, 1])
            #expect(dataset.classNames == ["0", "1", "2", "3", "4"])
            #expect(dataset.standardPreprocessing.name == "unit")
            #expect(try ModelFilesTests.pixels(of: dataset) == Self.pixels)
        }
    }

    @Test("dataset.json gives the name and the class names; unknown keys are refused")
    func description() throws {
        let folder = try folder()
        let names = #"["a", "b", "c", "d", "e"]"#
        try folder.place(
            Array(#"{"name": "letters", "class_names": \#(names)}"#.utf8), at: "dataset.json")
        let dataset = try Dataset.load(folder.path)
        #expect(dataset.name == "letters")
        #expect(dataset.classNames == ["a", "b", "c", "d", "e"])
        #expect(dataset.standardPreprocessing.classNames == dataset.classNames)
        try folder.place(Array(#"{"class_names": ["a"]}"#.utf8), at: "dataset.json")
        expectError(.invalidDataset, saying: "label 4 with 1 classes") {
            try Dataset.load(folder.path)
        }
        try folder.place(Array(#"{"nmae": "x"}"#.utf8), at: "dataset.json")
        expectError(.invalidDataset, saying: "'nmae'", "name and class_names") {
            try Dataset.load(folder.path)
        }
        try folder.place(Array(#"{"name": "fashion-mnist"}"#.utf8), at: "dataset.json")
        expectError(.invalidDataset, saying: "[1, 2, 3]", "[1, 28, 28]") {
            try Dataset.load(folder.path)
        }
        try folder.place([0xFF], at: "dataset.json")
        expectError(.invalidUTF8) { try Dataset.load(folder.path) }
    }

    @Test("a split that is not there is named")
    func missingSplit() throws {
        let folder = try folder()
        expectError(.missingSplit, saying: "train", Self.images) {
            try Dataset.load(folder.path, split: .train)
        }
        try FileManager.default.removeItem(atPath: folder(Self.labels))
        expectError(.missingSplit, saying: "labels") { try Dataset.load(folder.path) }
    }

    @Test("files that contradict their header or each other are refused")
    func refusals() throws {
        func refused(
            _ code: ModelFileError.Code, images: [UInt8] = idx([2, 2, 3], Self.pixels),
            labels: [UInt8] = idx([2], [4, 1]), saying word: String = "ubyte",
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let folder = try folder(images: images, labels: labels)
            expectError(code, saying: word, sourceLocation: sourceLocation) {
                try Dataset.load(folder.path)
            }
        }
        try refused(.invalidDataset, labels: idx([3], [4, 1, 0]), saying: "3 labels for 2 images")
        try refused(.wrongFileSize, images: idx([3, 2, 3], Self.pixels), saying: "needs 18 bytes")
        try refused(.wrongFileSize, images: idx([1, 2, 3], Self.pixels), saying: "there are more")
        try refused(.datasetTooLarge, images: idx([1 << 31, 1 << 31, 1 << 31], []))
        try refused(.invalidHeader, images: idx([2], [1, 2]), saying: "1 dimensions, expected 3")
        try refused(.unknownElementType, images: [0, 0, 0x0D, 3])
        try refused(.unknownFormat, images: [1, 2, 3, 4])
        try refused(.headerTooSmall, images: [0, 0, 8, 3, 0])
        try refused(.invalidDataset, images: idx([2, 0, 3], []), saying: "no pixels")
    }

    @Test("gzip that claims or holds more than its header allows is refused early")
    func bombs() throws {
        // 1 GB in a file of under 100 bytes.
        let claim = try folder(images: gzip(idx([1 << 10, 1 << 10, 1 << 10], [])))
        expectError(.wrongFileSize, saying: "more than it can hold") {
            try Dataset.load(claim.path)
        }
        let surplus = try folder(
            images: gzip(idx([2, 2, 3], .init(repeating: 0, count: 1_000_000))))
        expectError(.wrongFileSize, saying: "there are more") { try Dataset.load(surplus.path) }
    }

    @Test("gzip with a wrong checksum, cut off, or followed by something else is refused")
    func damagedGzip() throws {
        let whole = gzip(idx([2, 2, 3], Self.pixels))
        var changed = whole
        changed[whole.count - 10] ^= 1
        for bytes in [changed, whole + [0], whole + [1, 2, 3]] {
            let folder = try folder(images: bytes)
            expectError(.invalidCompression) { try Dataset.load(folder.path) }
        }
        for count in 0..<whole.count {
            let folder = try folder(images: Array(whole[..<count]))
            #expect(throws: ModelFileError.self) { try Dataset.load(folder.path) }
        }
        let plain = idx([2, 2, 3], Self.pixels)
        for count in 0..<plain.count {
            let folder = try folder(images: Array(plain[..<count]))
            #expect(throws: ModelFileError.self) { try Dataset.load(folder.path) }
        }
    }

    @Test("mutated files are read or refused, never trapped on", arguments: [1, 2] as [UInt64])
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let plain = [idx([2, 2, 3], Self.pixels), idx([2], [4, 1])]
        let folder = try TestFolder()
        var (accepted, codes) = (0, Set<ModelFileError.Code>())
        for step in 0..<1000 {
            var files = step % 2 == 0 ? plain : plain.map(gzip)
            let victim = Int.random(in: 0..<2, using: &random)
            files[victim] = mutated(files[victim], &random)
            try folder.place(files[0], at: Self.images)
            try folder.place(files[1], at: Self.labels)
            do {
                let dataset = try Dataset.load(folder.path)
                #expect(try dataset.batch(0..<dataset.count).count > 0)
                accepted += 1
            } catch let error as ModelFileError {
                codes.insert(error.code)
            }
        }
        print("seed \(seed): \(accepted) of 1000 accepted, \(codes.count) kinds of error")
        #expect(accepted > 30 && codes.count >= 6, "\(codes)")
    }
}
