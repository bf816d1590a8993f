/// The scale of every slice of every filter: half-precision floats times one power of two.
///
/// The common exponent lets weights of any magnitude use the range of half precision, which is
/// 2^-24 to 2^16 around it.
public struct FilterScales: Sendable, Equatable {
    /// `[filters, slices]`, the bits of IEEE half precision.
    public let halves: [UInt16]
    /// What all are multiplied by, as an exponent of two.
    public let exponent: Int

    /// Creates scales from their stored form.
    ///
    /// - Throws: ``PowerOfTwoError`` `.nonFinite` for a NaN or an infinity, `.invalidGeometry` for
    ///   an exponent outside -200...200.
    public init(halves: [UInt16], exponent: Int) throws {
        guard (-200...200).contains(exponent) else {
            throw PowerOfTwoError(
                .invalidGeometry, "scale exponent \(exponent) is not in -200...200")
        }
        guard halves.allSatisfy({ $0 & 0x7C00 != 0x7C00 }) else {
            throw PowerOfTwoError(.nonFinite, "a scale is NaN or infinite")
        }
        self.halves = halves
        self.exponent = exponent
    }

    /// Stores `values`, rounded to 11 significant bits; the largest becomes about 2^15.
    package init(rounding values: [Float]) {
        let largest = values.map { abs($0) }.max() ?? 0
        let exponent = largest > 0 ? Int(largest.exponent) - 14 : 0
        self.exponent = exponent
        let factor = FilterScales.power(-exponent)
        halves = values.map { Float16(Double($0) * factor).bitPattern }
    }

    /// The scale of one slice of one filter, by its index in ``halves``.
    public subscript(index: Int) -> Float {
        Float(Double(Float16(bitPattern: halves[index])) * FilterScales.power(exponent))
    }

    /// A scale with the precision that storing leaves it: 11 significant bits.
    package static func rounded(_ value: Float) -> Float {
        guard value != 0 else { return 0 }
        if value.isNormal {
            // To even at the 13th of 23 bits; a carry goes into the exponent, as it should.
            let bits = value.bitPattern
            let rounded = (bits &+ 0xFFF &+ ((bits >> 13) & 1)) & ~0x1FFF
            return Float(bitPattern: rounded)
        }
        let unit = FilterScales.power(Int(value.exponent) - 10)
        return Float((Double(value) / unit).rounded(.toNearestOrEven) * unit)
    }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
