/// The binary version of CIFAR-10 or CIFAR-100.
///
/// An image is one record: the label - for CIFAR-100 the coarse label, then the fine one, which is
/// used here - and 3,072 bytes of pixels, channel after channel.
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html.
struct CIFARFolder {
    /// Which of the two it is.
    let known: KnownDataset

    private let folder: DatasetFolder

    /// Nil if the folder holds no file of either.
    init?(_ folder: DatasetFolder) {
        self.folder = folder
        if folder.names.contains(where: Self.isCIFAR10File) {
            known = .cifar10
        } else if folder.names.contains("test.bin") || folder.names.contains("train.bin") {
            known = .cifar100
        } else {
            return nil
        }
    }

    /// Whether the images of a split are there.
    func has(_ split: Dataset.Split) -> Bool { !files(split).isEmpty }

    /// Reads a split.
    func dataset(_ split: Dataset.Split) throws -> Dataset {
        let names = files(split)
        guard !names.isEmpty else {
            throw ModelFileError(
                code: .missingSplit,
                message: "the folder holds no \(split.rawValue) images; it holds \(folder.summary)",
                path: folder.path)
        }
        var labels: [Int] = []
        var pixels: [UInt8] = []
        for name in names { try append(folder(name), to: &labels, &pixels) }
        return Dataset(
            name: known.name, imageShape: known.imageShape, classNames: try classNames(),
            labels: labels, pixels: .bytes(pixels), preprocessing: known.preprocessing)
    }

    private static func isCIFAR10File(_ name: String) -> Bool {
        name == "test_batch.bin" || name.hasPrefix("data_batch_") && name.hasSuffix(".bin")
    }

    private func files(_ split: Dataset.Split) -> [String] {
        folder.names.filter { name in
            switch (known.name, split) {
            case (KnownDataset.cifar100.name, _): name == split.rawValue + ".bin"
            case (_, .test): name == "test_batch.bin"
            case (_, .train): name != "test_batch.bin" && Self.isCIFAR10File(name)
            }
        }
    }

    private func append(_ path: String, to labels: inout [Int], _ pixels: inout [UInt8]) throws {
        let labelBytes = known.classCount == 100 ? 2 : 1
        let imageBytes = known.imageShape.reduce(1, *)
        let size = labelBytes + imageBytes
        let file = try MappedFile(path: path)
        guard file.byteCount % size == 0 else {
            throw ModelFileError(
                code: .wrongFileSize,
                message: "\(file.byteCount) bytes are no whole number of \(known.name) images of "
                    + "\(size) bytes",
                path: path)
        }
        guard file.byteCount <= Dataset.maximumByteCount - pixels.count else {
            throw ModelFileError(
                code: .datasetTooLarge,
                message: "over the limit of \(Dataset.maximumByteCount) bytes", path: path)
        }
        pixels.reserveCapacity(pixels.count + file.byteCount)
        try file.withBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: size) {
                let label = Int(bytes[start + labelBytes - 1])
                guard label < known.classCount else {
                    throw ModelFileError(
                        code: .invalidDataset,
                        message: "image \(start / size) has label \(label), \(known.name) has "
                            + "\(known.classCount) classes",
                        path: path)
                }
                labels.append(label)
                pixels.append(contentsOf: bytes[start + labelBytes..<start + size])
            }
        }
    }

    /// The lines of the text file that comes with the data, or numbers without it.
    private func classNames() throws -> [String] {
        let name = known.classCount == 100 ? "fine_label_names.txt" : "batches.meta.txt"
        guard folder.names.contains(name) else {
            return (0..<known.classCount).map(String.init)
        }
        let file = try MappedFile(path: folder(name))
        let lines = file.withBytes { bytes in
            bytes.prefix(1 << 16).split { $0 == 0x0A || $0 == 0x0D }.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        guard lines.count == known.classCount else {
            throw ModelFileError(
                code: .invalidDataset,
                message: "\(lines.count) names for \(known.classCount) classes", path: file.path)
        }
        return lines
    }
}
