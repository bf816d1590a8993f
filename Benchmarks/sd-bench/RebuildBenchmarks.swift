import BenchmarkSupport
import SmartDeal

extension Benchmark {
    static let rebuiltLayers: [Layer] = [
        .conv3x3(64, 64), .conv3x3(512, 512), .linear(384, 1536), .linear(4096, 4096),
    ]

    /// Rebuilding of dense weights, to floats and to int8.
    static func rebuildBenchmarks(_ weights: LayerWeights) -> [Benchmark] {
        var benchmarks: [Benchmark] = []
        for form in [SymbolForm.best, .fast, .authors] {
            for layer in rebuiltLayers {
                benchmarks.append(
                    benchmark("f32", form, layer, "warm") {
                        try floatContest(weights.weight(layer, form), isCold: false)
                    })
                benchmarks.append(
                    benchmark("int8", form, layer, "warm") {
                        try integerContest(weights.weight(layer, form), isCold: false)
                    })
            }
        }
        let large = Layer.conv3x3(512, 512)
        benchmarks.append(
            benchmark("f32", .best, large, "cold") {
                try floatContest(weights.weight(large, .best), isCold: true)
            })
        benchmarks.append(
            benchmark("int8", .best, large, "cold") {
                try integerContest(weights.weight(large, .best), isCold: true)
            })
        benchmarks.append(
            benchmark("f32", .bestHalfPruned, large, "warm") {
                try floatContest(weights.weight(large, .bestHalfPruned), isCold: false)
            })
        return benchmarks
    }

    private static func benchmark(
        _ type: String, _ form: SymbolForm, _ layer: Layer, _ caches: String,
        _ prepare: @escaping () throws -> Contest
    ) -> Benchmark {
        Benchmark(
            group: .rebuild,
            name: "rebuild \(type), \(form.title), \(layer.name), \(caches), 1 thread",
            prepare: prepare)
    }

    /// The whole way from a packed weight to floats, look-up tables included.
    private static func floatContest(_ weight: SmartDealWeight, isCold: Bool) -> Contest {
        let out = AlignedBuffer<Float>(count: weight.geometry.weightCount)
        let flush: (() -> Void)? =
            isCold
            ? {
                MemoryLoops.flush(weight.symbols)
                MemoryLoops.flush(out)
            } : nil
        func action(_ kernels: ShiftKernels) -> TimedAction {
            TimedAction(prepare: flush) {
                weight.rebuild(
                    filters: 0..<weight.geometry.filterCount, on: kernels, into: out.base)
            }
        }
        var references = [
            ("memory write", TimedAction(prepare: flush) { MemoryLoops.write(out) })
        ]
        if !isCold {
            references.append(("scalar kernel", action(.scalar)))
            if weight.groupMask == nil {
                let product = DenseProduct(weight)
                references.append(("OpenBLAS sgemm C·B", TimedAction { product.run() }))
            }
        }
        return Contest(
            candidate: action(.selected), references: references,
            work: Double(out.byteCount) / 1e9, unit: "GB/s",
            limit: isCold ? .reference(times: 1) : .memoryWrite(bytes: out.byteCount),
            workload: workload(
                weight, .floats, bytes: out.byteCount, isCold: isCold, label: "f32"))
    }

    /// The kernel alone, filter by filter, with look-up tables made before.
    private static func integerContest(_ weight: SmartDealWeight, isCold: Bool) throws -> Contest {
        let rebuild = try IntegerRebuild(weight)
        let flush: (() -> Void)? =
            isCold
            ? {
                MemoryLoops.flush(weight.symbols)
                MemoryLoops.flush(rebuild.out)
            } : nil
        func action(_ kernels: ShiftKernels) -> TimedAction {
            TimedAction(prepare: flush) { rebuild.run(kernels) }
        }
        var references = [
            ("memory write", TimedAction(prepare: flush) { MemoryLoops.write(rebuild.out) })
        ]
        if !isCold { references.append(("scalar kernel", action(.scalar))) }
        return Contest(
            candidate: action(.selected), references: references,
            work: Double(rebuild.out.byteCount) / 1e9, unit: "GB/s",
            limit: isCold ? .reference(times: 1) : .memoryWrite(bytes: rebuild.out.byteCount),
            workload: workload(
                weight, .bytes, bytes: rebuild.out.byteCount, isCold: isCold, label: "int8"))
    }

    /// A look-up and an addition for every symbol and each weight of its row.
    private static func workload(
        _ weight: SmartDealWeight, _ arithmetic: Workload.Arithmetic, bytes: Int, isCold: Bool,
        label: String
    ) -> Workload {
        Workload(
            arithmetic: arithmetic,
            operations: 2 * Double(2 * weight.symbols.count * weight.geometry.width),
            bytes: weight.byteCount + bytes, isFromMemory: isCold, kind: .rebuild,
            label: isCold ? "rebuild \(label), cold" : nil)
    }
}

/// The int8 weights of a packed weight without masks, before the scales.
private final class IntegerRebuild {
    /// `[filters, rows, width]`, the padding of the last row included.
    let out: AlignedBuffer<Int8>
    private let weight: SmartDealWeight
    /// `[bases][nibbles, width, 16]`.
    private let tables: AlignedBuffer<Int8>
    private let tableSize: Int
    private let rowsOfSlice: [Int]

    init(_ weight: SmartDealWeight) throws {
        let geometry = weight.geometry
        guard weight.rowMask == nil, weight.groupMask == nil else {
            throw BenchmarkFileError("the int8 benchmark has no way with masks")
        }
        var entries: [Int8] = []
        for basis in 0..<geometry.basisCount {
            entries += weight.integerTables(basis: basis)?.entries ?? []
        }
        self.weight = weight
        tables = AlignedBuffer(entries)
        tableSize = geometry.nibbles * geometry.width * Alphabet.capacity
        rowsOfSlice = RowLayout(geometry, mask: nil).rowsOfSlice
        out = AlignedBuffer(count: geometry.filterCount * geometry.rowCount * geometry.width)
    }

    func run(_ kernels: ShiftKernels) {
        let geometry = weight.geometry
        let (nibbles, width) = (geometry.nibbles, geometry.width)
        // Some slices take a kernel no longer than a few divisions.
        let slices = rowsOfSlice.map { (rows: $0, bytes: geometry.symbolBytes(rows: $0)) }
        weight.symbols.withUnsafeBufferPointer { symbols in
            guard var packed = symbols.baseAddress else { return }
            var to = out.base
            for filter in 0..<geometry.filterCount {
                var own = tables.base + geometry.basisIndex(filter: filter, slice: 0) * tableSize
                for slice in slices {
                    kernels.rebuild(
                        rows: slice.rows, nibbles: nibbles, width: width, packed: packed,
                        tables: own, into: to)
                    packed += slice.bytes
                    to += slice.rows * width
                    own += tableSize
                }
            }
        }
    }
}

/// The same weights as a dense product of floats, C · B, without the scales.
private final class DenseProduct {
    private let weight: SmartDealWeight
    /// `[filters, rows, rank]`.
    private let coefficients: AlignedBuffer<Float>
    private let basis: AlignedBuffer<Float>
    private let out: AlignedBuffer<Float>

    init(_ weight: SmartDealWeight) {
        self.weight = weight
        let geometry = weight.geometry
        let rank = weight.rank
        let c = weight.alphabet.coefficientsPerSymbol
        let table = weight.alphabet.coefficients.map { Float($0) }
        let coefficients = AlignedBuffer<Float>(
            count: geometry.filterCount * geometry.rowCount * rank)
        var next = coefficients.base
        weight.forEachSlice { _, _, symbols, rows in
            for index in 0..<(rows * geometry.nibbles) {
                for i in 0..<c { next[i] = table[Int(symbols[index]) * c + i] }
                next += c
            }
        }
        self.coefficients = coefficients
        basis = AlignedBuffer((0..<weight.basis.count).map { weight.basis[$0] })
        out = AlignedBuffer(count: geometry.filterCount * geometry.rowCount * geometry.width)
    }

    /// One product for each basis.
    func run() {
        let geometry = weight.geometry
        let rank = weight.rank
        let slices = geometry.sliceCount
        for index in 0..<geometry.basisCount {
            // Filters that share a basis have one slice, so that their rows are neighbours.
            let filters = slices == 1 ? geometry.filtersPerBasis : 1
            let slice = index % slices
            let firstRow =
                index / slices * filters * geometry.rowCount + slice * geometry.rowsPerSlice
            let rows =
                slices == 1
                ? filters * geometry.rowCount
                : min(geometry.rowsPerSlice, geometry.rowCount - slice * geometry.rowsPerSlice)
            BLASLibrary.multiply(
                m: rows, n: geometry.width, k: rank, coefficients.base + firstRow * rank,
                basis.base + index * rank * geometry.width,
                into: out.base + firstRow * geometry.width)
        }
    }
}
