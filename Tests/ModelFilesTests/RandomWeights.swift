import DenseMath
import PowerOfTwo

/// Random weights in SmartDeal form of every shape that the format allows.
struct RandomWeight {
    let weight: SmartDealWeight
    let isTransposed: Bool

    /// Sizes that cover every path: whole and partial rows and slices, groups of 32 and a
    /// remainder, runs of filters that do not divide them, odd numbers of symbols.
    static let sizes: [(shape: [Int], unit: Int, width: Int, nibbles: Int, rows: Int, share: Int)] =
        [
            ([5, 8, 3, 3], 3, 3, 3, 24, 1),
            ([5, 8, 3, 3], 3, 3, 3, 10, 1),
            ([33, 4, 5, 5], 5, 4, 3, 9, 2),
            ([40, 50], 1, 3, 3, 17, 8),
            ([40, 50], 1, 7, 2, 3, 32),
            ([3, 1000], 1, 3, 3, 334, 1),
            ([3, 1000], 1, 3, 4, 130, 16),
            ([66, 1, 3, 3], 3, 2, 3, 5, 32),
            ([2, 7], 1, 9, 1, 1, 1),
            ([4, 1], 1, 1, 1, 1, 4),
            ([2, 6, 4], 4, 1, 1, 24, 2),
            ([64, 64, 3, 3], 3, 3, 3, 192, 32),
            ([70, 33], 1, 64, 64, 1, 32),
            ([1, 7], 1, 7, 1, 4, 1),
        ]

    /// - Parameter seed: chooses among all combinations of sizes, masks, layouts and bases.
    init(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let size = Self.sizes[seed % Self.sizes.count]
        let hasGroupMask = Bool.random(using: &random)
        let hasRowMask = Bool.random(using: &random)
        let hasFloatBasis = Bool.random(using: &random)
        let hasScales = !hasFloatBasis || Bool.random(using: &random)
        let shares: [Double] = [0, 0.5, 0.9]
        let keptShare = shares[Int.random(in: 0..<3, using: &random)]
        let alphabet = Alphabet.named[Int.random(in: 0..<Alphabet.named.count, using: &random)]
        let geometry = try WeightGeometry(
            shape: size.shape, unit: size.unit, width: size.width, nibbles: size.nibbles,
            rowsPerSlice: size.rows, filtersPerBasis: size.share,
            layout: Bool.random(using: &random) ? .kept : .full)
        func flags(_ count: Int, share: Double) -> BitMask {
            var mask = BitMask(count: count)
            for index in 0..<count {
                mask[index] = Double.random(in: 0..<1, using: &random) < share
            }
            return mask
        }
        var symbols: [UInt8] = []
        var rowMask: [UInt8] = []
        var groupMask: [UInt8] = []
        for group in 0..<geometry.groupCount {
            let positions = flags(geometry.positionCount, share: keptShare)
            groupMask += positions.bytes
            let layout = RowLayout(geometry, mask: hasGroupMask ? positions : nil)
            for _ in geometry.filters(ofGroup: group) {
                let rows = flags(layout.rowCount, share: 0.7)
                rowMask += rows.bytes
                var first = 0
                for present in layout.rowsOfSlice {
                    let stored =
                        hasRowMask ? (first..<(first + present)).count { rows[$0] } : present
                    symbols += Self.symbols(stored, size.nibbles, &random)
                    first += present
                }
            }
        }
        let count =
            geometry.basisCount * size.nibbles * alphabet.coefficientsPerSymbol * size.width
        let halves = (0..<(geometry.filterCount * geometry.sliceCount)).map { _ in
            Float16(Float.random(in: 0.1..<2, using: &random)).bitPattern
        }
        let exponents = [-19, 0, -130, 3]
        let exponent = exponents[Int.random(in: 0..<4, using: &random)]
        weight = try SmartDealWeight(
            geometry: geometry, alphabet: alphabet, symbols: symbols,
            rowMask: hasRowMask ? rowMask : nil, groupMask: hasGroupMask ? groupMask : nil,
            basis: hasFloatBasis
                ? .float32((0..<count).map { _ in Float.random(in: -1..<1, using: &random) })
                : .int8((0..<count).map { _ in Int8.random(in: -128...127, using: &random) }),
            scales: hasScales ? FilterScales(halves: halves, exponent: exponent) : nil)
        isTransposed = size.shape.count == 2 && Bool.random(using: &random)
    }

    private static func symbols(
        _ rows: Int, _ nibbles: Int, _ random: inout SplitMix64
    ) -> [UInt8] {
        let planes = (0..<(rows * nibbles)).map { _ in UInt8.random(in: 0..<16, using: &random) }
        var packed = [UInt8](repeating: 0, count: nibbles * ((rows + 1) / 2))
        planes.withUnsafeBufferPointer { planes in
            packed.withUnsafeMutableBufferPointer { packed in
                guard let planes = planes.baseAddress, let packed = packed.baseAddress else {
                    return
                }
                ShiftKernels.scalar.packNibbles(
                    rows: rows, nibbles: nibbles, symbols: planes, planeStride: rows,
                    packed: packed)
            }
        }
        return packed
    }
}
