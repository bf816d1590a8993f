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
}
