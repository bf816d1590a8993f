import DenseMath
import Foundation
import ModelFiles
import Networks

/// The folder of the small real files that tests read.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures").path

extension TestFolder {
    /// Writes a file, and the folders it is in, and gives its path.
    @discardableResult
    func place(_ bytes: [UInt8], at name: String) throws -> String {
        let folder = URL(fileURLWithPath: self(name)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return try write(bytes, to: name)
    }
}

func fileBytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
}

func bigEndian(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
}

/// An IDX file of bytes.
func idx(_ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(shape.count)] + shape.flatMap(bigEndian) + bytes
}

/// One gzip member that holds bytes as they are.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    file += stored(bytes)
    file += bigEndian(checksum(bytes)).reversed()
    file += bigEndian(bytes.count).reversed()
    return file
}

/// A PNG file, 8 bits a channel; pixel after pixel.
func png(width: Int, height: Int, channels: Int, _ pixels: [UInt8]) -> [UInt8] {
    let size = width * channels
    let rows = (0..<height).flatMap { row -> [UInt8] in
        [0] + pixels[row * size..<(row + 1) * size]
    }
    var header = bigEndian(width) + bigEndian(height)
    header += [8, channels == 1 ? 0 : 2, 0, 0, 0] as [UInt8]
    var data: [UInt8] = [0x78, 0x01]
    data += stored(rows)
    data += bigEndian(adler(rows))
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk("IHDR", header)
    file += chunk("IDAT", data)
    file += chunk("IEND", [])
    return file
}

/// A PNG file with all checksums made right, as far as it has the form of one.
func repaired(_ png: [UInt8]) -> [UInt8] {
    var (result, position) = (png, 8)
    while position + 12 <= png.count {
        let count = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        guard count <= png.count - position - 12 else { break }
        let end = position + 8 + count
        result.replaceSubrange(
            end..<end + 4, with: bigEndian(checksum(Array(png[position + 4..<end]))))
        position = end + 4
    }
    return result
}

/// An NPY file with a header as given.
func npy(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    var file: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
    file += bigEndian(header.utf8.count).reversed().prefix(version == 1 ? 2 : 4)
    return file + Array(header.utf8) + data
}

/// An NPY file of bytes.
func npy(_ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
    let tuple = shape.map { "\($0)," }.joined()
    return npy("{'descr': '|u1', 'fortran_order': False, 'shape': (\(tuple)), }", bytes)
}

/// The pixels of images, each `[channels, height, width]`, back as bytes.
func pixels(of dataset: Dataset) throws -> [UInt8] {
    try dataset.batch(0..<dataset.count, preprocessing: .unit).floats.map {
        UInt8(($0 * 255).rounded())
    }
}

/// Bytes cut off at random, changed at random, or pasted over each other.
func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...2, using: &random) {
        guard !bytes.isEmpty else { return bytes }
        // Headers come first, so half of the changes go there.
        let reach = Bool.random(using: &random) ? bytes.count : min(bytes.count, 140)
        let at = Int.random(in: 0..<reach, using: &random)
        let end = min(bytes.count, at + Int.random(in: 1...8, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes[at] = [0, 0xFF, 0x7F, 0x80, 0x39].randomElement(using: &random) ?? 0
        case 3: bytes.removeSubrange(at..<end)
        case 4: bytes.insert(contentsOf: bytes[at..<end], at: at)
        default: bytes.removeLast(bytes.count - at)
        }
    }
    return bytes
}

/// One stored block of deflate for every 65,535 bytes.
private func stored(_ bytes: [UInt8]) -> [UInt8] {
    let starts = bytes.isEmpty ? [0] : Array(stride(from: 0, to: bytes.count, by: 0xFFFF))
    return starts.flatMap { start -> [UInt8] in
        let block = bytes[start..<min(bytes.count, start + 0xFFFF)]
        let length = UInt16(block.count)
        let isLast: UInt8 = start == starts.last ? 1 : 0
        return [isLast] + [length, ~length].flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } + block
    }
}

private func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return bigEndian(data.count) + body + bigEndian(checksum(body))
}

/// CRC-32, as gzip and PNG have it.
private func checksum(_ bytes: [UInt8]) -> Int {
    var value: UInt32 = ~0
    for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
    }
    return Int(~value)
}

/// Adler-32, as zlib has it.
private func adler(_ bytes: [UInt8]) -> Int {
    var (a, b) = (1, 0)
    for byte in bytes {
        a = (a + Int(byte)) % 65521
        b = (b + a) % 65521
    }
    return b << 16 | a
}
