internal import CPNG

/// The pixels of a PNG file, 8 bits a channel, gray or RGB.
///
/// Palettes and 1, 2 and 4 bits are expanded, 16 bits are rounded to 8, transparency is dropped
/// and what colors a transparent pixel has is kept. If a file gives a gamma other than sRGB's, its
/// pixels are converted to sRGB.
struct PNGImage {
    /// The most pixels an image may have.
    static let maximumPixelCount = 1 << 25

    /// `[channels, height, width]`; 1 channel or 3.
    let shape: [Int]
    /// Channel after channel.
    let pixels: [UInt8]

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - channels: 1 or 3 to have RGB made gray (0.299 R + 0.587 G + 0.114 B) or gray RGB;
    ///     without it, what the file has.
    /// - Throws: `ModelFileError`: when the file cannot be read, is not PNG, is damaged or too large.
    init(path: String, channels: Int? = nil) throws {
        func refusal(_ message: String) -> ModelFileError {
            ModelFileError(code: .invalidImage, message: message, path: path)
        }
        let file = try MappedFile(path: path)
        (shape, pixels) = try file.withBytes { bytes in
            var image = sdpng_image()
            guard sdpng_measure(bytes.baseAddress, bytes.count, &image) == 1 else {
                throw refusal("libpng: \(Self.message(of: image))")
            }
            let (width, height) = (Int(image.width), Int(image.height))
            // Deflate shrinks to 1/1032 at best, and a pixel has at least one bit.
            let (count, overflow) = width.multipliedReportingOverflow(by: height)
            guard !overflow, count <= min(Self.maximumPixelCount, bytes.count * 1032 * 8) else {
                throw refusal(
                    "\(width) x \(height) pixels are more than \(bytes.count) bytes can hold or "
                        + "over the limit of \(Self.maximumPixelCount)")
            }
            let stored = image.is_color == 0 ? 1 : 3
            var interleaved = [UInt8](repeating: 0, count: count * (stored + 1))
            let isRead = interleaved.withUnsafeMutableBytes {
                sdpng_read(bytes.baseAddress, bytes.count, &image, $0.baseAddress) == 1
            }
            guard isRead else { throw refusal("libpng: \(Self.message(of: image))") }
            let wanted = channels ?? stored
            return (
                [wanted, height, width],
                Self.planes(of: interleaved, count: count, stored: stored, wanted: wanted)
            )
        }
    }

    /// Channel after channel, without the alpha that ends each pixel.
    private static func planes(
        of interleaved: [UInt8], count: Int, stored: Int, wanted: Int
    ) -> [UInt8] {
        precondition(wanted == 1 || wanted == 3, "\(wanted) channels")
        let step = stored + 1
        if stored == 3 && wanted == 1 {
            // The weights in 1/65536.
            return (0..<count).map { pixel in
                let red = Int(interleaved[pixel * step]) * 19595
                let green = Int(interleaved[pixel * step + 1]) * 38470
                let blue = Int(interleaved[pixel * step + 2]) * 7471
                return UInt8((red + green + blue + 32768) >> 16)
            }
        }
        return (0..<wanted).flatMap { channel in
            (0..<count).map { interleaved[$0 * step + min(channel, stored - 1)] }
        }
    }

    private static func message(of image: sdpng_image) -> String {
        withUnsafeBytes(of: image.message) {
            printable(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self))
        }
    }
}
