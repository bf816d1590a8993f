/// A data set as a folder of image files for each class.
struct ClassFolder {
    private let folder: DatasetFolder
    /// The classes: a name, and the paths of its images.
    private let classes: [(name: String, files: [String])]

    /// Nil if the folder holds no folders.
    ///
    /// - Throws: `ModelFileError`: when the folder has splits but not this one, or a class has no
    ///   images or some of a format that is not read.
    init?(_ folder: DatasetFolder, _ split: Dataset.Split) throws {
        self.folder = folder
        let folders = folder.folders
        guard !folders.isEmpty else { return nil }
        // A folder of that name with images in it is a class: `train` may be one of vehicles.
        let splits = folders.filter {
            Dataset.Split(rawValue: $0.name) != nil && !$0.folders.isEmpty
        }
        if splits.isEmpty {
            classes = try folders.map { ($0.name, try Self.images(in: $0)) }
        } else if let part = splits.first(where: { $0.name == split.rawValue }) {
            classes = try part.folders.map { ($0.name, try Self.images(in: $0)) }
        } else {
            throw ModelFileError(
                code: .missingSplit,
                message:
                    "the folder has no folder '\(split.rawValue)' with a folder for each class",
                path: folder.path)
        }
    }

    /// Reads the images, at most `limit`: the first of each class, the second of each, and so on.
    func dataset(limit: Int?) throws -> Dataset {
        let rounds = classes.map(\.files.count).max() ?? 0
        var order = (0..<rounds).flatMap { round in
            classes.enumerated().compactMap { label, item in
                round < item.files.count ? (label: label, path: item.files[round]) : nil
            }
        }
        if let limit { order = Array(order.prefix(limit)) }
        let images = try LabelledImages(reading: order.map(\.path))
        return Dataset(
            name: folder.name, imageShape: images.shape, classNames: classes.map(\.name),
            labels: order.map(\.label), pixels: images.pixels)
    }

    private static func images(in folder: DatasetFolder) throws -> [String] {
        func ending(_ name: String) -> String {
            name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last?
                .lowercased() ?? ""
        }
        let others: Set = ["jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff", "npz"]
        if let other = folder.names.first(where: { others.contains(ending($0)) }) {
            throw ModelFileError(
                code: .invalidImage, message: "only .png and .npy images are read",
                path: folder(other))
        }
        let files = folder.names.filter { ["png", "npy"].contains(ending($0)) }
        guard !files.isEmpty else {
            throw ModelFileError(
                code: .invalidDataset,
                message: "a folder for a class, but without .png or .npy images; "
                    + "it holds \(folder.summary)",
                path: folder.path)
        }
        return files.map { folder($0) }
    }
}

/// The pixels of image files, all of the shape of the first.
private struct LabelledImages {
    let shape: [Int]
    let pixels: Dataset.Pixels

    init(reading paths: [String]) throws {
        var shape = [1, 0, 0]
        var bytes: [UInt8] = []
        var floats: [Float] = []
        for (number, path) in paths.enumerated() {
            let image = try ImageFile(path: path, channels: number == 0 ? nil : shape[0])
            if number == 0 { shape = image.shape }
            guard image.shape == shape else {
                throw ModelFileError(
                    code: .invalidDataset,
                    message: "shape \(image.shape), that of the first image, "
                        + "'\(printable(paths[0]))', is \(shape)",
                    path: path)
            }
            switch image.pixels {
            case .bytes(let values): bytes += values
            case .floats(let values): floats += values
            }
            guard bytes.isEmpty || floats.isEmpty else {
                throw ModelFileError(
                    code: .invalidDataset,
                    message: "its pixels and those of the images before are of two types, bytes "
                        + "and floats",
                    path: path)
            }
            guard bytes.count + 4 * floats.count <= Dataset.maximumByteCount else {
                throw ModelFileError(
                    code: .datasetTooLarge,
                    message: "the images up to this one are over the limit of "
                        + "\(Dataset.maximumByteCount) bytes",
                    path: path)
            }
        }
        self.shape = shape
        pixels = floats.isEmpty ? .bytes(bytes) : .floats(floats)
    }
}
