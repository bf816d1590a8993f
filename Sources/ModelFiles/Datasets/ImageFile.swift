internal import DenseMath

/// One image, from a PNG or an NPY file.
struct ImageFile {
    /// `[channels, height, width]`; no dimension is 0.
    let shape: [Int]
    let pixels: Dataset.Pixels

    /// Reads a file; a PNG is made gray or RGB if `channels` is 1 or 3.
    init(path: String, channels: Int?) throws {
        if path.lowercased().hasSuffix(".png") {
            let wanted = channels.flatMap { [1, 3].contains($0) ? $0 : nil }
            let image = try PNGImage(path: path, channels: wanted)
            (shape, pixels) = (image.shape, .bytes(image.pixels))
        } else {
            (shape, pixels) = try Self.array(path: path)
        }
    }

    private static func array(path: String) throws -> ([Int], Dataset.Pixels) {
        let file = try NPYFile(path: path)
        let tensor = file.tensor
        func refusal(_ message: String) -> ModelFileError {
            ModelFileError(code: .invalidImage, message: message, path: path)
        }
        guard [2, 3].contains(tensor.rank), tensor.count > 0 else {
            throw refusal(
                "shape \(tensor.shape) is no image: expected [height, width], "
                    + "[channels, height, width] or [height, width, 1 or 3]")
        }
        let pixels: Dataset.Pixels
        switch file.elementType {
        case .uint8: pixels = .bytes(tensor.integers.map { UInt8(truncatingIfNeeded: $0) })
        case .float32: pixels = .floats(tensor.floats)
        default:
            throw refusal("pixels of type \(file.elementType.rawValue), expected bytes or floats")
        }
        let shape = tensor.shape
        if shape.count == 2 { return ([1] + shape, pixels) }
        // Channels last where the first dimension cannot be channels and the last one can.
        guard ![1, 3].contains(shape[0]) && [1, 3].contains(shape[2]) else {
            return (shape, pixels)
        }
        return ([shape[2], shape[0], shape[1]], planes(of: pixels, channels: shape[2]))
    }

    private static func planes(of pixels: Dataset.Pixels, channels: Int) -> Dataset.Pixels {
        func split<Pixel>(_ values: [Pixel]) -> [Pixel] {
            (0..<channels).flatMap { channel in
                stride(from: channel, to: values.count, by: channels).map { values[$0] }
            }
        }
        return switch pixels {
        case .bytes(let values): .bytes(split(values))
        case .floats(let values): .floats(split(values))
        }
    }
}
