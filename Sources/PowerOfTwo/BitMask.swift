/// Bits in bytes, the lowest bit first: how row masks and group masks are stored.
package struct BitMask: Sendable, Equatable {
    package private(set) var bytes: [UInt8]
    package let count: Int

    package init(count: Int, repeating value: Bool = false) {
        bytes = Array(repeating: value ? 0xFF : 0, count: (count + 7) / 8)
        self.count = count
        if value, count % 8 != 0 { bytes[bytes.count - 1] = UInt8((1 << (count % 8)) - 1) }
    }

    /// The first `count` bits of `bytes`; later ones are ignored.
    package init(count: Int, bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        self.count = count
        precondition(self.bytes.count == (count + 7) / 8)
        if count % 8 != 0 { self.bytes[self.bytes.count - 1] &= UInt8((1 << (count % 8)) - 1) }
    }

    /// A mask that is set where `values` are zero.
    package init(zerosIn values: [UInt8]) {
        let count = values.count
        self.count = count
        bytes = [UInt8](unsafeUninitializedCapacity: (count + 7) / 8) { bytes, initialized in
            values.withUnsafeBufferPointer { values in
                for index in 0..<((count + 7) / 8) {
                    var byte: UInt8 = 0
                    for i in (index * 8)..<min(index * 8 + 8, count) {
                        byte |= (values[i] == 0 ? 1 : 0) << UInt8(i & 7)
                    }
                    bytes.initializeElement(at: index, to: byte)
                }
            }
            initialized = (count + 7) / 8
        }
    }

    /// The mask with every bit turned.
    package var inverted: BitMask { BitMask(count: count, bytes: bytes.map { ~$0 }) }

    package subscript(index: Int) -> Bool {
        get { bytes[index >> 3] & (1 << UInt8(index & 7)) != 0 }
        set {
            let bit: UInt8 = 1 << UInt8(index & 7)
            if newValue { bytes[index >> 3] |= bit } else { bytes[index >> 3] &= ~bit }
        }
    }

    /// The number of bits that are set.
    package var setCount: Int { bytes.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The indexes of the bits that are set, rising.
    package var setIndexes: [Int] { (0..<count).filter { self[$0] } }
}
