import BenchmarkSupport
import Testing

@Suite("A run compared with a baseline")
struct ComparisonTests {
    let baseline = BaselineFile(machines: [
        Reports.report(
            results: [Reports.result("rebuild", ratio: 0.4), Reports.result("pack", ratio: 0.1)],
            counts: ["bytes": 100, "kernels": 9])
    ])

    func compare(_ report: BenchmarkReport, isPartial: Bool = false) -> Comparison {
        Comparison(report, to: baseline, isPartial: isPartial)
    }

    @Test("a ratio at baseline * (1 + tolerance) passes, one above does not")
    func tolerance() {
        let counts = ["bytes": 100, "kernels": 9]
        let pack = Reports.result("pack", ratio: 0.1)
        let passing = compare(
            Reports.report(results: [Reports.result("rebuild", ratio: 0.5), pack], counts: counts))
        #expect(!passing.isRegression)
        let failing = compare(
            Reports.report(results: [Reports.result("rebuild", ratio: 0.51), pack], counts: counts))
        #expect(failing.isRegression)
        #expect(failing.slowdowns.map(\.result.name) == ["rebuild"])
        #expect(failing.slowdowns.first?.limit == 0.5)
    }

    @Test("the tolerance that counts is the recorded one")
    func recordedTolerance() {
        let result = Reports.result("rebuild", ratio: 0.6, tolerance: 10)
        #expect(compare(Reports.report(results: [result]), isPartial: true).isRegression)
    }

    @Test(
        "another processor or instruction set is held to counts and not to ratios",
        arguments: [Reports.machine(cpu: "Other"), Reports.machine(isa: "avx512")])
    func unknownMachine(_ machine: Machine) {
        let slow = [Reports.result("rebuild", ratio: 9)]
        let same = compare(
            Reports.report(machine, results: slow, counts: ["bytes": 100, "kernels": 9]))
        #expect(!same.knowsMachine)
        #expect(!same.isRegression)
        let changed = compare(
            Reports.report(machine, results: slow, counts: ["bytes": 101, "kernels": 9]))
        #expect(changed.countChanges == [.init(name: "bytes", expected: 100, found: 101)])
        #expect(changed.isRegression)
    }

    @Test("a count that is missing fails a whole run and not a filtered one")
    func missingCount() {
        let report = Reports.report(counts: ["bytes": 100])
        #expect(compare(report).countChanges == [.init(name: "kernels", expected: 9, found: nil)])
        #expect(!compare(report, isPartial: true).isRegression)
    }

    @Test("results that only one side has are told and do not fail")
    func unmatchedResults() {
        let report = Reports.report(
            results: [Reports.result("new", ratio: 1), Reports.result("pack", ratio: 0.1)],
            counts: ["bytes": 100, "kernels": 9])
        let comparison = compare(report)
        #expect(comparison.unknownResults.map(\.name) == ["new"])
        #expect(comparison.missingResults.map(\.name) == ["rebuild"])
        #expect(!comparison.isRegression)
    }

    @Test("a machine's own counts go before those of others")
    func ownCounts() {
        let file = BaselineFile(machines: [
            Reports.report(counts: ["bytes": 1, "kernels": 9]),
            Reports.report(Reports.machine(cpu: "Two"), counts: ["bytes": 2]),
        ])
        let counts = file.counts(for: Reports.machine(cpu: "Two"))
        #expect(
            counts == [ExactCount(name: "bytes", value: 2), ExactCount(name: "kernels", value: 9)])
    }
}
