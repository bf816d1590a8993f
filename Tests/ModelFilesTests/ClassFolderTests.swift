import DenseMath
import Foundation
import ModelFiles
import Networks
import Testing

@Suite("Data sets of a folder for each class")
struct ClassFolderTests {
    private func gray(_ value: UInt8) -> [UInt8] {
        png(width: 2, height: 1, channels: 1, [value, value])
    }

    @Test("classes are sorted, images come class by turn, and a limit takes some of each")
    func order() throws {
        let folder = try TestFolder()
        for (name, value) in [("b/1.png", 10), ("b/2.png", 11), ("a/x.PNG", 20), ("b/3.png", 12)] {
            try folder.place(gray(UInt8(value)), at: name)
        }
        try folder.place([1], at: "a/.hidden.jpg")
        try folder.place([1], at: "a/notes.txt")
        let all = try Dataset.load(folder.path)
        #expect(all.classNames == ["a", "b"])
        #expect(all.labels == [0, 1, 1, 1])
        #expect(all.imageShape == [1, 1, 2])
        #expect(all.standardPreprocessing.name == "unit")
        #expect(try pixels(of: all) == [20, 20, 10, 10, 11, 11, 12, 12])
        // The last image is never looked at.
        try folder.place([1, 2, 3], at: "b/3.png")
        #expect(try Dataset.load(folder.path, limit: 3).labels == [0, 1, 1])
        #expect(try Dataset.load(folder.path, limit: 0).count == 0)
    }

    @Test("folders train and test are splits, but a class when images are in them")
    func splits() throws {
        let folder = try TestFolder()
        try folder.place(gray(1), at: "s/train/cat/1.png")
        try folder.place(gray(2), at: "s/test/dog/1.png")
        #expect(try Dataset.load(folder("s"), split: .train).classNames == ["cat"])
        #expect(try Dataset.load(folder("s"), split: .test).classNames == ["dog"])
        try FileManager.default.removeItem(atPath: folder("s/test"))
        expectError(.missingSplit, saying: "'test'") { try Dataset.load(folder("s")) }
        try folder.place(gray(1), at: "v/train/1.png")
        try folder.place(gray(2), at: "v/bus/1.png")
        #expect(try Dataset.load(folder("v")).classNames == ["bus", "train"])
    }

    @Test("PNG files become gray or RGB as the first is")
    func channels() throws {
        let folder = try TestFolder()
        let color = png(width: 1, height: 1, channels: 3, [200, 100, 50])
        try folder.place(png(width: 1, height: 1, channels: 1, [7]), at: "gray/a/1.png")
        try folder.place(color, at: "gray/a/2.png")
        let gray = try Dataset.load(folder("gray"))
        #expect(gray.imageShape == [1, 1, 1])
        #expect(try pixels(of: gray) == [7, 124])  // 0.299 * 200 + 0.587 * 100 + 0.114 * 50
        try folder.place(color, at: "color/a/1.png")
        try folder.place(png(width: 1, height: 1, channels: 1, [7]), at: "color/a/2.png")
        let rgb = try Dataset.load(folder("color"))
        #expect(rgb.imageShape == [3, 1, 1])
        #expect(rgb.standardPreprocessing.name == "imagenet")
        #expect(try pixels(of: rgb) == [200, 100, 50, 7, 7, 7])
    }

    @Test("NPY images: bytes or floats, channels first or last")
    func arrays() throws {
        let folder = try TestFolder()
        try folder.place(npy([2, 2, 3], Array(0..<12)), at: "last/a/1.npy")
        let last = try Dataset.load(folder("last"))
        #expect(last.imageShape == [3, 2, 2])
        #expect(try pixels(of: last) == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
        try folder.place(npy([3, 2, 2], Array(0..<12)), at: "first/a/1.npy")
        #expect(try pixels(of: Dataset.load(folder("first"))) == Array(0..<12))
        try folder.place(npy([2, 2], [1, 2, 3, 4]), at: "flat/a/1.npy")
        #expect(try Dataset.load(folder("flat")).imageShape == [1, 2, 2])

        try folder.place([0], at: "floats/a/.keep")
        try NPYFile.write(Tensor(shape: [1, 2], [0.5, -2]), to: folder("floats/a/1.npy"))
        let floats = try Dataset.load(folder("floats"))
        let half = Preprocessing(name: "half", mean: [0.5], standardDeviation: [0.25])
        #expect(try floats.batch(0..<1, preprocessing: half).floats == [0, -10])
    }

    @Test("images that do not fit together, or are none, are refused by name")
    func refusals() throws {
        let folder = try TestFolder()
        func refused(
            _ code: ModelFileError.Code, _ files: [(String, [UInt8])], saying word: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            try? FileManager.default.removeItem(atPath: folder("x"))
            for (name, bytes) in files { try folder.place(bytes, at: "x/" + name) }
            expectError(code, saying: word, sourceLocation: sourceLocation) {
                try Dataset.load(folder("x"))
            }
        }
        let floats = npy(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
            [UInt8](repeating: 0, count: 8))
        try refused(
            .invalidDataset, [("a/1.png", gray(1)), ("b/2.npy", npy([2, 2], [1, 2, 3, 4]))],
            saying: "shape [1, 2, 2], that of the first image")
        try refused(
            .invalidDataset, [("a/1.png", gray(1)), ("b/2.npy", floats)], saying: "two types")
        try refused(
            .invalidImage, [("a/1.npy", npy([4], [1, 2, 3, 4]))], saying: "[4] is no image")
        try refused(.invalidImage, [("a/1.npy", npy([0, 4], []))], saying: "[0, 4] is no image")
        try refused(
            .invalidImage,
            [
                (
                    "a/1.npy",
                    npy("{'descr': '<i2', 'fortran_order': False, 'shape': (1, 1)}", [0, 0])
                )
            ],
            saying: "int32")
        try refused(
            .invalidImage, [("a/1.png", gray(1)), ("a/2.jpeg", [])], saying: "2.jpeg")
        try refused(.invalidDataset, [("a/1.png", gray(1)), ("b/x.txt", [])], saying: "/x/b'")
        try refused(.invalidImage, [("a/1.png", [1, 2, 3])], saying: "libpng")
        try refused(
            .unknownDataset, [("model.onnx", [1])], saying: "it holds 'model.onnx'")
        expectError(.unknownDataset, saying: "it is no folder", "fashion-mnist, cifar10") {
            try Dataset.load("fashion-mist")
        }
    }
}

@Suite("PNG images")
struct PNGImageTests {
    /// The data set of one image.
    private func load(_ bytes: [UInt8], in folder: TestFolder) throws -> Dataset {
        try folder.place(bytes, at: "a/1.png")
        return try Dataset.load(folder.path)
    }

    @Test(
        "PNG files of every kind have the pixels that Pillow gives",
        arguments: [
            "png-gray", "png-rgb", "png-rgba", "png-gray-alpha", "png-bit", "png-palette", "png-16",
        ])
    func kinds(name: String) throws {
        let expected = try NPYFile(path: "\(fixtures)/images/\(name).npy").tensor
        let dataset = try load(fileBytes("\(fixtures)/images/\(name).png"), in: TestFolder())
        #expect(dataset.imageShape == expected.shape)
        #expect(try pixels(of: dataset).map(Int64.init) == expected.integers)
    }

    @Test("RGB made gray has the pixels that Pillow gives")
    func gray() throws {
        let folder = try TestFolder()
        try folder.place(fileBytes("\(fixtures)/images/png-gray.png"), at: "a/1.png")
        try folder.place(fileBytes("\(fixtures)/images/png-rgb.png"), at: "a/2.png")
        let expected = try NPYFile(path: "\(fixtures)/images/png-rgb-as-gray.npy").tensor
        let dataset = try Dataset.load(folder.path).subset([1])
        #expect(try pixels(of: dataset).map(Int64.init) == expected.integers)
    }

    @Test("a size that the file cannot hold is refused before memory is taken for it")
    func bombs() throws {
        let folder = try TestFolder()
        let small = png(width: 1, height: 1, channels: 1, [0])
        for (width, height) in [(100_000, 100_000), (1_000_000, 1), (0x7FFF_FFFF, 0x7FFF_FFFF)] {
            var bytes = small
            bytes.replaceSubrange(16..<24, with: bigEndian(width) + bigEndian(height))
            expectError(.invalidImage) { try load(repaired(bytes), in: folder) }
        }
    }

    @Test("a file cut off anywhere is refused")
    func truncated() throws {
        let folder = try TestFolder()
        let whole = try fileBytes("\(fixtures)/images/png-rgb.png")
        // The end marker, 12 bytes, says nothing about the pixels.
        for count in 0..<whole.count - 12 {
            #expect(throws: ModelFileError.self) { try load(Array(whole[..<count]), in: folder) }
        }
    }

    @Test("mutated files are read or refused, never trapped on", arguments: [1, 2] as [UInt64])
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let folder = try TestFolder()
        let names = ["gray", "rgb", "rgba", "gray-alpha", "bit", "palette", "16"]
        let good = try names.map { try fileBytes("\(fixtures)/images/png-\($0).png") }
        var (accepted, refused) = (0, 0)
        for step in 0..<1000 {
            let bytes = mutated(good[step % good.count], &random)
            do {
                // Most changes are found by checksum; made right, they reach the decoder.
                _ = try load(step % 4 == 0 ? bytes : repaired(bytes), in: folder)
                accepted += 1
            } catch is ModelFileError {
                refused += 1
            }
        }
        print("seed \(seed): \(accepted) of 1000 accepted")
        #expect(accepted > 40 && refused > 300)
    }
}
