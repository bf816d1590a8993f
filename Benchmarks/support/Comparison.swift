/// A run held to what was recorded before.
package struct Comparison: Sendable, Equatable {
    /// A timed result that is slower than recorded, beyond its tolerance.
    package struct Slowdown: Sendable, Equatable {
        package let result: TimedResult
        package let baseline: TimedResult
        /// The largest ratio that would have passed.
        package var limit: Double { Comparison.limit(of: baseline) }
    }

    /// A count that is not what was recorded; `found` is nil when it was not counted.
    package struct CountChange: Sendable, Equatable {
        package let name: String
        package let expected: Int
        package let found: Int?

        package init(name: String, expected: Int, found: Int?) {
            self.name = name
            self.expected = expected
            self.found = found
        }
    }

    /// Whether the baseline knows the machine; ratios of others are not held to anything.
    package let knowsMachine: Bool
    package let slowdowns: [Slowdown]
    package let countChanges: [CountChange]
    /// Results that the baseline does not have.
    package let unknownResults: [TimedResult.Key]
    /// Results that the baseline has and the run does not.
    package let missingResults: [TimedResult.Key]

    /// Whether anything got worse.
    package var isRegression: Bool { !slowdowns.isEmpty || !countChanges.isEmpty }

    /// Compares a run with a baseline.
    ///
    /// - Parameter isPartial: whether the run was asked to leave items out, so that what is
    ///   missing means nothing.
    package init(_ report: BenchmarkReport, to baseline: BaselineFile, isPartial: Bool) {
        let counts = Dictionary(report.counts.map { ($0.name, $0.value) }) { first, _ in first }
        countChanges = baseline.counts(for: report.machine).compactMap { expected in
            let found = counts[expected.name]
            if found == expected.value || (found == nil && isPartial) { return nil }
            return CountChange(name: expected.name, expected: expected.value, found: found)
        }
        guard let known = baseline.report(for: report.machine) else {
            knowsMachine = false
            slowdowns = []
            unknownResults = []
            missingResults = []
            return
        }
        knowsMachine = true
        let recorded = Dictionary(known.results.map { ($0.key, $0) }) { first, _ in first }
        slowdowns = report.results.compactMap { result in
            guard let before = recorded[result.key], !(result.ratio <= Self.limit(of: before))
            else { return nil }
            return Slowdown(result: result, baseline: before)
        }
        unknownResults = report.results.map(\.key).filter { recorded[$0] == nil }
        let measured = Set(report.results.map(\.key))
        missingResults =
            isPartial ? [] : known.results.map(\.key).filter { !measured.contains($0) }
    }

    private static func limit(of baseline: TimedResult) -> Double {
        baseline.ratio * (1 + baseline.tolerance)
    }
}
