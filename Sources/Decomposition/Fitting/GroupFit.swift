import PowerOfTwo

/// What fitting one group of up to 32 filters gives, before packing.
struct GroupFit: Sendable {
    /// The structural mask, or nil when nothing is dropped.
    let mask: BitMask?
    /// Symbols of all rows that may be stored, one a byte: filter after filter, in a filter slice
    /// after slice, of a slice plane after plane, `[nibbles, rows]`.
    private(set) var symbols: [UInt8] = []
    /// For each filter the rows that need not be stored, or nil when there are none.
    var droppable: [BitMask?] = []
    /// The bases of the group, one after another, as integers or floats.
    var integerBasis: [Int8] = []
    var floatBasis: [Float] = []
    /// `[filters, slices]`.
    var scales: [Float] = []
    /// Exponents of the coefficients as fitted, before they are made relative to a basis. Only the
    /// authors' accounting needs them.
    var exponents = Set<Int>()

    private let nibbles: Int

    init(_ layout: RowLayout, mask: BitMask?, filters: Int, nibbles: Int) {
        self.mask = mask
        self.nibbles = nibbles
        symbols.reserveCapacity(filters * layout.rowCount * nibbles)
    }

    /// Appends the symbols of the next slice; `write` gets the number of a plane and where it
    /// begins.
    mutating func appendPlanes(
        rows: Int, _ write: (_ plane: Int, UnsafeMutablePointer<UInt8>) -> Void
    ) {
        let begin = symbols.count
        symbols.append(contentsOf: repeatElement(0, count: nibbles * rows))
        symbols.withUnsafeMutableBufferPointer { symbols in
            guard let base = symbols.baseAddress else { return }
            for j in 0..<nibbles { write(j, base + begin + j * rows) }
        }
    }

    /// Makes droppable the rows of the filter appended last whose symbols are all symbol 0.
    mutating func appendZeroRows(ofLastFilter layout: RowLayout) {
        var used = [UInt8](repeating: 0, count: layout.rowCount)
        var first = 0
        var plane = symbols.count - layout.rowCount * nibbles
        for rows in layout.rowsOfSlice {
            for _ in 0..<nibbles {
                symbols.withUnsafeBufferPointer { symbols in
                    used.withUnsafeMutableBufferPointer { used in
                        for row in 0..<rows { used[first + row] |= symbols[plane + row] }
                    }
                }
                plane += rows
            }
            first += rows
        }
        let zeros = BitMask(zerosIn: used)
        droppable.append(zeros.setCount > 0 ? zeros : nil)
    }
}

/// A way to fit groups. Each works on one group at a time and keeps no state between groups.
protocol GroupFitter: Sendable {
    var alphabet: Alphabet { get }
    /// - Parameters:
    ///   - weights: `[filters, filterLength]` of one group.
    ///   - group: its index, which also seeds what is random.
    func fit(_ weights: UnsafeBufferPointer<Float>, group: Int) -> GroupFit
}
