internal import CShiftKernels

/// One pass of a convolution over planes in batch lanes, as the kernels take it.
package struct LanesPass: Sendable {
    /// Images side by side in a block of batch lanes.
    package static let lanes = Int(SDK_LANES)

    /// Rows or columns: output index i < count reads the input at inFirst + i inStep + t tapStep
    /// for every tap t < taps, zero outside, and writes the output at outFirst + i outStep.
    package struct Axis: Sendable {
        package var inSize: Int
        package var outSize: Int
        package var count: Int
        package var outFirst = 0
        package var outStep = 1
        package var inFirst: Int
        package var inStep = 1
        package var tapStep = 1
        package var taps: Int
        /// Output indexes that share one copy of the input.
        package var tile = 1

        package init(inSize: Int, outSize: Int, count: Int, inFirst: Int, taps: Int) {
            self.inSize = inSize
            self.outSize = outSize
            self.count = count
            self.inFirst = inFirst
            self.taps = taps
        }

        /// Indexes of the input that a tile needs.
        package var extent: Int {
            withUnsafePointer(to: c) { sdk_lanes_extent($0) }
        }

        fileprivate var c: sdk_lanes_axis {
            sdk_lanes_axis(
                in_size: inSize, out_size: outSize, count: count, out_first: outFirst,
                out_step: outStep, in_first: inFirst, in_step: inStep, tap_step: tapStep,
                taps: taps, tile: tile)
        }
    }

    package var inChannels: Int
    package var outChannels: Int
    /// Input channels that are copied at a time.
    package var chunk = 1
    package var rows: Axis
    package var columns: Axis

    package init(inChannels: Int, outChannels: Int, rows: Axis, columns: Axis) {
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.rows = rows
        self.columns = columns
    }

    /// The number of chunks of input channels.
    package var chunks: Int { (inChannels + chunk - 1) / chunk }
    /// Floats of scratch that a kernel takes for this pass.
    package var scratchCount: Int { chunk * rows.extent * columns.extent * Self.lanes }

    /// A kept row of taps as the kernels name it; both numbers are below 2^16.
    package static func row(channel: Int, tap: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: channel << 16 | tap)
    }

    var c: sdk_lanes_pass {
        sdk_lanes_pass(
            in_channels: inChannels, out_channels: outChannels, chunk: chunk, rows: rows.c,
            columns: columns.c)
    }
}
