/// A number that changes when bytes do: FNV-1a over words of eight bytes.
struct Checksum {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(word: UInt64(bytes.count))
        for index in 0..<bytes.count / 8 {
            add(
                word: UInt64(
                    littleEndian: bytes.loadUnaligned(
                        fromByteOffset: 8 * index, as: UInt64.self)))
        }
        for byte in bytes.suffix(bytes.count % 8) { add(word: UInt64(byte)) }
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    private mutating func add(word: UInt64) {
        // The rotation brings high bits down, which multiplication only moves up.
        state = (state ^ word) &* 0x0000_0100_0000_01B3
        state = state << 29 | state >> 35
    }

    /// 16 hexadecimal digits.
    var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
