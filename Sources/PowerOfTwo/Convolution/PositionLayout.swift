internal import CShiftKernels

extension PackedConvolution {
    /// How kept positions are written, and which groups of filters share a list of them.
    struct PositionLayout {
        private let convolution: sdk_convolution
        private let groups: Int

        init(_ convolution: sdk_convolution, groups: Int) {
            self.convolution = convolution
            self.groups = groups
        }

        /// The positions, channel · kernel height + kernel row, of all channels that filters see.
        func all(of filters: Range<Int>) -> [Int] {
            let (perGroup, channels) = (
                convolution.out_channels / groups, convolution.in_channels / groups
            )
            guard perGroup > 0, let last = filters.last else { return [] }
            let seen = filters.lowerBound / perGroup * channels..<(last / perGroup + 1) * channels
            let taps = convolution.rows.taps
            return Array(seen.lowerBound * taps..<seen.upperBound * taps)
        }

        /// As the kernels have them: by row tap, then by where they lie in the image, since what lies
        /// together is moved together.
        func positions(_ kept: [Int]) -> [UInt32] {
            let (taps, channels) = (convolution.rows.taps, convolution.in_channels)
            precondition(kept.allSatisfy { $0 / taps < channels }, "a position too high")
            let rows = kept.map { (tap: $0 % taps, channel: $0 / taps) }
                .sorted { ($0.tap, $0.channel) < ($1.tap, $1.channel) }
            guard convolution.window > 1 else {
                return rows.map { UInt32($0.channel << 16 | $0.tap) }
            }
            return Dictionary(grouping: rows, by: \.tap).sorted { $0.key < $1.key }.flatMap { row in
                (0..<convolution.window).flatMap { column in
                    row.value.map { UInt32((column * channels + $0.channel) << 16 | $0.tap) }
                }
            }
        }

        /// Ranges of groups that share a list, of groups with so many positions; a multiple of `parts`
        /// lists where there are groups enough.
        func lists(of counts: [Int], _ multiple: Int, parts: Int) -> [Range<Int>] {
            guard !counts.isEmpty else { return [] }
            var convolution = convolution
            let capacity = sdk_convolve_list_capacity(&convolution)
            let total = counts.reduce(0) { start(after: $0) + padded($1, multiple) }
            let fewest = max(1, (total + capacity - 1) / capacity)
            let number = min((fewest + parts - 1) / parts * parts, counts.count)
            return (0..<number).map {
                counts.count * $0 / number..<counts.count * ($0 + 1) / number
            }
        }

        /// Where the positions of a group begin in a list that has `count` before.
        func start(after count: Int) -> Int {
            guard convolution.columns.taps > 1 else { return count }
            let block = Int(SDK_CONVOLVE_BLOCK) / convolution.element_bytes
            return (count + block - 1) / block * block
        }

        func padded(_ count: Int, _ multiple: Int) -> Int {
            (count + multiple - 1) / multiple * multiple
        }
    }
}
