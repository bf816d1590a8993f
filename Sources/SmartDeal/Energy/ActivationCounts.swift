import DenseMath

/// Zeros and Booth digits of activations as signed 8-bit numbers.
struct ActivationCounts {
    private var elements = 0
    private var rows = 0
    private var nonzeroRows = 0
    /// Elements with 0, 1, ... 4 digits that are not zero; only 0 has none.
    private var digits = [Int](repeating: 0, count: 5)

    /// Radix-4 Booth digits that are not zero of -128...127, by the bits of the number.
    static let boothDigits: [UInt8] = (0..<256).map { bits in
        // Digit i is b[2i-1] + b[2i] - 2 b[2i+1].
        let extended = bits << 1
        return UInt8(
            (0..<4).count { place in
                let window = extended >> (2 * place) & 7
                return window != 0 && window != 7
            })
    }

    /// Adds activations, `[images, channels, ...]` with rows along the last dimension; in
    /// `[images, channels]` every channel is a row.
    mutating func add(_ tensor: Tensor, largest: Float) {
        let width = tensor.shape.count > 2 ? tensor.shape[tensor.shape.count - 1] : 1
        let scale = largest > 127 * Float.leastNormalMagnitude ? 127 / largest : 0
        tensor.withFloats { values in
            guard width > 0 else { return }
            elements += values.count
            rows += values.count / width
            var index = 0
            while index < values.count {
                let end = index + width
                var isZero = true
                while index < end {
                    let scaled = (values[index] * scale).rounded(.toNearestOrEven)
                    let number = Int8(min(127, max(-127, scaled)))
                    if number != 0 { isZero = false }
                    digits[Int(Self.boothDigits[Int(UInt8(bitPattern: number))])] += 1
                    index += 1
                }
                if !isZero { nonzeroRows += 1 }
            }
        }
    }

    /// Share of rows that are not all zero.
    var rowDensity: Double { share(nonzeroRows, of: rows) }
    /// Share of activations that are not zero.
    var density: Double { 1 - share(digits[0], of: max(1, elements)) }
    var digitShares: [Double] { digits.map { share($0, of: elements) } }
    /// Digits of an activation that are not zero.
    var meanDigits: Double {
        digitShares.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
    }

    private func share(_ count: Int, of all: Int) -> Double {
        all > 0 ? Double(count) / Double(all) : 0
    }
}
