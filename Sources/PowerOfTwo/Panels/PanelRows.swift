/// The rows of the filters of one group as their panels hold them, and what x they meet.
struct PanelRows: Sendable {
    /// Rows of one filter that have one scale and one basis, few enough for sums in int32.
    struct Run: Sendable {
        let slice: Int
        /// The first row, counted in the rows of the slice that may be stored.
        let firstRow: Int
        let rows: Int
    }

    /// The most weights of a run: products of two int8 stay within 2^14.
    private static let longestRun = 1 << 16

    let form: PanelForm
    let runs: [Run]
    /// Steps of each run.
    let steps: [UInt32]
    /// One bit a weight of a filter, set for those of rows that may be stored; nil when all are.
    let selection: BitMask?
    /// Weights that `selection` selects.
    let selectedCount: Int
    /// Which of the selected weights are zero because the structural mask drops them.
    private let dropped: [Int]
    /// Selected weights that are arranged together, one number for each part.
    private let segments: [Int]

    init(_ geometry: WeightGeometry, _ form: PanelForm, mask: BitMask?) {
        self.form = form
        let layout = RowLayout(geometry, mask: mask)
        var runs: [Run] = []
        let most = max(1, Self.longestRun / geometry.width / 16) * 16
        for (slice, rows) in layout.rowsOfSlice.enumerated() {
            for first in stride(from: 0, to: rows, by: most) {
                runs.append(Run(slice: slice, firstRow: first, rows: min(most, rows - first)))
            }
        }
        self.runs = runs
        steps = runs.map { UInt32(form.steps(rows: $0.rows)) }

        var dropped: [Int] = []
        var selected = geometry.filterLength
        if let mask {
            var selection = BitMask(count: geometry.filterLength)
            if let rows = layout.presentRows {
                selected = 0
                for row in rows {
                    let begin = row * geometry.width
                    for i in begin..<min(begin + geometry.width, geometry.filterLength) {
                        selection[i] = true
                        if !mask[i / geometry.unit] { dropped.append(selected) }
                        selected += 1
                    }
                }
            } else {
                for position in layout.keptPositions ?? [] {
                    for i in 0..<geometry.unit { selection[position * geometry.unit + i] = true }
                }
                selected = selection.setCount
            }
            self.selection = selection
        } else {
            selection = nil
        }
        selectedCount = selected
        self.dropped = dropped

        // Runs of whole steps need no padding between them.
        var segments: [Int] = []
        var pending = 0
        for run in runs {
            pending += run.rows * geometry.width
            if run.rows % form.rowsPerStep != 0 {
                segments.append(pending)
                pending = 0
            }
        }
        if pending > 0 { segments.append(pending) }
        // The last row may be padded.
        let rest = segments.dropLast().reduce(0, +)
        if !segments.isEmpty { segments[segments.count - 1] = selected - rest }
        self.segments = segments
    }

    /// Bytes of the symbols and scales of a panel.
    var panelBytes: Int {
        runs.count * PanelForm.scaleCount * 2 + steps.reduce(0) { $0 + Int($1) } * form.stepBytes
    }
    /// Elements of x in steps.
    var stepElements: Int {
        steps.reduce(0) { $0 + Int($1) } * form.rowsPerStep * form.width
    }

    /// Arranges `levels`, one for each weight of a filter, as the kernel reads them.
    ///
    /// - Parameters:
    ///   - scratch: ``selectedCount`` elements.
    ///   - out: ``stepElements`` elements.
    func arrange(
        _ levels: UnsafePointer<Int8>, count: Int, on kernels: ShiftKernels,
        scratch: UnsafeMutablePointer<Int8>, into out: UnsafeMutablePointer<Int8>
    ) {
        var from = levels
        if let selection {
            kernels.compact(count: count, mask: selection.bytes, x: levels, into: scratch)
            for index in dropped { scratch[index] = 0 }
            from = UnsafePointer(scratch)
        }
        var to = out
        for segment in segments {
            kernels.rowsToSteps(
                count: segment, width: form.width, rowsPerStep: form.rowsPerStep, x: from, into: to)
            let rows = (segment + form.width - 1) / form.width
            from += segment
            to += form.steps(rows: rows) * form.rowsPerStep * form.width
        }
    }
}
