extension ModelFileError.Code {
    /// No data set was found under the name, or the folder holds none that is known.
    public static let unknownDataset = Self(rawValue: "unknown-dataset")
    /// The data set is there but not the part of it that was asked for.
    public static let missingSplit = Self(rawValue: "missing-split")
    /// The files of a data set contradict each other: counts, shapes, labels, class names.
    public static let invalidDataset = Self(rawValue: "invalid-dataset")
    /// The images together are over the limit of this reader.
    public static let datasetTooLarge = Self(rawValue: "dataset-too-large")
    /// Compressed bytes are damaged or cut off.
    public static let invalidCompression = Self(rawValue: "invalid-compression")
    /// An image is damaged, too large, or of a format that is not read.
    public static let invalidImage = Self(rawValue: "invalid-image")
    /// A normalisation does not fit the images.
    public static let invalidPreprocessing = Self(rawValue: "invalid-preprocessing")
}
