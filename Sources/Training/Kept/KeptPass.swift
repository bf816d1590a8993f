internal import PowerOfTwo

/// One pass of a convolution over its kept rows: where it reads and writes, and how weights are
/// packed for it.
struct KeptPass {
    var geometry: LanesPass
    /// The kernel's row and column of every tap of the pass.
    let rowTaps: [Int]
    let columnTaps: [Int]
    /// Whether channels are outputs and filters inputs.
    let isTransposed: Bool
    /// Where the entries of each chunk and output begin.
    private(set) var starts: [UInt32] = []

    init(_ geometry: LanesPass, rowTaps: [Int], columnTaps: [Int], isTransposed: Bool) {
        self.geometry = geometry
        self.rowTaps = rowTaps
        self.columnTaps = columnTaps
        self.isTransposed = isTransposed
    }

    /// Floats of the packed weights.
    var packedCount: Int { Int(starts.last ?? 0) * (1 + columnTaps.count) }

    /// Sets tiles of about so many pixels, in rows that fit the registers, and chunks of channels
    /// whose copy takes at most `bytes`.
    mutating func setTiles(pixels: Int, bytes: Int) {
        geometry.columns.tile = Self.evenTile(geometry.columns.count, atMost: 16)
        geometry.rows.tile = Self.evenTile(
            geometry.rows.count, atMost: max(1, pixels / geometry.columns.tile))
        geometry.chunk = 1
        let channel = geometry.scratchCount * MemoryLayout<Float>.stride
        geometry.chunk = max(1, min(geometry.inChannels, bytes / channel))
    }

    private static func evenTile(_ count: Int, atMost limit: Int) -> Int {
        let parts = max(1, (count + limit - 1) / limit)
        return max(1, (count + parts - 1) / parts)
    }

    /// Finds where entries begin.
    mutating func setStarts(_ rows: KeptRows) {
        starts = []
        starts.reserveCapacity(geometry.chunks * geometry.outChannels + 1)
        var count: UInt32 = 0
        forEachOutput { output, inputs in
            starts.append(count)
            guard !columnTaps.isEmpty else { return }
            for input in inputs {
                for tap in rowTaps where keeps(rows, output, input, tap) { count += 1 }
            }
        }
        starts.append(count)
    }

    /// Packs dense weights [F, C, kh, kw].
    func pack(
        _ weights: UnsafePointer<Float>, _ rows: KeptRows, kernelWidth: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        guard !columnTaps.isEmpty else { return }
        var to = packed
        rowTaps.withUnsafeBufferPointer { rowTaps in
            columnTaps.withUnsafeBufferPointer { columnTaps in
                forEachOutput { output, inputs in
                    for input in inputs {
                        let (filter, channel) = isTransposed ? (input, output) : (output, input)
                        for (index, tap) in rowTaps.enumerated()
                        where rows.keeps(filter, channel, tap) {
                            let row = LanesPass.row(channel: input, tap: index)
                            to[0] = Float(bitPattern: row)
                            let place = rows.place(filter, channel, tap) * kernelWidth
                            for (t, column) in columnTaps.enumerated() {
                                to[1 + t] = weights[place + column]
                            }
                            to += 1 + columnTaps.count
                        }
                    }
                }
            }
        }
    }

    private func keeps(_ rows: KeptRows, _ output: Int, _ input: Int, _ tap: Int) -> Bool {
        isTransposed ? rows.keeps(input, output, tap) : rows.keeps(output, input, tap)
    }

    /// The outputs of every chunk, in the order of the entries.
    private func forEachOutput(_ body: (_ output: Int, _ inputs: Range<Int>) -> Void) {
        for first in stride(from: 0, to: geometry.inChannels, by: geometry.chunk) {
            let inputs = first..<min(first + geometry.chunk, geometry.inChannels)
            for output in 0..<geometry.outChannels { body(output, inputs) }
        }
    }
}

/// The rows of a weight [F, C, kh, kw] that its groups of 32 filters keep.
struct KeptRows {
    let channels: Int
    let kernelHeight: Int
    /// Filters of a group: all, where nothing is pruned.
    let group: Int
    /// For every group and position c kh + ky whether it is kept.
    private let isKept: [Bool]
    /// The kept rows as the kernels name them, and where those of each group begin.
    let rows: [UInt32]
    let starts: [UInt32]

    init(_ kept: KeptPositions?, filters: Int, channels: Int, kernelHeight: Int) {
        self.channels = channels
        self.kernelHeight = kernelHeight
        let positions = channels * kernelHeight
        group = kept == nil ? filters : 32
        let groups = kept?.groups ?? [Array(0..<positions)]
        precondition(groups.count == (filters + group - 1) / group)
        var isKept = [Bool](repeating: false, count: groups.count * positions)
        var rows: [UInt32] = []
        var starts: [UInt32] = [0]
        for (index, group) in groups.enumerated() {
            for position in group {
                precondition((0..<positions).contains(position))
                isKept[index * positions + position] = true
                let (channel, tap) = position.quotientAndRemainder(dividingBy: kernelHeight)
                rows.append(LanesPass.row(channel: channel, tap: tap))
            }
            starts.append(UInt32(rows.count))
        }
        self.isKept = isKept
        self.rows = rows
        self.starts = starts
    }

    func keeps(_ filter: Int, _ channel: Int, _ tap: Int) -> Bool {
        isKept[place(filter / group, channel, tap)]
    }

    /// The index of a row among all rows of the weight.
    func place(_ filter: Int, _ channel: Int, _ tap: Int) -> Int {
        (filter * channels + channel) * kernelHeight + tap
    }
}
