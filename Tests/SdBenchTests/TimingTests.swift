import BenchmarkSupport
import Testing

@Suite("Interleaved timing")
struct TimingTests {
    @Test("actions take turns, prepared each time, at least as often as asked")
    func turns() throws {
        var order: [String] = []
        var plan = SamplingPlan()
        plan.fewest = 3
        plan.most = 3
        let timing = try InterleavedTiming(
            of: ["a", "b"].map { name in
                TimedAction(prepare: { order.append("before \(name)") }) { order.append(name) }
            }, plan: plan)
        let turn = ["before a", "a", "before b", "b"]
        #expect(Array(order.suffix(12)) == turn + turn + turn)
        #expect(timing.samples == 3)
        #expect(timing.minimums.count == 2 && timing.minimums.allSatisfy { $0 > 0 })
    }
}
