import BenchmarkSupport
import SmartDeal

extension Benchmark {
    /// What a training step in SmartDeal form is made of, but for what all training has.
    static func trainingBenchmarks(_ weights: LayerWeights) -> [Benchmark] {
        let passes = [KeptTraining.Pass.forward, .weightGradient].flatMap { pass in
            [100, 50, 20].map { percent in
                Benchmark(
                    group: .training,
                    name: "\(pass.rawValue), \(KeptTraining.name), \(percent) % kept, 1 thread"
                ) { try passContest(pass, percent: percent) }
            }
        }
        let layer = Layer.conv3x3(256, 256)
        return passes
            + LearningRows.Step.allCases.map { step in
                Benchmark(
                    group: .training,
                    name: "\(step.rawValue), \(SymbolForm.best.title), \(layer.name), 1 thread"
                ) { try rowContest(step, weights.weight(layer, .best)) }
            }
    }

    /// The kernels `f32_lanes_correlate` and `f32_lanes_weight_gradient`, what is packed for them
    /// included.
    private static func passContest(_ pass: KeptTraining.Pass, percent: Int) throws -> Contest {
        let training = KeptTraining(percent: percent)
        return Contest(
            candidate: TimedAction { training.run(pass) },
            references: [("oneDNN f32, dense", try DenseTraining.action(pass))],
            work: KeptTraining.operations / 1e9, unit: "GFLOP/s of the dense layer",
            limit: .roofline,
            workload: Workload(
                arithmetic: .floats, operations: KeptTraining.operations * Double(percent) / 100,
                bytes: training.byteCount, kind: .training,
                label: percent == 20 ? nil : "\(pass.rawValue), \(percent) %"))
    }

    /// Kernels that go over the rows of a weight once.
    private static func rowContest(
        _ step: LearningRows.Step, _ weight: SmartDealWeight
    ) throws -> Contest {
        let rows = LearningRows(weight)
        // A copy reads as many bytes as it writes.
        let half = rows.bytes(step) / 2
        let source = AlignedBuffer<UInt8>(count: half)
        let target = AlignedBuffer<UInt8>(count: half)
        let rule = rows.rule(step)
        return Contest(
            candidate: TimedAction { rows.run(step, rule, on: .selected) },
            references: [
                (
                    "memory copy of as many bytes",
                    TimedAction { MemoryLoops.copy(source, to: target) }
                ),
                ("scalar kernel", TimedAction { rows.run(step, rule, on: .scalar) }),
            ],
            work: Double(weight.geometry.weightCount) / 1e9, unit: "G weights/s",
            limit: .roofline,
            workload: Workload(
                arithmetic: .floats, operations: rows.operations(step), bytes: rows.bytes(step),
                kind: .training, label: step.rawValue))
    }
}
