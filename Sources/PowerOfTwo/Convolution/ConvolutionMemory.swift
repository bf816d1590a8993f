internal import CShiftKernels

extension PackedConvolution {
    /// What the kernels read; never written once a convolution is packed.
    final class Memory: @unchecked Sendable {
        /// Filters that share kept positions, and where those are.
        struct Group {
            let index: Int
            let filters: Range<Int>
            let positions: UnsafePointer<UInt32>
            let count: Int
            /// With padding at the end.
            let padded: Int
        }

        static let groupSize = Int(SDK_CONVOLVE_FILTERS)

        let groupCount: Int
        let convolution = UnsafeMutablePointer<sdk_convolution>.allocate(capacity: 1)
        private(set) var byteCount = 0
        private let groups: UnsafeMutablePointer<sdk_convolve_group>
        private var lists: [sdk_convolve_list] = []
        private var owned: [UnsafeMutableRawPointer] = []

        init(filters: Int) {
            groupCount = (filters + Self.groupSize - 1) / Self.groupSize
            groups = .allocate(capacity: max(groupCount, 1))
        }

        deinit {
            for pointer in owned { pointer.deallocate() }
            convolution.deallocate()
            groups.deallocate()
        }

        /// Memory of its own for `count` elements, aligned to lines of the cache.
        func allocate<Element>(
            _ type: Element.Type, _ count: Int
        ) -> UnsafeMutablePointer<Element> {
            let bytes = max(count * MemoryLayout<Element>.stride, 1)
            let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            owned.append(raw)
            byteCount += bytes
            return raw.bindMemory(to: Element.self, capacity: count)
        }

        /// One number for each filter, and zeros up to whole groups.
        func ofFilters<Element: Numeric>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
            let count = groupCount * Self.groupSize
            let result = allocate(Element.self, count)
            for index in 0..<count {
                (result + index).initialize(to: index < values.count ? values[index] : 0)
            }
            return result
        }

        /// Adds the list of neighbouring groups and returns them, which have no weights yet.
        func addList(
            _ positions: [[UInt32]], of range: Range<Int>, _ layout: PositionLayout, multiple: Int
        ) -> [Group] {
            var all: [UInt32] = []
            var starts: [Int] = []
            for index in range {
                let start = layout.start(after: all.count)
                let padded = layout.padded(positions[index].count, multiple)
                let padding = repeatElement(
                    positions[index].first ?? 0, count: padded - positions[index].count)
                all += repeatElement(SDK_CONVOLVE_NOTHING, count: start - all.count)
                all += positions[index] + padding
                starts.append(start)
            }
            let list = allocate(UInt32.self, all.count)
            list.initialize(from: all, count: all.count)
            let count = sdk_convolve_plan(convolution, all.count, list, nil)
            let steps = allocate(sdk_convolve_step.self, count)
            _ = sdk_convolve_plan(convolution, all.count, list, steps)
            let narrowCount = sdk_convolve_plan_narrow(convolution, all.count, list, nil)
            let narrow = allocate(sdk_convolve_narrow_step.self, narrowCount)
            _ = sdk_convolve_plan_narrow(convolution, all.count, list, narrow)
            lists.append(
                sdk_convolve_list(
                    kept: all.count, positions: list, steps: steps, step_count: count,
                    narrow: narrow, narrow_count: narrowCount,
                    first_group: range.lowerBound, end_group: range.upperBound))
            return zip(range, starts).map { index, start in
                let first = index * Self.groupSize
                let padded = layout.padded(positions[index].count, multiple)
                (groups + index).initialize(
                    to: sdk_convolve_group(
                        first: start, kept: padded, positions: list + start, weights: nil))
                return Group(
                    index: index,
                    filters:
                        first..<min(
                            first + Self.groupSize, convolution.pointee.out_channels),
                    positions: list + start, count: positions[index].count, padded: padded)
            }
        }

        func setWeights(_ weights: UnsafeRawPointer, of group: Group) {
            groups[group.index].weights = weights
        }

        /// Gives lists and groups to the convolution, once all are added.
        func finish() {
            let kept = allocate(sdk_convolve_list.self, lists.count)
            kept.initialize(from: lists, count: lists.count)
            convolution.pointee.lists = UnsafePointer(kept)
            convolution.pointee.list_count = lists.count
            convolution.pointee.groups = UnsafePointer(groups)
        }
    }

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

/// The weights of convolutions with groups of channels, as those of ones without groups.
struct FilterBlocks<Element: Numeric> {
    private let weights: UnsafePointer<Element>
    private let filters: Int
    private let channels: Int
    private let groups: Int
    /// Weights of a channel.
    private let taps: Int

    /// - Parameter weights: `[filters, channels / groups, taps]`.
    init(
        _ weights: UnsafePointer<Element>, filters: Int, channels: Int, groups: Int, taps: Int
    ) {
        precondition(
            groups > 0 && filters % groups == 0 && channels % groups == 0, "\(groups) groups")
        self.weights = weights
        self.filters = filters
        self.channels = channels
        self.groups = groups
        self.taps = taps
    }

    /// Calls `body` with the weights of some filters, `[filters, channels, taps]`, zeros between
    /// those of other groups.
    func withWeights<Result>(
        of range: Range<Int>, _ body: (UnsafePointer<Element>) -> Result
    ) -> Result {
        let row = channels / groups * taps
        guard groups > 1 else { return body(weights + range.lowerBound * row) }
        var dense = [Element](repeating: 0, count: range.count * channels * taps)
        for filter in range {
            let group = filter / (filters / groups)
            let at = (filter - range.lowerBound) * channels * taps + group * row
            for i in 0..<row { dense[at + i] = weights[filter * row + i] }
        }
        return dense.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? body(weights)
        }
    }
}
