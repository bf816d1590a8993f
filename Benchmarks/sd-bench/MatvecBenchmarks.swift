import BenchmarkSupport
import DensePrimitives
import SmartDeal

extension Benchmark {
    /// Layers of transformers, and a small one.
    static let multipliedLayers: [Layer] = [
        .linear(1024, 1024), .linear(4096, 4096), .linear(4096, 11008), .linear(11008, 4096),
    ]
    /// The layer that all forms are run on, on one thread and on several.
    private static let mainLayer = Layer.linear(4096, 4096)
    private static let bestForms: [SymbolForm] = [.best, .bestHalfPruned, .bestMostlyPruned]
    private static let fastForms: [SymbolForm] = [.fast, .fastHalfPruned, .fastMostlyPruned]

    /// Products of packed weights with one vector, weights from memory.
    static func matvecBenchmarks(threads: Int) -> [Benchmark] {
        // The last weights are kept: those who want the same stand one after another.
        let pools = WeightPools()
        return multipliedLayers.flatMap { layer in
            (layer == mainLayer ? fastForms + bestForms : bestForms).flatMap { form in
                let isParallel = layer == mainLayer && bestForms.contains(form) && threads > 1
                return (isParallel ? [1, threads] : [1]).map { threads in
                    Benchmark(
                        group: .matvec,
                        name: "\(matvecTitle(layer, form)), weights from memory, "
                            + (threads == 1 ? "1 thread" : "\(threads) threads")
                    ) { try matvecContest(pools.packed(layer, form), layer, form, threads) }
                }
            }
        }
    }

    static func matvecTitle(_ layer: Layer, _ form: SymbolForm) -> String {
        "matvec \(form.title), \(layer.name)"
    }

    private static func matvecContest(
        _ panels: WeightPool<PanelWeight>, _ layer: Layer, _ form: SymbolForm, _ threads: Int
    ) throws -> Contest {
        let (outputs, inputs) = (layer.shape[0], layer.shape[1])
        let x = AlignedBuffer(MatvecCounts.vector(inputs))
        let y = AlignedBuffer<Float>(count: outputs)
        let floats = WeightPools.floats(layer)
        let bytes = try WeightPools.bytes(layer, threads: threads)
        func action(_ run: @escaping () throws -> Void) -> TimedAction {
            guard threads > 1 else { return TimedAction(run: run) }
            // Threads of oneDNN and OpenBLAS spin for a while after they were used, on processors
            // that the next one needs; its own threads shall be awake.
            return TimedAction(
                prepare: {
                    Pause.untilThreadsRest()
                    for _ in 0..<3 { try? run() }
                }, run: run)
        }
        var label: String?
        if layer == mainLayer, threads == 1 {
            let percent = Int((form.keptShare * 100).rounded())
            label = "matvec, \(form.options.mode.rawValue), \(percent) %"
        }
        let single = panels.items[0]
        return Contest(
            candidate: action {
                // On the threads that plans run it on.
                panels.next().multiply(x.base, into: y.base, on: .selected, threads: threads) {
                    ThreadTeam.run($0, threads: threads, $1)
                }
            },
            references: [
                (
                    WeightPools.readName,
                    action(WeightPools.reads(of: single.byteCount, threads: threads))
                ),
                (
                    "OpenBLAS sgemv",
                    action {
                        BLASLibrary.threads = threads
                        BLASLibrary.multiply(
                            m: outputs, k: inputs, floats.next().base, x.base, into: y.base)
                        BLASLibrary.threads = 1
                    }
                ),
                (
                    "oneDNN int8 product, dense",
                    action {
                        OneDNN.setThreads(threads)
                        try bytes.next().run()
                    }
                ),
            ],
            work: Double(outputs * inputs) / 1e9, unit: "G weights/s",
            // Memory is what limits it, and how fast that is depends on the minute.
            limit: .reference(times: 1),
            workload: Workload(
                arithmetic: .bytes,
                operations: 2 * Double(outputs * inputs) * form.keptShare,
                bytes: single.byteCount + 4 * (inputs + outputs), isFromMemory: true,
                threads: threads, kind: .matvec, label: label),
            // How fast memory is changes from moment to moment: many timings, of which each waits
            // for threads to rest when there are several.
            samples: threads == 1 ? 200 : 25, tolerance: threads == 1 ? 0.5 : 1.2)
    }
}
