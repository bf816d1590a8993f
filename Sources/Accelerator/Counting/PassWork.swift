/// The loops of one pass of one layer, and the zeros in them that the accelerator skips.
struct PassWork {
    var shape: LayerShape
    /// Images.
    var batch: Double
    /// Share of the weights, or of their rows, that are worked on.
    var weightDensity = 1.0
    /// Share of the activations, or of their rows, that are worked on.
    var activationDensity = 1.0
    /// Where the non-zero rows are, for those that skip them.
    var rowCounts: RowCounts?
    /// Filters that have their zero rows in common.
    var filtersPerMask = 1
    /// Cycles that units which wait for each other take for an activation.
    var synchronousDigits = 1.0

    /// Products that are carried out.
    var performed: Double {
        batch * Double(shape.macs) * weightDensity * activationDensity
    }
    /// Products of an output (K).
    var depth: Double {
        Double(shape.channelsPerGroup * shape.kernelHeight * shape.kernelWidth)
    }
    var groups: Double { Double(shape.groups) }
    /// Output pixels of the batch (P).
    var pixels: Double { batch * Double(shape.outputPixels) }
    var outputs: Double { batch * Double(shape.outputs) }

    /// Tiles of at most `size` filters of a group.
    func filterTiles(_ size: Int) -> Double { Double(tiles(shape.filtersPerGroup, size)) }
}

/// ⌈count / size⌉.
func tiles(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }

/// What an array does for a pass, whatever its memories are.
struct ArrayActivity {
    var cycles = 0.0
    /// Products that are multiplied, useless ones included.
    var products = 0.0
    /// Words from the input buffer.
    var inputReads = 0.0
    /// How often all stored weights leave their buffer.
    var weightPasses = 1.0
    /// How often all outputs are needed when they are an operand (gradients of weights).
    var outputPasses = 1.0
    /// Partial sums to and from the output buffer.
    var spilledReads = 0.0
    var spilledWrites = 0.0
    /// Words of registers and links by data.
    var registers: [(data: Operand, reads: Double, writes: Double)] = []
    var links: [(data: Operand, words: Double)] = []

    /// An operand of a pass, whatever it stands for.
    enum Operand {
        case input, weight, partialSum
    }
}

extension Dataflow {
    /// What the array does for a pass.
    func activity(_ work: PassWork, reuse: Double) -> ArrayActivity {
        switch self {
        case .slices(let m, let c, let f):
            slices(work, m: m, c: c, f: f, reuse: reuse)
        case .innerProduct(let m, let c): innerProduct(work, m: m, c: c)
        case .cartesianProduct(let elements, let multipliers, let filters):
            cartesianProduct(
                work, elements: elements, multipliers: multipliers, filters: filters)
        case .rowStationary(let rows, let columns, let weights, let inputs, let sums):
            rowStationary(
                work, rows: rows, columns: columns, weights: weights, inputs: inputs, sums: sums)
        case .outputStationary(let rows, let columns, let accumulators):
            outputStationary(work, rows: rows, columns: columns, accumulators: accumulators)
        case .weightStationary(let rows, let columns, let accumulators):
            weightStationary(work, rows: rows, columns: columns, accumulators: accumulators)
        }
    }
}
