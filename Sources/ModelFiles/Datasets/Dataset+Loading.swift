import Foundation

extension Dataset {
    /// Reads a data set from files.
    ///
    /// A name that is known - `fashion-mnist`, `cifar10`, `cifar100` - is looked for in the folder
    /// that the environment variable `SMARTDEAL_DATA` names, in `./data`, and where system packages
    /// put it. Any other name is the path of a folder that holds one of
    /// - IDX files as MNIST has them (`t10k-images-idx3-ubyte`, `train-labels-idx1-ubyte`, ..., each
    ///   plain or `.gz`), optionally with a `dataset.json`: `{"name": ..., "class_names": [...]}`. A
    ///   known name, there or as that of the folder, brings class names and normalisation;
    /// - the files of the binary version of CIFAR-10 or CIFAR-100;
    /// - a folder of `.png` or `.npy` files for each class, or folders `train` and `test` with those.
    ///   Classes are in the order of their names. Images come class by turn: the first of each
    ///   class, the second of each, and so on, so that a limit takes some of all. They must have
    ///   one shape; PNG files become gray or RGB as the first is. NPY files hold bytes, or floats in
    ///   units of pixel / 255, as `[height, width]`, `[channels, height, width]` or
    ///   `[height, width, 1 or 3]`.
    ///
    /// - Parameters:
    ///   - name: A known name or the path of a folder.
    ///   - split: Which part; a folder of classes without `train` and `test` is both.
    ///   - limit: How many images at most, from the first on.
    /// - Throws: `ModelFileError`: when nothing is found, naming where it was looked for, or when
    ///   files are damaged or contradict each other.
    public static func load(
        _ name: String, split: Split = .test, limit: Int? = nil
    ) throws -> Dataset {
        let own = ProcessInfo.processInfo.environment["SMARTDEAL_DATA"] ?? ""
        let folders = own.isEmpty ? ["data"] : [own, "data"]
        return try load(name, split: split, limit: limit, searching: folders)
    }

    /// As `load(_:split:limit:)`, with known names looked for in `folders` first.
    package static func load(
        _ name: String, split: Split, limit: Int?, searching folders: [String]
    ) throws -> Dataset {
        let dataset =
            if let known = KnownDataset.named(name) {
                try find(known, split, in: folders)
            } else {
                try read(folder: name, split, limit: limit)
            }
        return limit.map { dataset.prefix($0) } ?? dataset
    }

    private static func find(
        _ known: KnownDataset, _ split: Split, in folders: [String]
    ) throws -> Dataset {
        let places =
            folders.flatMap { folder in known.folderNames.map { "\(folder)/\($0)" } }
            + known.systemFolders
        for place in places {
            let folder = DatasetFolder(path: place)
            if let idx = IDXFolder(folder), known.classNames != nil, idx.has(split) {
                return try idx.dataset(split, known: known)
            }
            if let cifar = CIFARFolder(folder), cifar.known.name == known.name, cifar.has(split) {
                return try cifar.dataset(split)
            }
        }
        throw ModelFileError(
            code: .unknownDataset,
            message: "the \(split.rawValue) images of '\(known.name)' are in none of "
                + places.joined(separator: ", ") + "; to get them, \(known.source)")
    }

    private static func read(folder path: String, _ split: Split, limit: Int?) throws -> Dataset {
        let folder = DatasetFolder(path: path)
        guard folder.exists else {
            let names = KnownDataset.all.map(\.name).joined(separator: ", ")
            throw ModelFileError(
                code: .unknownDataset,
                message: "it is no folder, and no data set known by name (\(names))", path: path)
        }
        if let idx = IDXFolder(folder) { return try idx.dataset(split, known: nil) }
        if let cifar = CIFARFolder(folder) { return try cifar.dataset(split) }
        if let classes = try ClassFolder(folder, split) { return try classes.dataset(limit: limit) }
        throw ModelFileError(
            code: .unknownDataset,
            message: "the folder holds neither IDX files (t10k-images-idx3-ubyte.gz, ...) nor "
                + "CIFAR's (test_batch.bin, test.bin, ...) nor a folder for each class; "
                + "it holds \(folder.summary)",
            path: path)
    }
}

/// A folder that may be a data set: what is in it.
struct DatasetFolder {
    let path: String
    let exists: Bool
    /// The names in it, sorted by their bytes, without hidden ones.
    let names: [String]

    init(path: String) {
        self.path = path
        var isFolder: ObjCBool = false
        exists =
            FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
        names =
            exists
            ? ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
                .filter { !$0.hasPrefix(".") }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            : []
    }

    /// The last part of the path.
    var name: String { WritablePlace.name(of: URL(fileURLWithPath: path).standardized.path) }

    /// The path of a name in it.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// The folders in it.
    var folders: [DatasetFolder] {
        names.lazy.map { DatasetFolder(path: self($0)) }.filter(\.exists)
    }

    /// The first names, for a message.
    var summary: String {
        if names.isEmpty { return "nothing" }
        let first = names.prefix(4).map { "'\(printable($0))'" }.joined(separator: ", ")
        return first + (names.count > 4 ? " and \(names.count - 4) more" : "")
    }
}
