internal import DensePrimitives
internal import PowerOfTwo

/// A convolution at kept positions, split between threads.
struct SparseRun {
    let grid: SparseGrid
    let threads: Int
    /// Of one thread.
    private let convolutionScratch: Int
    private let inputBytes: Int
    private let outputBytes: Int

    init(_ packed: PackedConvolution, _ grid: SparseGrid, threads: Int) {
        self.grid = grid
        self.threads = threads
        convolutionScratch = packed.scratchBytes
        inputBytes = packed.inputBytes
        outputBytes = packed.outputBytes
    }

    /// Of each thread, so that no two share a line of the cache.
    private var scratchStep: Int { (convolutionScratch + 63) / 64 * 64 }
    var scratchBytes: Int { scratchStep * threads }

    func callAsFunction(
        _ packed: PackedConvolution, _ source: UnsafeMutableRawPointer,
        _ residual: UnsafeMutableRawPointer?,
        _ target: UnsafeMutableRawPointer, _ scratch: UnsafeMutableRawPointer
    ) {
        let sourceStep = grid.rows.inSize * grid.columns.inSize * grid.channels
        let targetStep = grid.rows.outSize * grid.columns.outSize * grid.filters
        for image in 0..<grid.images {
            let input = source + image * sourceStep * inputBytes
            let addend = residual.map { $0 + image * targetStep * inputBytes }
            let output = target + image * targetStep * outputBytes
            ThreadTeam.run(threads, threads: threads) { thread in
                let share = packed.share(of: thread, threads)
                packed.run(
                    rows: share.rows, parts: share.parts, input: input,
                    residual: addend.map { UnsafeRawPointer($0) }, output: output,
                    scratch: (scratch + thread * scratchStep).assumingMemoryBound(to: UInt8.self))
            }
        }
    }
}
