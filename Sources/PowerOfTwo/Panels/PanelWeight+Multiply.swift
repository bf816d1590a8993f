import DenseMath

extension PanelWeight {
    /// Returns W x with activations rounded to int8.
    ///
    /// - Parameter x: one number for each weight of a filter; when one is not finite, neither are
    ///   the results.
    /// - Returns: one number a filter.
    public func multiplied(by x: [Float], threads: Int = 1) -> [Float] {
        precondition(
            x.count == geometry.filterLength,
            "a filter has \(geometry.filterLength) weights, x has \(x.count) elements")
        return [Float](unsafeUninitializedCapacity: geometry.filterCount) { y, count in
            x.withUnsafeBufferPointer { x in
                guard let from = x.baseAddress, let to = y.baseAddress else { return }
                multiply(from, into: to, on: .selected, threads: threads)
            }
            count = geometry.filterCount
        }
    }

    /// The same for memory of the caller, `[filterLength]` and `[filterCount]`.
    package func multiply(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, on kernels: ShiftKernels,
        threads: Int
    ) {
        multiply(x, into: y, on: kernels, threads: threads) { count, body in
            ParallelLoop.run(count, threads: threads, body)
        }
    }

    /// The same on threads of the caller.
    ///
    /// - Parameter loop: runs a body for every index below a number, on up to `threads` threads.
    package func multiply(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, on kernels: ShiftKernels,
        threads: Int, loop: (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void
    ) {
        let length = geometry.filterLength
        let levels = UnsafeMutablePointer<Int8>.allocate(capacity: length)
        defer { levels.deallocate() }
        let scale = kernels.quantise(count: length, x: x, into: levels)
        let factor = Float(Double(scale) * factor)
        nonisolated(unsafe) let (source, target) = (UnsafePointer(levels), y)

        guard rows[0].selection == nil, let first = rows.first else {
            // Every group meets other elements of x.
            let blocks = min(geometry.groupCount, threads == 1 ? 1 : 4 * threads)
            loop(blocks) { block in
                let groups = share(of: geometry.groupCount, block, blocks)
                let scratch = Scratch(length, groups.map { rows[$0].stepElements }.max() ?? 0)
                for group in groups {
                    let own = rows[group]
                    own.arrange(
                        source, count: length, on: kernels, scratch: scratch.selected,
                        into: scratch.steps)
                    multiply(
                        group..<(group + 1), own, scratch.steps, factor: factor, on: kernels,
                        into: target)
                }
            }
            return
        }
        let scratch = Scratch(0, first.stepElements)
        first.arrange(
            source, count: length, on: kernels, scratch: scratch.selected, into: scratch.steps)
        nonisolated(unsafe) let steps = UnsafePointer(scratch.steps)
        let blocks = min(geometry.groupCount, threads == 1 ? 1 : 4 * threads)
        loop(blocks) { block in
            multiply(
                share(of: geometry.groupCount, block, blocks), first, steps, factor: factor,
                on: kernels, into: target)
        }
        withExtendedLifetime(scratch) {}
    }

    /// Neighbouring groups that meet the same x.
    private func multiply(
        _ groups: Range<Int>, _ rows: PanelRows, _ x: UnsafePointer<Int8>, factor: Float,
        on kernels: ShiftKernels, into y: UnsafeMutablePointer<Float>
    ) {
        let first = groups.lowerBound * WeightGeometry.groupSize
        let end = min(groups.upperBound * WeightGeometry.groupSize, geometry.filterCount)
        packed.withUnsafeBufferPointer { packed in
            tables.withUnsafeBufferPointer { tables in
                rows.steps.withUnsafeBufferPointer { steps in
                    // A mask may leave no row at all.
                    guard let packed = packed.baseAddress, let tables = tables.baseAddress,
                        steps.count > 0
                    else { return (y + first).update(repeating: 0, count: end - first) }
                    let offset = offsets[groups.lowerBound]
                    kernels.multiply(
                        form, steps: steps, filters: end - first, packed: packed + offset.packed,
                        tables: tables + offset.tables, x: x, factor: factor, into: y + first)
                }
            }
        }
    }

    private func share(of count: Int, _ block: Int, _ blocks: Int) -> Range<Int> {
        (count * block / blocks)..<(count * (block + 1) / blocks)
    }
}

/// Activations of one group: those that it keeps, and these in steps.
private final class Scratch {
    let selected: UnsafeMutablePointer<Int8>
    let steps: UnsafeMutablePointer<Int8>

    init(_ selected: Int, _ steps: Int) {
        self.selected = .allocate(capacity: selected)
        self.steps = .allocate(capacity: steps)
    }

    deinit {
        selected.deallocate()
        steps.deallocate()
    }
}
