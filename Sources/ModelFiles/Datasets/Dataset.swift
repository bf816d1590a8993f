public import DenseMath
public import Networks

/// Labelled images, all of one shape.
///
/// Pixels stay as the files have them, a byte each where they are bytes; ``batch(_:preprocessing:)``
/// makes the floats that a network takes. Parts of a data set share its memory.
public struct Dataset: Sendable {
    /// A part of a data set.
    public enum Split: String, Sendable, CaseIterable {
        case train, test
    }

    /// Pixels of images one after the other, each `[channels, height, width]`.
    enum Pixels: Sendable, Equatable {
        /// 0...255.
        case bytes([UInt8])
        /// In units of pixel / 255.
        case floats([Float])

        /// The number of pixels times channels.
        var count: Int {
            switch self {
            case .bytes(let values): values.count
            case .floats(let values): values.count
            }
        }
    }

    /// The most bytes that the pixels of a data set may take.
    static let maximumByteCount = 2 << 30

    /// A name for people, such as `fashion-mnist`.
    public let name: String
    /// `[channels, height, width]`.
    public let imageShape: [Int]
    /// The names of the classes; a label is an index into them.
    public let classNames: [String]
    /// The class of each image.
    public let labels: [Int]
    /// The normalisation for networks trained on such images, with the class names: the data set's
    /// own where its name is known, otherwise `imagenet` for RGB and `unit` for all others.
    public let standardPreprocessing: Preprocessing

    private let pixels: Pixels
    /// Where in `pixels` each image is, counted in images.
    private let positions: [Int]

    /// The number of images.
    public var count: Int { labels.count }

    /// The sizes must fit: a label for each image, a class name for each label.
    init(
        name: String, imageShape: [Int], classNames: [String], labels: [Int], pixels: Pixels,
        preprocessing: Preprocessing? = nil
    ) {
        precondition(
            imageShape.count == 3 && pixels.count == labels.count * imageShape.reduce(1, *),
            "\(pixels.count) pixels are not \(labels.count) images of shape \(imageShape)")
        precondition(labels.allSatisfy(classNames.indices.contains), "a label without a class")
        self.name = name
        self.imageShape = imageShape
        self.classNames = classNames
        self.labels = labels
        self.pixels = pixels
        positions = Array(labels.indices)
        var standard = preprocessing ?? (imageShape[0] == 3 ? .imageNet : .unit)
        standard.classNames = classNames
        standardPreprocessing = standard
    }

    private init(_ whole: Dataset, _ indices: [Int], classes: [Int]? = nil) {
        name = whole.name
        imageShape = whole.imageShape
        classNames = classes?.map { whole.classNames[$0] } ?? whole.classNames
        var preprocessing = whole.standardPreprocessing
        preprocessing.classNames = classNames
        standardPreprocessing = preprocessing
        pixels = whole.pixels
        let places = classes.map { Dictionary(uniqueKeysWithValues: zip($0, $0.indices)) }
        labels = indices.map { places?[whole.labels[$0]] ?? whole.labels[$0] }
        positions = indices.map { whole.positions[$0] }
    }

    /// The images at some indices, in their order.
    public func subset(_ indices: some Collection<Int>) -> Dataset {
        Dataset(self, Array(indices))
    }

    /// The images of some classes, all different, which are then counted in the order given.
    public func subset(ofClasses classes: [Int]) -> Dataset {
        let wanted = Set(classes)
        let images = labels.indices.filter { wanted.contains(labels[$0]) }
        return Dataset(self, images, classes: classes)
    }

    /// The first images, at most `limit`.
    public func prefix(_ limit: Int) -> Dataset {
        precondition(limit >= 0, "a limit of \(limit) images")
        return limit < count ? subset(0..<limit) : self
    }

    /// Images as the input of a network: `(pixel / 255 - mean) / standardDeviation`, each step
    /// rounded to a float as PyTorch does it.
    ///
    /// - Parameters:
    ///   - indices: Which images, in which order.
    ///   - preprocessing: The normalisation; without it ``standardPreprocessing``.
    /// - Returns: Floats of shape `[images, channels, height, width]`.
    /// - Throws: `ModelFileError` with code `invalidPreprocessing` when the normalisation is for
    ///   another number of channels or divides by what is no positive number.
    public func batch(
        _ indices: some Collection<Int>, preprocessing: Preprocessing? = nil
    ) throws -> Tensor {
        let scales = try channelScales(preprocessing ?? standardPreprocessing)
        let images = indices.map { positions[$0] }
        let shape = [images.count] + imageShape
        return switch pixels {
        case .bytes(let values): Self.batch(values, images, scales, shape)
        case .floats(let values): Self.batch(values, images, scales, shape)
        }
    }

    // MARK: Normalisation

    private typealias Scale = (mean: Float, deviation: Float)

    /// Mean and standard deviation of each channel.
    private func channelScales(_ preprocessing: Preprocessing) throws -> [Scale] {
        let (means, deviations) = (preprocessing.mean, preprocessing.standardDeviation)
        let channels = imageShape[0]
        func refusal(_ message: String) -> ModelFileError {
            ModelFileError(
                code: .invalidPreprocessing,
                message: "normalisation '\(printable(preprocessing.name))' " + message)
        }
        guard [1, channels].contains(means.count), [1, channels].contains(deviations.count) else {
            throw refusal(
                "has \(means.count) means and \(deviations.count) standard deviations, the images "
                    + "of '\(printable(name))' have \(channels) channels")
        }
        guard means.allSatisfy(\.isFinite), deviations.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw refusal("has a mean or standard deviation that is not usable: \(preprocessing)")
        }
        return (0..<channels).map {
            (means[means.count == 1 ? 0 : $0], deviations[deviations.count == 1 ? 0 : $0])
        }
    }

    private static func batch(
        _ bytes: [UInt8], _ images: [Int], _ scales: [Scale], _ shape: [Int]
    ) -> Tensor {
        // A byte has 256 values, so a table replaces the division and has its very bits.
        let tables = scales.flatMap { scale in
            (0..<256).map { (Float($0) / 255 - scale.mean) / scale.deviation }
        }
        return tables.withUnsafeBufferPointer { tables in
            bytes.withUnsafeBufferPointer { bytes in
                batch(images, shape) { source, channel, target in
                    let table = UnsafeBufferPointer(
                        rebasing: tables[channel * 256..<(channel + 1) * 256])
                    let plane = UnsafeBufferPointer(rebasing: bytes[source])
                    for index in 0..<target.count { target[index] = table[Int(plane[index])] }
                }
            }
        }
    }

    private static func batch(
        _ floats: [Float], _ images: [Int], _ scales: [Scale], _ shape: [Int]
    ) -> Tensor {
        floats.withUnsafeBufferPointer { floats in
            batch(images, shape) { source, channel, target in
                let (mean, deviation) = scales[channel]
                let plane = UnsafeBufferPointer(rebasing: floats[source])
                for index in 0..<target.count {
                    target[index] = (plane[index] - mean) / deviation
                }
            }
        }
    }

    /// The tensor whose channels `fill` writes: from where in the pixels, which channel, to where.
    @inline(__always)
    private static func batch(
        _ images: [Int], _ shape: [Int],
        _ fill: (Range<Int>, Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) -> Tensor {
        let (channels, plane) = (shape[1], shape[2] * shape[3])
        return Tensor(.float32, uninitialized: shape) { memory in
            let floats = memory.assumingMemoryBound(to: Float.self)
            for (number, image) in images.enumerated() {
                for channel in 0..<channels {
                    let source = (image * channels + channel) * plane
                    let target = (number * channels + channel) * plane
                    fill(
                        source..<source + plane, channel,
                        UnsafeMutableBufferPointer(rebasing: floats[target..<target + plane]))
                }
            }
        }
    }
}
