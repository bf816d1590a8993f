/// Weights as they lie in files - F32, F16, BF16 - to `Float` and back.
///
/// On x86-64 the conversions of Swift's `Float16` are calls into the runtime, one an element. These
/// loops have neither calls nor branches, so the compiler vectorises them.
public enum WeightConversion {
    /// The numbers that bytes stand for; exact, infinities and NaN payloads included.
    ///
    /// - Parameters:
    ///   - bytes: Little-endian elements back to back, at any alignment; a whole number of them.
    ///   - elementType: A weight type: F32, F16 or BF16.
    public static func floats(
        from bytes: UnsafeRawBufferPointer, as elementType: ElementType
    ) -> [Float] {
        switch elementType {
        case .f32: map(bytes) { (bits: UInt32) in Float(bitPattern: UInt32(littleEndian: bits)) }
        case .f16: map(bytes) { (bits: UInt16) in float(half: UInt16(littleEndian: bits)) }
        case .bf16:
            map(bytes) { (bits: UInt16) in
                Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
            }
        default: preconditionFailure("\(elementType.rawValue) is not a weight type")
        }
    }

    /// The bytes of numbers, little-endian.
    ///
    /// F16 and BF16 round to the nearest, ties to even; what is too large becomes infinite; a NaN
    /// keeps its sign and as much of its payload as fits, and stays a NaN.
    ///
    /// - Parameters:
    ///   - values: The numbers.
    ///   - elementType: A weight type: F32, F16 or BF16.
    public static func bytes(
        from values: UnsafeBufferPointer<Float>, as elementType: ElementType
    ) -> [UInt8] {
        switch elementType {
        case .f32: store(values) { $0.bitPattern.littleEndian }
        case .f16: store(values) { half($0).littleEndian }
        case .bf16: store(values) { brain($0).littleEndian }
        default: preconditionFailure("\(elementType.rawValue) is not a weight type")
        }
    }

    /// The bytes of numbers, as `bytes(from:as:)` of a buffer gives them.
    public static func bytes(from values: [Float], as elementType: ElementType) -> [UInt8] {
        values.withUnsafeBufferPointer { bytes(from: $0, as: elementType) }
    }

    /// The index of the first NaN or infinity, or nil if all numbers are finite.
    public static func firstNonFinite(in values: UnsafeBufferPointer<Float>) -> Int? {
        let block = 1024
        for start in stride(from: 0, to: values.count, by: block) {
            let end = min(start + block, values.count)
            // An exponent of all ones, and no other, carries into the sign bit.
            var carries: UInt32 = 0
            for index in start..<end {
                carries |= (values[index].bitPattern & 0x7F80_0000) &+ 0x0080_0000
            }
            if carries >> 31 != 0 {
                return (start..<end).first { !values[$0].isFinite }
            }
        }
        return nil
    }

    /// The index of the first NaN or infinity, or nil if all numbers are finite.
    public static func firstNonFinite(in values: [Float]) -> Int? {
        values.withUnsafeBufferPointer { firstNonFinite(in: $0) }
    }

    // MARK: One element

    @inline(__always)
    private static func float(half: UInt16) -> Float {
        let magnitude = UInt32(half & 0x7FFF) << 13
        // Half and single exponents are 112 apart; an exponent of all ones is 112 further.
        let normal = magnitude &+ 112 << 23
        let special = magnitude &+ 224 << 23
        // The last place of 1/2 is 2^-24, the unit of half's subnormals.
        let subnormal = (Float(bitPattern: UInt32(half & 0x3FF) | 0x3F00_0000) - 0.5).bitPattern
        let bits =
            magnitude >= 0x7C00 << 13 ? special : magnitude < 0x0400 << 13 ? subnormal : normal
        return Float(bitPattern: bits | UInt32(half & 0x8000) << 16)
    }

    @inline(__always)
    private static func half(_ value: Float) -> UInt16 {
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        // Adding just under half of the last place kept, or exactly half when it is odd, rounds to
        // nearest even; a carry goes into the exponent, and from the largest number to infinity.
        let normal = (magnitude &- 112 << 23 &+ 0xFFF &+ (magnitude >> 13 & 1)) >> 13
        // The addition rounds at 2^-24, the unit of half's subnormals.
        let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
        let payload = magnitude >> 13 & 0x3FF
        let nan = 0x7C00 | (payload == 0 ? 0x200 : payload)
        let large = magnitude > 0x7F80_0000 ? nan : 0x7C00
        let bits =
            magnitude >= 0x4780_0000 ? large : magnitude < 0x3880_0000 ? subnormal : normal
        return UInt16(truncatingIfNeeded: bits | value.bitPattern >> 16 & 0x8000)
    }

    @inline(__always)
    private static func brain(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
        let payload = bits >> 16 & 0x7F
        let nan = bits >> 16 | (payload == 0 ? 0x40 : 0)
        return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? nan : rounded)
    }

    // MARK: Loops

    @inline(__always)
    private static func map<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ convert: (Bits) -> Float
    ) -> [Float] {
        let size = MemoryLayout<Bits>.size
        precondition(
            bytes.count % size == 0, "\(bytes.count) bytes are no whole number of elements")
        let count = bytes.count / size
        guard let start = bytes.baseAddress else { return [] }
        return [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            for index in 0..<count {
                let bits = start.loadUnaligned(fromByteOffset: index &* size, as: Bits.self)
                buffer.initializeElement(at: index, to: convert(bits))
            }
            initializedCount = count
        }
    }

    @inline(__always)
    private static func store<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeBufferPointer<Float>, _ convert: (Float) -> Bits
    ) -> [UInt8] {
        let size = MemoryLayout<Bits>.size
        let (byteCount, overflow) = values.count.multipliedReportingOverflow(by: size)
        precondition(!overflow, "\(values.count) numbers do not fit in memory")
        return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initializedCount in
            let target = UnsafeMutableRawBufferPointer(buffer)
            for index in 0..<values.count {
                target.storeBytes(
                    of: convert(values[index]), toByteOffset: index &* size, as: Bits.self)
            }
            initializedCount = byteCount
        }
    }
}
