extension SmartDealWeight {
    /// For every 32 filters the positions, channel · kernel height + kernel row, at which their
    /// mask keeps weights, rising; nil when it drops none.
    ///
    /// - Parameter kernelWidth: the width of the kernel, which divides the length of a filter.
    package func keptKernelRows(kernelWidth: Int) -> [[Int]]? {
        guard groupMask != nil else { return nil }
        let unit = geometry.unit
        return (0..<geometry.groupCount).map { group in
            var rows: [Int] = []
            for position in mask(ofGroup: group)?.setIndexes ?? [] {
                let last = (position * unit + unit - 1) / kernelWidth
                let next = max(position * unit / kernelWidth, (rows.last ?? -1) + 1)
                rows.append(contentsOf: next..<max(last + 1, next))
            }
            return rows
        }
    }
}
