/// A data set as IDX files, the form of MNIST and Fashion-MNIST.
struct IDXFolder {
    private let folder: DatasetFolder

    /// Nil if the folder holds no images as IDX.
    init?(_ folder: DatasetFolder) {
        self.folder = folder
        guard Dataset.Split.allCases.contains(where: has) else { return nil }
    }

    /// Whether the images of a split are there.
    func has(_ split: Dataset.Split) -> Bool {
        file(split, "images-idx3-ubyte") != nil
    }

    /// Reads a split; without `known`, `dataset.json` or the folder's name says what it is.
    func dataset(_ split: Dataset.Split, known: KnownDataset?) throws -> Dataset {
        func refusal(_ message: String, _ path: String) -> ModelFileError {
            ModelFileError(code: .invalidDataset, message: message, path: path)
        }
        guard let imagesPath = file(split, "images-idx3-ubyte"),
            let labelsPath = file(split, "labels-idx1-ubyte")
        else {
            throw ModelFileError(
                code: .missingSplit,
                message: "the folder lacks the images or labels of the \(split.rawValue) split; "
                    + "it holds \(folder.summary)",
                path: folder.path)
        }
        let description = try description()
        let name = known?.name ?? description.name ?? folder.name
        let known = known ?? KnownDataset.named(name)

        let images = try IDXFile(path: imagesPath, rank: 3)
        let labels = try IDXFile(path: labelsPath, rank: 1).bytes.map(Int.init)
        let imageShape = [1] + images.shape[1...]
        guard labels.count == images.shape[0] else {
            throw refusal("\(labels.count) labels for \(images.shape[0]) images", labelsPath)
        }
        guard !images.bytes.isEmpty else { throw refusal("it holds no pixels", imagesPath) }
        if let known, known.imageShape != imageShape {
            throw refusal(
                "images of shape \(imageShape), those of \(known.name) are \(known.imageShape)",
                imagesPath)
        }
        let highest = labels.max() ?? 0
        let classNames =
            description.classNames ?? known?.classNames ?? (0...highest).map(String.init)
        guard highest < classNames.count else {
            throw refusal("label \(highest) with \(classNames.count) classes", labelsPath)
        }
        return Dataset(
            name: name, imageShape: imageShape, classNames: classNames, labels: labels,
            pixels: .bytes(images.bytes), preprocessing: known?.preprocessing)
    }

    private func file(_ split: Dataset.Split, _ name: String) -> String? {
        let stem = (split == .test ? "t10k-" : "train-") + name
        return [stem, stem + ".gz"].first(where: folder.names.contains).map { folder($0) }
    }

    /// What `dataset.json` says: `{"name": "fashion-mnist", "class_names": ["Coat", ...]}`.
    private func description() throws -> (name: String?, classNames: [String]?) {
        guard folder.names.contains("dataset.json") else { return (nil, nil) }
        let file = try MappedFile(path: folder("dataset.json"))
        return try file.withBytes { bytes in
            if let offset = invalidUTF8Offset(in: bytes) {
                throw ModelFileError(
                    code: .invalidUTF8, message: "byte \(offset) is not UTF-8", path: file.path)
            }
            var scanner = JSONScanner(
                bytes, document: "description", code: .invalidDataset, path: file.path)
            var name: String?
            var classNames: [String]?
            try scanner.object { scanner, key in
                switch key {
                case "name": name = try scanner.string()
                case "class_names":
                    var names: [String] = []
                    try scanner.array { names.append(try $0.string()) }
                    classNames = names
                default:
                    throw scanner.error(
                        "unknown key '\(printable(key))'; the keys are name and class_names")
                }
            }
            try scanner.end()
            return (name, classNames)
        }
    }
}
